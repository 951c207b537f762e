"""Inbound connectors by cmdlet: defaults, checks, changes, removal."""

from typing import Any

import pytest

from tests.sandbox.rows import Checks
from tests.sandbox.world import World, error_of

RELAY = {
    "Name": "SAP relay",
    "ConnectorType": "OnPremises",
    "SenderDomains": ["*"],
    "SenderIPAddresses": ["203.0.113.10"],
}

CHECKS = Checks("exchange", file=__file__)


@CHECKS.row("exchange.connector-name")
def check_name(world: World) -> None:
    """A name that differs in case only is taken, for New- and for Set-."""
    world.run("New-InboundConnector", **RELAY)
    answer = world.invoke("New-InboundConnector", {**RELAY, "Name": "sap RELAY"})
    assert answer.status_code == 400
    kind, text = error_of(answer)
    assert kind.endswith("ADObjectAlreadyExistsException")
    assert "already exists" in text
    world.run("New-InboundConnector", **{**RELAY, "Name": "Other"})
    renamed = {"Identity": "Other", "Name": "SAP relay"}
    assert world.invoke("Set-InboundConnector", renamed).status_code == 400


@CHECKS.row("exchange.connector-addresses")
def check_addresses(world: World) -> None:
    """Wide ranges, IPv6 and host names are refused; a mask of 24 to 32 is not."""
    for text in ("203.0.113.0/23", "2001:db8::1", "mail.contoso.com", "203.0.113"):
        wanted = {**RELAY, "SenderIPAddresses": [text]}
        answer = world.invoke("New-InboundConnector", wanted)
        assert answer.status_code == 400, text
        assert text in error_of(answer)[1]
    taken = ["203.0.113.5/25", "203.0.113.9/32", "203.0.113.0/24"]
    world.run("New-InboundConnector", **{**RELAY, "SenderIPAddresses": taken})


@CHECKS.row("exchange.connector-sender-domains")
def check_sender_domains(world: World) -> None:
    """Plain, with wildcard and with cost, each in the form that is shown."""
    domains = ["contoso.com", "*.Fabrikam.com", "smtp:*;5"]
    made = world.run("New-InboundConnector", **{**RELAY, "SenderDomains": domains})[0]
    assert made["SenderDomains"] == [
        "smtp:contoso.com;1",
        "smtp:*.fabrikam.com;1",
        "smtp:*;5",
    ]


@CHECKS.row("exchange.connector-internal")
def check_internal(world: World) -> None:
    """Neither a partner's mail nor hybrid mail can be treated as internal."""
    for change in ({"ConnectorType": "Partner"}, {"CloudServicesMailEnabled": True}):
        wanted = {**RELAY, "TreatMessagesAsInternal": True, **change}
        answer = world.invoke("New-InboundConnector", wanted)
        assert answer.status_code == 400, change
    world.run("New-InboundConnector", **RELAY, TreatMessagesAsInternal=True)


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_new_connector_has_the_documented_defaults() -> None:
    """Without a type it is a Partner connector that requires TLS."""
    with World() as world:
        made = world.run("New-InboundConnector", Name="Plain", SenderDomains=["*"])[0]
        wanted = {
            "Identity": "Plain",
            "ConnectorType": "Partner",
            "Enabled": True,
            "RequireTls": True,
            "RestrictDomainsToIPAddresses": False,
            "SenderDomains": ["smtp:*;1"],
            "SenderIPAddresses": [],
            "TlsSenderCertificateName": None,
            "ObjectClass": ["top", "msExchSMTPInboundConnector"],
        }
        assert {key: made[key] for key in wanted} == wanted
        assert world.run("Get-InboundConnector") == [made]
        assert world.run("Get-InboundConnector", Identity=made["Guid"]) == [made]


def test_set_changes_what_it_names_and_nothing_else() -> None:
    """Addresses by hash table, a new name, and null for the certificate name."""
    with World() as world:
        before = world.run("New-InboundConnector", **RELAY)[0]
        kind = {"@odata.type": "#Exchange.GenericHashTable"}
        world.run(
            "Set-InboundConnector",
            Identity="SAP relay",
            Name="SAP relay 2",
            Enabled=False,
            SenderIPAddresses={**kind, "add": "203.0.113.11"},
        )
        after = world.run("Get-InboundConnector", Identity="SAP relay 2")[0]
        changed = {key for key in before if before[key] != after[key]}
        changed -= {"WhenChanged", "WhenChangedUTC"}
        assert changed == {
            "Name",
            "Identity",
            "Id",
            "DistinguishedName",
            "Enabled",
            "SenderIPAddresses",
        }
        assert after["SenderIPAddresses"] == ["203.0.113.10", "203.0.113.11"]


def test_set_with_the_same_values_warns() -> None:
    """Nothing is modified, and the answer says so."""
    with World() as world:
        world.run("New-InboundConnector", **RELAY)
        same = {"Identity": "SAP relay", "SenderDomains": ["*"], "Enabled": True}
        answer = world.invoke("Set-InboundConnector", same)
        assert "no settings" in "".join(answer.json()["@adminapi.warnings"])


def test_removed_connector_is_gone() -> None:
    """A second removal finds nothing."""
    with World() as world:
        world.run("New-InboundConnector", **RELAY)
        world.run("Remove-InboundConnector", Identity="SAP relay", Confirm=False)
        assert world.run("Get-InboundConnector") == []
        again = world.invoke("Remove-InboundConnector", {"Identity": "SAP relay"})
        assert again.status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"SenderDomains": ["mail.*.contoso.com"]},
        {"SenderDomains": []},
        {"TlsSenderCertificateName": "not a domain"},
        {"ConnectorType": "Internal"},
        {"Name": "n" * 65},
        {"AssociatedAcceptedDomains": ["contoso.com"]},
    ],
)
def test_bad_or_unbuilt_values_are_refused(change: dict[str, Any]) -> None:
    """Nothing is made where one value is refused."""
    with World() as world:
        answer = world.invoke("New-InboundConnector", {**RELAY, **change})
        assert answer.status_code == 400
        assert world.run("Get-InboundConnector") == []

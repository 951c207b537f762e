"""Option 3: addresses, SPF policies, statements, connectors, and the proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import Evidence, NotAsExpected, NothingToDo, Observation
from runbook_lib.steps.connector import ConnectorConflicts, CreateRelayConnector
from runbook_lib.steps.delivery import SapTestMessage
from runbook_lib.steps.mail_node import MailNodeWithoutLogon
from runbook_lib.steps.public_address import (
    SenderIdentification,
    identification,
    read_network,
    written,
)
from runbook_lib.steps.relay_conditions import RelayConditions
from runbook_lib.steps.sender_attested import SenderAttested
from runbook_lib.steps.spf_policy import proposed
from runbook_lib.steps.spf_record import SpfRecord
from tests.steps.mail_flow import ADDRESS, MX, Exchange, session_on

INCLUDE = "spf.protection.outlook.com"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("8.8.4.4", "8.8.4.4"),
        (" 8.8.4.4 ", "8.8.4.4"),
        ("8.8.4.4/32", "8.8.4.4"),
        ("8.8.4.0/24", "8.8.4.0/24"),
        ("8.8.4.4/31", "8.8.4.4/31"),
    ],
)
def test_public_addresses_are_read(text: str, shown: str) -> None:
    """One address has no prefix; a range keeps it."""
    assert written(read_network(text)) == shown


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.5.3.2", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.0/24", "private"),
        ("100.64.0.1", "shared by a provider"),
        ("100.127.255.254", "shared by a provider"),
        ("127.0.0.1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("0.1.2.3", "reserved"),
        ("224.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("198.18.0.1", "benchmarks"),
        ("192.0.2.1", "documentation"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.10", "documentation"),
        ("8.8.4.0/23", "/24 to /32"),
        ("8.0.0.0/8", "/24 to /32"),
        ("8.8.4.4/24", "no IPv4 address or range"),
        ("8.8.4.4/33", "no IPv4 address or range"),
        ("8.8.4", "no IPv4 address"),
        ("8.8.4.256", "no IPv4 address"),
        ("8.8.4.4/255.255.255.0", "not written as"),
        ("2001:db8::10", "IPv6"),
        ("[2001:db8::10]", "IPv6"),
        ("2001:db8::/64", "IPv6"),
        ("mail.contoso.com", "no IPv4 address"),
        ("", "no IPv4 address"),
    ],
)
def test_other_addresses_are_refused_with_the_reason(text: str, why: str) -> None:
    """What Microsoft never sees, or a connector does not take."""
    with pytest.raises(NotAsExpected, match=why):
        read_network(text)


@pytest.mark.parametrize(
    ("text", "accepted"), [("172.15.255.255", True), ("100.63.255.255", True)]
)
def test_ranges_end_where_they_end(text: str, accepted: bool) -> None:
    """The neighbours of private and shared space are public."""
    assert bool(read_network(text)) is accepted


def test_example_addresses_are_for_the_sandbox() -> None:
    """Its senders have them; on a real target they are refused."""
    step = SenderIdentification(address=ADDRESS)
    seen = step.observe(session_on())
    assert met(step.expect(), seen.properties)
    with pytest.raises(NotAsExpected, match="documentation"):
        step.observe(session_on(target="real"))


@pytest.mark.parametrize(("address", "name"), [("", ""), (ADDRESS, "erp.contoso.com")])
def test_one_of_address_and_certificate(address: str, name: str) -> None:
    """Both and neither are refused: the two are not combined."""
    with pytest.raises(NotAsExpected, match="not both"):
        identification(address, name, examples=True)


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("erp.contoso.com", True),
        ("*.contoso.com", True),
        ("CONTOSO.COM", True),
        ("erp.fabrikam.com", False),
        ("notcontoso.com", False),
    ],
)
def test_certificate_is_for_an_accepted_domain(name: str, accepted: bool) -> None:
    """Else Exchange Online does not know whose mail it is."""
    step = SenderIdentification(address="", certificate=name)
    seen = step.observe(session_on())
    assert met(step.expect(), seen.properties) is accepted


@pytest.mark.parametrize("name", ["erp", "CN=erp.contoso.com", "a b.com", "*.*.com"])
def test_odd_certificate_names_are_refused(name: str) -> None:
    """A name is a domain, with an asterisk in front or without."""
    with pytest.raises(NotAsExpected, match="no domain"):
        identification("", name, examples=True)


@pytest.mark.parametrize(
    ("records", "policy"),
    [
        ([], f"v=spf1 ip4:{ADDRESS} include:{INCLUDE} ~all"),
        (
            [f"v=spf1 include:{INCLUDE} -all"],
            f"v=spf1 ip4:{ADDRESS} include:{INCLUDE} -all",
        ),
        (
            [f"v=spf1 a mx include:x.example include:{INCLUDE} ?all"],
            f"v=spf1 ip4:{ADDRESS} a mx include:x.example include:{INCLUDE} ?all",
        ),
        (
            ["v=spf1 mx -all"],
            f"v=spf1 ip4:{ADDRESS} include:{INCLUDE} mx -all",
        ),
        (
            [rf"v=spf1 ip4:{ADDRESS} include:{INCLUDE} \~all"],
            f"v=spf1 ip4:{ADDRESS} include:{INCLUDE} ~all",
        ),
        (
            ["v=spf1 redirect=spf.x.example"],
            f"v=spf1 ip4:{ADDRESS} redirect=spf.x.example",
        ),
        (
            [f"v=spf1 include:{INCLUDE} -all", "v=spf1 mx ~all"],
            f"v=spf1 ip4:{ADDRESS} include:{INCLUDE} mx ~all",
        ),
        (
            ["v=spf1 redirect=a.example", f"v=spf1 include:{INCLUDE} -all"],
            f"v=spf1 ip4:{ADDRESS} include:a.example include:{INCLUDE} -all",
        ),
        (["v=spf1 mx all"], f"v=spf1 ip4:{ADDRESS} include:{INCLUDE} mx +all"),
    ],
)
def test_policy_is_extended_and_not_replaced(records: list[str], policy: str) -> None:
    """What was allowed stays; the end stays; several become one."""
    assert proposed(records, ADDRESS, INCLUDE) == policy


def spf(records: list[str], address: str = ADDRESS) -> Observation:
    """Return what the step sees of a domain with these TXT records."""
    zone = {
        "contoso.com": {"TXT": records},
        INCLUDE: {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    }
    return SpfRecord(domain="contoso.com", address=address).observe(
        session_on(zone=zone)
    )


def test_published_policy_passes() -> None:
    """Nothing is to be published, and nobody is waited for."""
    seen = spf([f"v=spf1 ip4:{ADDRESS} include:{INCLUDE} -all"])
    assert seen.properties["SPF"] == "pass"
    assert "to publish" not in seen.context
    assert seen.context["DNS lookups of the whole policy"] == 1


@pytest.mark.parametrize("records", [[], [f"v=spf1 include:{INCLUDE} -all"]])
def test_missing_address_is_awaited(records: list[str]) -> None:
    """The sentence holds the record to publish."""
    seen = spf(records)
    assert seen.awaits is not None
    assert str(seen.context["to publish"]) in seen.awaits.sentence


def test_two_policies_are_failed_and_not_awaited() -> None:
    """They harm all mail of the domain; the merged one is shown."""
    seen = spf([f"v=spf1 include:{INCLUDE} -all", f"v=spf1 ip4:{ADDRESS} -all"])
    assert seen.properties["SPF"] == "permerror"
    assert seen.awaits is None
    assert seen.context["to publish"] == (
        f"v=spf1 include:{INCLUDE} ip4:{ADDRESS} -all"
    )


def test_range_passes_with_both_ends() -> None:
    """A policy that names one address of the range does not do."""
    half = spf(["v=spf1 ip4:203.0.113.0/25 -all"], "203.0.113.0/24")
    whole = spf(["v=spf1 ip4:203.0.113.0/24 -all"], "203.0.113.0/24")
    assert (half.properties["SPF"], whole.properties["SPF"]) == ("fail", "pass")


def test_policy_over_the_limit_is_told() -> None:
    """Our address comes first and passes; others run into the limit."""
    includes = " ".join(f"a:h{n}.example" for n in range(3))
    seen = spf([f"v=spf1 ip4:{ADDRESS} {includes} -all"])
    assert seen.properties["SPF"] == "pass"
    assert seen.advice is not None
    assert "Void lookup" in seen.advice


def test_certificate_needs_no_spf_record() -> None:
    """There is no fixed address that a record could name."""
    step = SpfRecord(domain="contoso.com", address="", certificate="erp.contoso.com")
    with pytest.raises(NothingToDo):
        step.observe(session_on())


def evidence(text: str) -> Evidence:
    """Return a statement."""
    return Evidence(who="N", when="2026-01-01", reference="R", text=text)


STATED = f"address: {ADDRESS}\nstatic: yes\nshared: no\nours: yes\nSNAT: natgw\n"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (STATED, True),
        (STATED.replace("yes", "X").replace("no\n", "-\n"), True),
        (STATED.replace("static: yes", "static: no"), False),
        (STATED.replace("shared: no", "shared: yes"), False),
        (STATED.replace("ours: yes\n", ""), False),
        (STATED.replace("natgw", ""), False),
        (STATED.replace(ADDRESS, "203.0.113.11"), False),
        ("It is all right.", False),
        ("", False),
    ],
)
def test_statement_about_the_address(text: str, good: bool) -> None:
    """Each part has to be stated; what is not said is not taken for granted."""
    step = SenderAttested(address=ADDRESS)
    seen = step.validate(session_on(), evidence(text))
    assert met(step.expect(), seen.properties) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("certificate: ERP.contoso.com\nissued by: Public CA", True),
        ("certificate: other.contoso.com\nissuer: Public CA", False),
        ("certificate: erp.contoso.com", False),
    ],
)
def test_statement_about_the_certificate(text: str, good: bool) -> None:
    """Name and issuer."""
    step = SenderAttested(address="", certificate="erp.contoso.com")
    seen = step.validate(session_on(), evidence(text))
    assert met(step.expect(), seen.properties) is good


NODE = f"mail_host: {MX}\nmail_port: 25\ntls: mandatory\naddress_area: *\n"


@pytest.mark.parametrize(
    ("text", "good", "finding"),
    [
        (NODE, True, ""),
        (NODE.replace("mandatory", "if possible"), True, ""),
        (NODE.replace("25", "587"), False, "PORT_OTHER"),
        (NODE.replace(MX, "smtp.office365.com"), False, "HOST_OTHER"),
        (NODE.replace("mandatory", "none"), False, "TLS_OFF"),
        (NODE + "logon_user: SAPMAIL\n", False, "LOGON_DATA_LEFT"),
        ("nothing of it", False, "FORM_EMPTY"),
    ],
)
def test_form_of_the_node(text: str, good: bool, finding: str) -> None:
    """Host, port and TLS of the way without sign-in, and no logon data."""
    step = MailNodeWithoutLogon(host=MX)
    seen = step.validate(session_on(), evidence(text))
    assert met(step.expect(), seen.properties) is good
    assert finding in str(seen.advice)


@pytest.mark.parametrize(
    ("why", "external", "rejected", "good"),
    [
        ("SAP_BASIS 7.40", "yes", False, True),
        ("SAP_BASIS 7.40", "no", True, True),
        ("SAP_BASIS 7.40", "no", False, False),
        (" ", "yes", False, False),
    ],
)
def test_conditions_of_the_guide(
    why: str, external: str, rejected: bool, good: bool
) -> None:
    """A reason against option 1, and one against option 2."""
    exchange = Exchange(organization={"RejectDirectSend": rejected})
    step = RelayConditions(why_not_oauth=why, external=external)
    seen = step.observe(session_on(exchange))
    assert met(step.expect(), seen.properties) is good


@pytest.mark.parametrize(
    ("why", "external", "awaited"),
    [
        ("", "yes", "why_not_oauth"),
        ("SAP_BASIS 7.40", "", "external"),
        ("", "", "external"),
        ("SAP_BASIS 7.40", "no", None),
    ],
)
def test_what_is_not_stated_is_awaited(
    why: str, external: str, awaited: str | None
) -> None:
    """A statement that speaks against the option fails; a missing one waits."""
    step = RelayConditions(why_not_oauth=why, external=external)
    found = step.observe(session_on()).awaits
    assert (found is None) is (awaited is None)
    assert awaited is None or f"in {awaited} " in found.sentence  # type: ignore[union-attr]


def test_allowed_smtp_auth_is_an_advice() -> None:
    """The connector works either way."""
    exchange = Exchange(transport={"SmtpClientAuthenticationDisabled": False})
    step = RelayConditions(why_not_oauth="7.40", external="yes")
    seen = step.observe(session_on(exchange))
    assert met(step.expect(), seen.properties)
    assert seen.advice is not None


def connector(**settings: object) -> dict[str, object]:
    """Return a connector as Exchange Online shows it."""
    return {
        "Name": "SAP relay",
        "Comment": "runbook:earlier",
        "Enabled": True,
        "ConnectorType": "OnPremises",
        "SenderDomains": ["smtp:*;1"],
        "SenderIPAddresses": [ADDRESS],
        "TlsSenderCertificateName": None,
        "RequireTls": True,
        **settings,
    }


@pytest.mark.parametrize(
    ("settings", "conflict"),
    [
        ({"Name": "x"}, True),
        ({"Name": "x", "SenderIPAddresses": ["203.0.113.0/28"]}, True),
        ({"Name": "x", "SenderIPAddresses": ["203.0.113.11"]}, False),
        ({"Name": "x", "SenderIPAddresses": []}, False),
        ({"Name": "sap RELAY"}, False),
    ],
)
def test_conflicts_are_other_connectors_for_the_address(
    settings: dict[str, object], conflict: bool
) -> None:
    """Overlapping ranges count; the runbook's own connector does not."""
    step = ConnectorConflicts(name="SAP relay", address=ADDRESS)
    seen = step.observe(session_on(Exchange([connector(**settings)])))
    assert met(step.expect(), seen.properties) is not conflict


@pytest.mark.parametrize(
    ("name", "conflict"), [("erp.contoso.com", True), (None, False)]
)
def test_conflicts_by_certificate(name: str | None, conflict: bool) -> None:
    """The same name counts, and the address does not."""
    step = ConnectorConflicts(name="own", address="", certificate="erp.contoso.com")
    other = connector(Name="x", TlsSenderCertificateName=name)
    seen = step.observe(session_on(Exchange([other])))
    assert met(step.expect(), seen.properties) is not conflict


STEP = CreateRelayConnector(name="SAP relay", address=ADDRESS)


def test_connector_is_created_with_our_mark() -> None:
    """Nothing is claimed of TLS: only what was asked for is written."""
    exchange = Exchange()
    STEP.apply(session_on(exchange))
    assert exchange.written == [
        (
            "SAP relay",
            {
                "connector_type": "OnPremises",
                "sender_domains": ["*"],
                "comment": "runbook:example",
                "SenderIPAddresses": [ADDRESS],
            },
        )
    ]


def test_own_connector_with_another_address_is_set() -> None:
    """It is ours by its comment, so that it may be changed."""
    exchange = Exchange([connector(SenderIPAddresses=["203.0.113.99"])])
    session = session_on(exchange)
    assert not met(STEP.expect(), STEP.observe(session).properties)
    STEP.apply(session)
    (name, settings) = exchange.written[0]
    assert (name, settings["SenderIPAddresses"]) == ("SAP relay", [ADDRESS])


def test_same_connector_of_another_is_adopted() -> None:
    """What it is, is what is wanted; it is shown as adopted."""
    seen = STEP.observe(session_on(Exchange([connector(Comment="by hand")])))
    assert met(STEP.expect(), seen.properties)
    assert seen.adopt


def test_connector_that_appears_before_the_write_is_left() -> None:
    """Whatever its settings are."""
    exchange = Exchange([connector(Comment="by hand")])
    with pytest.raises(NotAsExpected, match="did not make"):
        STEP.apply(session_on(exchange))
    assert exchange.written == []


@pytest.mark.parametrize(
    "settings",
    [
        {"Enabled": False},
        {"ConnectorType": "Partner"},
        {"SenderDomains": ["smtp:contoso.com;1"]},
        {"SenderIPAddresses": [ADDRESS, "203.0.113.99"]},
        {"TlsSenderCertificateName": "erp.contoso.com"},
    ],
)
def test_other_connector_of_another_is_left(settings: dict[str, object]) -> None:
    """No write may repair it."""
    found = connector(Comment=None, **settings)
    with pytest.raises(NotAsExpected, match="did not make"):
        STEP.observe(session_on(Exchange([found])))


def test_revert_removes_or_restores() -> None:
    """What was created goes; what was changed gets its former settings."""
    exchange = Exchange()
    STEP.revert(session_on(exchange), {}, STEP.expect())
    before = {**STEP.expect(), "SenderIPAddresses": ["203.0.113.99"]}
    STEP.revert(session_on(exchange), before, STEP.expect())
    assert exchange.written == [("SAP relay", {}), ("SAP relay", before)]


TEST = SapTestMessage(
    audience="internal",
    sender="noreply@contoso.com",
    recipient="inbox@contoso.com",
    address=ADDRESS,
)


def row(status: str, address: str = ADDRESS) -> dict[str, object]:
    """Return a row of the message trace."""
    return {"Status": status, "FromIP": address, "SenderAddress": "x@contoso.com"}


@pytest.mark.parametrize(
    ("traces", "good", "awaited"),
    [
        ([], False, True),
        ([row("Pending")], False, True),
        ([row("GettingStatus")], False, True),
        ([row("Delivered")], True, False),
        ([row("Delivered", "203.0.113.11")], False, False),
        ([row("Pending", "203.0.113.11")], False, False),
        ([row("Failed")], False, False),
        ([row("FilteredAsSpam")], False, False),
        ([row("Quarantined")], False, False),
        ([row("Failed"), row("Delivered")], True, False),
        ([row("Delivered", "203.0.113.11"), row("Delivered")], True, False),
    ],
)
def test_trace_of_the_test_mail(
    traces: list[dict[str, object]], good: bool, awaited: bool
) -> None:
    """Delivered from SAP's address, still on its way, or gone wrong."""
    seen = TEST.observe(session_on(Exchange(traces=traces)))
    assert met(TEST.expect(), seen.properties) is good
    assert (seen.awaits is not None) is awaited


@pytest.mark.parametrize("address", ["203.0.113.0/24", ADDRESS])
def test_range_and_address_are_shown_alike(address: str) -> None:
    """Within a range the range is shown, so that the two compare."""
    step = replace(TEST, address=address)
    seen = step.observe(session_on(Exchange(traces=[row("Delivered")])))
    assert met(step.expect(), seen.properties)


def test_mail_carries_the_mark_of_the_run_or_of_the_one_it_follows() -> None:
    """The subject is asked for, within the ten days that the cmdlet takes."""
    exchange = Exchange()
    TEST.observe(session_on(exchange))
    later = replace(TEST, completes="earlier").observe(session_on(exchange))
    asked: list[Any] = exchange.asked
    assert [one["subject"] for one in asked] == ["runbook:example", "runbook:earlier"]
    assert asked[0]["start"] == "2026-11-15T11:00:00Z"
    assert asked[0]["end"] == "2026-11-25T11:00:00Z"
    assert later.awaits is not None
    assert later.awaits.due

"""Rows of communication management."""

import xml.etree.ElementTree as ElementTree

import pytest

from runbook_lib.sandbox.btp_communication_types import SERVICES
from runbook_lib.sandbox.control_operations import OPERATIONS
from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.sap_conditions import CONDITIONS
from runbook_lib.sandbox.seed_sap import ADMINISTRATOR, OTHER_READER
from tests.sandbox.rows import Checks
from tests.sandbox.sap_systems import (
    ARRANGEMENTS,
    BTP,
    SYSTEMS,
    entities,
    odata,
    side_of,
    sign_in,
)
from tests.sandbox.world import World

CHECKS = Checks("communication")
FIRST = "CommunicationArrangements"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@CHECKS.row("communication.sign-in")
def check_sign_in(world: World) -> None:
    """Nobody, a wrong password and a user of another system are the same."""
    for user in (None, ADMINISTRATOR):
        answer = odata(world, FIRST, user)
        assert answer.status_code == 401
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith('Basic realm="SAP NetWeaver Application Server')
        assert answer.headers["Content-Type"].startswith("text/html")


@CHECKS.row("communication.scenario")
def check_scenario(world: World) -> None:
    """The refusal has OData's envelope."""
    answer = odata(world, FIRST, OTHER_READER)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"].startswith("No authorization")


@CHECKS.row("communication.read-only")
def check_read_only(world: World) -> None:
    """Every other method is refused, logged as a write, and has no effect."""
    before = dump(world.sandbox, world.tenant)
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        answer = odata(world, FIRST, method=method)
        assert answer.status_code == 403
        assert answer.headers["X-CSRF-Token"] == "Required"
        assert answer.text == "CSRF token validation failed"
    assert len(world.logged(host=BTP.removeprefix("https://"), write=True)) == 4
    assert dump(world.sandbox, world.tenant) == before


@CHECKS.row("communication.metadata")
def check_metadata(world: World) -> None:
    """What is described is what is shown."""
    for service, sets in SERVICES.items():
        answer = odata(world, "$metadata", service=service)
        assert answer.status_code == 200
        root = ElementTree.fromstring(answer.content)  # noqa: S314 - the sandbox's own
        types = {one.get("Name"): one for one in root.iter(f"{EDM}EntityType")}
        for name in sets:
            described = types[f"{name}Type"].findall(f"{EDM}Property")
            shown = entities(odata(world, name, service=service))[0]
            assert set(shown) == {one.get("Name") for one in described}


@CHECKS.row("communication.unknown-entity")
def check_unknown_entity(world: World) -> None:
    """A key that is there is answered, in either case of letters."""
    (known,) = entities(odata(world, FIRST))
    found = odata(world, f"{FIRST}({known['UUID'].upper()})")
    assert found.json()["Name"] == known["Name"]
    other = "11111111-1111-1111-1111-111111111111"
    assert odata(world, f"{FIRST}({other})").status_code == 404


@CHECKS.row("communication.filter")
def check_filter(world: World) -> None:
    """Text, number and Boolean; a quote is written twice."""
    for text, count in {
        "CommunicationScenarioID eq 'SAP_COM_0548'": 1,
        "CommunicationScenarioID eq 'SAP_COM_0000'": 0,
        "Name ne 'EXO_SMTP'": 0,
        "Name eq 'EXO_SMTP' and CommunicationSystemID eq 'EXO_SMTP'": 1,
        "Name eq 'it''s and'": 0,
    }.items():
        assert len(entities(odata(world, FIRST, filter=text))) == count, text
    typed = "TCPPort eq 587 and IsInboundOnly eq false"
    assert entities(odata(world, "CommunicationSystems", service=SYSTEMS, filter=typed))


@CHECKS.row("communication.select")
def check_select(world: World) -> None:
    """Names and nothing else."""
    (shown,) = entities(odata(world, FIRST, select="Name,CommunicationScenarioID"))
    assert shown == {"Name": "EXO_SMTP", "CommunicationScenarioID": "SAP_COM_0548"}


@CHECKS.row("communication.expand")
def check_expand(world: World) -> None:
    """One inside the other, with options of its own."""
    (plain,) = entities(odata(world, FIRST))
    assert "Properties" not in plain
    wanted = (
        "Properties($expand=PropertyValues($select=Value)),"
        "OutboundUser($expand=OutboundUserAuthScopes)"
    )
    (shown,) = entities(odata(world, FIRST, expand=wanted))
    assert "Properties" in shown
    (value,) = shown["Properties"][0]["PropertyValues"]
    assert value == {"Value": "sap@contoso.com"}
    (scope,) = shown["OutboundUser"]["OutboundUserAuthScopes"]
    assert scope["AuthScope"] == "https://outlook.office365.com/.default"
    path = f"{FIRST}({plain['UUID']})/OutboundUser/OutboundUserAuthScopes"
    assert entities(odata(world, path)) == [scope]


@CHECKS.row("communication.unknown-option")
def check_unknown_option(world: World) -> None:
    """To leave it out would be an answer to another question."""
    for options in ({"orderby": "Name"}, {"apply": "x"}, {"search": "x"}):
        assert odata(world, FIRST, **options).status_code == 400


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "Nothing eq 'x'"},
        {"filter": "contains(Name,'x')"},
        {"filter": "Name eq 'x' or Name eq 'y'"},
        {"filter": "Name eq 'x' and "},
        {"filter": ""},
        {"select": "Nothing"},
        {"expand": "Nothing"},
        {"top": "-1"},
        {"expand": "Properties($orderby=ID)"},
    ],
)
def test_wrong_options_are_refused(options: dict[str, str]) -> None:
    """Each with 400 and a sentence, in OData's envelope."""
    with World() as world:
        answer = odata(world, FIRST, **options)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]


def test_pages_and_counts() -> None:
    """$count counts all, $top and $skip cut."""
    with World() as world:
        table = side_of(world).communication[ARRANGEMENTS][FIRST]
        table.append({**table[0], "UUID": "2" * 8, "Name": "SECOND"})
        answer = odata(world, FIRST, count="true", top="1", skip="1")
        assert answer.json()["@odata.count"] == 2
        assert [one["Name"] for one in entities(answer)] == ["SECOND"]


@pytest.mark.parametrize(
    "path", ["Nothing", f"{FIRST}/OutboundUser", f"{FIRST}(1)/Nothing", "a b", "()"]
)
def test_wrong_paths_are_not_found(path: str) -> None:
    """There is nothing there, and the answer says so."""
    with World() as world:
        assert odata(world, path).status_code == 404


def test_service_document_and_other_services() -> None:
    """A service lists its sets; one that is not played is not there."""
    with World() as world:
        names = [one["name"] for one in entities(odata(world, ""))]
        assert names == list(SERVICES[ARRANGEMENTS])
        assert odata(world, "", service="aps_com_cu_a4c_odata").status_code == 404
        assert odata(world, FIRST, method="HEAD").content == b""


def test_keys_of_several_parts() -> None:
    """Each part by name; a missing one is refused."""
    with World() as world:
        (one,) = entities(odata(world, "Properties"))
        key = f"CommunicationArrangementUUID={one['CommunicationArrangementUUID']}"
        found = odata(world, f"Properties({key},ID='OAUTH_USER')/PropertyValues")
        assert entities(found)[0]["Value"] == "sap@contoso.com"
        assert odata(world, f"Properties({key})").status_code == 400


def seen_of(world: World) -> dict[str, object]:
    """Return what communication management shows of mail, flat."""
    wanted = (
        "OutboundServices,OutboundUser($expand=OutboundUserAuthScopes),"
        "Properties($expand=PropertyValues)"
    )
    systems = odata(
        world, "CommunicationSystems", service=SYSTEMS, expand="OutboundUsers"
    )
    (system,) = entities(systems)
    seen = {**system.pop("OutboundUsers")[0], **system}
    for one in entities(odata(world, FIRST, expand=wanted)):
        user = one["OutboundUser"]
        seen["user"] = user is not None
        scopes = user["OutboundUserAuthScopes"] if user else []
        seen["scopes"] = [scope["AuthScope"] for scope in scopes]
        values = one["Properties"][0]["PropertyValues"]
        seen["values"] = [value["Value"] for value in values]
        seen["status"] = one["OutboundServices"][0]["Status"]
    return seen


@pytest.mark.parametrize(
    ("condition", "name", "value"),
    [
        ("no-arrangement", "scopes", None),
        ("no-additional-scope", "scopes", []),
        ("other-scope", "scopes", ["https://graph.microsoft.com/.default"]),
        ("no-oauth-user", "values", []),
        ("other-oauth-user", "values", ["SAPMAIL"]),
        ("no-outbound-user", "user", False),
        ("inactive-service", "status", "inactive"),
        ("other-host", "HostName", "52.97.133.2"),
        ("other-port", "TCPPort", 25),
        ("cloud-connector", "IsSAPCloudConnectorActive", True),
        (
            "common-token-endpoint",
            "OAuth2TokenEndpoint",
            "login.microsoftonline.com/common/oauth2/v2.0/token",
        ),
        ("client-secret", "OAuth2ClientAuthenticationMethod", "basic"),
        ("user-and-password", "AuthenticationMethod", "basic"),
    ],
)
def test_condition_of_communication(condition: str, name: str, value: object) -> None:
    """It shows as the mistake would, and nothing else changes."""
    with World() as world:
        before = seen_of(world)
        CONDITIONS[condition](side_of(world))
        after = seen_of(world)
        assert after.get(name) == value
        assert before[name] != value
        OPERATIONS["set_sap_condition"](world.sandbox, world.tenant, condition="right")
        assert seen_of(world) == before


def test_scheme_before_the_token_endpoint() -> None:
    """As a person who copies the address from Entra ID leaves it."""
    with World() as world:
        before = str(seen_of(world)["OAuth2TokenEndpoint"])
        CONDITIONS["token-endpoint-with-scheme"](side_of(world))
        assert seen_of(world)["OAuth2TokenEndpoint"] == f"https://{before}"


def test_operation_puts_in_a_client_id() -> None:
    """As a person does who sets the system up; an unknown property is refused."""
    with World() as world:
        change = OPERATIONS["set_communication"]
        where = {"service": SYSTEMS, "entity_set": "OutboundUsers"}
        properties = {"OAuth2ClientID": "an-id"}
        change(world.sandbox, world.tenant, **where, properties=properties)
        assert seen_of(world)["OAuth2ClientID"] == "an-id"
        with pytest.raises(KeyError):
            change(world.sandbox, world.tenant, **where, properties={"x": 1})


def test_dump_holds_what_a_person_configures() -> None:
    """Parameter and arrangement are in it, the trace and passwords are not."""
    with World() as world:
        before = dump(world.sandbox, world.tenant)
        CONDITIONS["untrusted-peer"](side_of(world))
        CONDITIONS["stopped"](side_of(world))
        assert dump(world.sandbox, world.tenant) == before
        assert sign_in(world, ADMINISTRATOR)[1].encode() not in before
        CONDITIONS["other-host"](side_of(world))
        changed = dump(world.sandbox, world.tenant)
        assert changed != before
        CONDITIONS["smtp-parameter-missing"](side_of(world))
        assert dump(world.sandbox, world.tenant) != changed

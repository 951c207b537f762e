"""The control endpoint: what a test can break, and what a dump shows of it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbook_lib.sandbox.control_operations import OPERATIONS
from runbook_lib.sandbox.dump import LEFT_OUT, dump
from tests.sandbox.directory import Directory, claims_of, problem_of
from tests.sandbox.world import MAILBOX, World

CONTROL = {"Authorization": "Bearer control-token"}
STATE = "https://localhost/_sandbox/state"
DUMP = "https://localhost/_sandbox/dump?tenant=contoso.com"


def control(world: World, operation: str, **arguments: Any) -> httpx.Response:
    """Run one operation on the first tenant."""
    body = {"tenant": "contoso.com", "operation": operation, **arguments}
    return world.request("POST", STATE, headers=CONTROL, json=body)


def changed(world: World, operation: str, **arguments: Any) -> Any:
    """Run one operation that has to succeed; return its result."""
    answer = control(world, operation, **arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_control_needs_its_token_and_localhost() -> None:
    """No token, a wrong one, a tenant's token, another host: all refused."""
    with World() as world:
        tokens = ["", "Bearer wrong", f"Bearer {world.token()}"]
        statuses = [
            world.request("GET", DUMP, headers={"Authorization": t}).status_code
            for t in tokens
        ]
        elsewhere = DUMP.replace("localhost", "graph.microsoft.com")
        answer = world.request("GET", elsewhere, headers=CONTROL)
    assert statuses == [401, 401, 401]
    assert answer.status_code == 401


def test_control_is_logged_and_never_a_write() -> None:
    """The line is marked by its path; the token is not in it."""
    with World() as world:
        changed(world, "set_security_defaults", enabled=True)
        (line,) = world.logged(path="/_sandbox/state")
    assert line["host"] == "localhost"
    assert line["write"] is False
    assert line["tenant"] == world.tenant.tenant_id
    assert "control-token" not in json.dumps(line)


@pytest.mark.parametrize(
    ("operation", "arguments", "status"),
    [
        ("no_such_operation", {}, 404),
        ("delete_application", {"app_id": "nobody"}, 404),
        ("delete_mailbox", {"mailbox": "nobody@contoso.com"}, 404),
        ("delete_application", {}, 400),
        ("delete_application", {"app_id": "x", "more": 1}, 400),
        ("set_transport_config", {"name": "Nothing", "value": 1}, 404),
        ("add_fault", {"fault": "flood"}, 400),
    ],
)
def test_wrong_operations_are_refused(
    operation: str, arguments: dict[str, Any], status: int
) -> None:
    """A test that misspells something is told so."""
    with World() as world:
        assert control(world, operation, **arguments).status_code == status


def test_unknown_tenant_and_path() -> None:
    """An unknown tenant is 404, and so is any other path."""
    with World() as world:
        body = {"tenant": "northwind.example", "operation": "add_fault"}
        answers = [
            world.request("POST", STATE, headers=CONTROL, json=body),
            world.request("GET", STATE, headers=CONTROL),
            world.request("POST", STATE, headers=CONTROL, content=b"[]"),
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 400]


def test_applications_can_be_broken() -> None:
    """Expire, disable, revoke, delete: a sign-in notices each."""
    with World() as world:
        directory = Directory(world)

        def sign_in(of: Any) -> httpx.Response:
            return directory.sign_in(client_id=of.app_id, client_secret=of.secret)

        expired, disabled, bare, orphan, gone = (
            world.application("SMTP.SendAsApp") for _ in range(5)
        )
        changed(world, "expire_secret", app_id=expired.app_id)
        changed(world, "disable_application", app_id=disabled.app_id)
        changed(
            world,
            "remove_app_role_assignment",
            app_id=bare.app_id,
            value="SMTP.SendAsApp",
        )
        changed(world, "delete_service_principal", app_id=orphan.app_id)
        changed(world, "delete_application", app_id=gone.app_id)
        assert problem_of(sign_in(expired)) == (401, 7000222)
        assert problem_of(sign_in(disabled)) == (400, 7000112)
        assert "roles" not in claims_of(sign_in(bare).json()["access_token"])
        assert problem_of(sign_in(orphan)) == (401, 7000229)
        assert problem_of(sign_in(gone)) == (400, 700016)
        changed(world, "disable_application", app_id=disabled.app_id, disabled=False)
        assert sign_in(disabled).status_code == 200


def test_somebody_elses_application_can_be_added() -> None:
    """With a permission, a credential and any property that Graph shows."""
    with World() as world:
        directory = Directory(world)
        ids = changed(
            world,
            "add_application",
            display_name="SAP SMTP OAuth",
            permissions=["Mail.Send"],
            secret=True,
            properties={"notes": "made by hand"},
        )
        read = directory.read(f"applications/{ids['id']}")
        answer = directory.sign_in(
            client_id=ids["appId"], client_secret=ids["secretText"]
        )
    assert (read["displayName"], read["notes"]) == ("SAP SMTP OAuth", "made by hand")
    assert claims_of(answer.json()["access_token"])["roles"] == ["Mail.Send"]


def test_exchange_can_be_broken() -> None:
    """Mailbox, permission, principal and settings: cmdlets notice each."""
    with World() as world:
        sender = world.sender()
        changed(
            world,
            "remove_mailbox_permission",
            mailbox=MAILBOX,
            user=sender.principal_id,
        )
        changed(world, "set_cas", mailbox=MAILBOX, value=None)
        changed(world, "set_transport_config", value=False)
        changed(world, "set_organization_config", name="RejectDirectSend", value=True)
        changed(world, "remove_exchange_service_principal", app_id=sender.app_id)
        changed(world, "delete_mailbox", mailbox="basis@contoso.com")
        rows = world.run("Get-MailboxPermission", Identity=MAILBOX)
        (cas,) = world.run("Get-CASMailbox", Identity=MAILBOX)
        (transport,) = world.run("Get-TransportConfig")
        (organization,) = world.run("Get-OrganizationConfig")
        principals = world.run("Get-ServicePrincipal")
        mailboxes = world.run("Get-Mailbox")
    assert [row["User"] for row in rows] == ["NT AUTHORITY\\SELF"]
    assert cas["SmtpClientAuthenticationDisabled"] is None
    assert transport["SmtpClientAuthenticationDisabled"] is False
    assert organization["RejectDirectSend"] is True
    assert principals == []
    assert "basis@contoso.com" not in [m["PrimarySmtpAddress"] for m in mailboxes]


def test_policies_dns_and_faults_can_be_set() -> None:
    """The rest of what a test may need."""
    with World() as world:
        directory = Directory(world)
        changed(
            world,
            "set_app_management_policy",
            password_credentials=[{"restrictionType": "passwordAddition"}],
        )
        changed(world, "set_security_defaults", enabled=True)
        changed(
            world, "set_dns", name="contoso.com", records={"TXT": ['"v=spf1 -all"']}
        )
        changed(world, "set_dns", name="smtp.office365.com", records={})
        changed(world, "add_fault", fault="503@graph=1")
        assert directory.send("GET", "organization").status_code == 503
        path = f"applications/{directory.new_application()['id']}/addPassword"
        assert directory.send("POST", path, {}).status_code == 400
        changed(world, "add_fault", fault="503@graph=9")
        changed(world, "clear_faults")
        assert directory.send("GET", "organization").status_code == 200
        assert world.tenant.security_defaults_enabled is True
        assert world.sandbox.dns["contoso.com"] == {"TXT": ['"v=spf1 -all"']}
        assert "smtp.office365.com" not in world.sandbox.dns


def test_every_operation_is_tested() -> None:
    """No operation is without a test, here or in a file of its area."""
    others = ("control_mail", "sapcontrol_rows", "communication_rows", "smtp_limits")
    files = (Path(__file__).with_name(f"test_{name}.py") for name in others)
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    text += Path(__file__).read_text(encoding="utf-8")
    assert [name for name in OPERATIONS if f'"{name}"' not in text] == []


def test_dump_is_the_same_until_something_is_configured() -> None:
    """Reading changes nothing; undoing a change gives the same bytes again."""
    with World() as world:
        directory = Directory(world)
        before = world.request("GET", DUMP, headers=CONTROL).content
        directory.read("applications")
        world.run("Get-Mailbox")
        assert dump(world.sandbox, world.tenant) == before
        changed(world, "set_security_defaults", enabled=True)
        assert dump(world.sandbox, world.tenant) != before
        changed(world, "set_security_defaults", enabled=False)
        assert dump(world.sandbox, world.tenant) == before
        made = directory.new_application()
        directory.send("POST", f"applications/{made['id']}/addPassword", {})
        assert dump(world.sandbox, world.tenant) != before
        directory.send("DELETE", f"applications/{made['id']}")
        assert dump(world.sandbox, world.tenant) == before


def test_dump_sees_exchange() -> None:
    """A mailbox setting is configuration; its date of change is not."""
    with World() as world:
        before = dump(world.sandbox, world.tenant)
        world.set_smtp_disabled(False)
        assert dump(world.sandbox, world.tenant) != before
        world.set_smtp_disabled(None)
        assert dump(world.sandbox, world.tenant) == before


def _sign_in_and_read(world: World) -> None:
    """Do what a real tenant would write into its logs."""
    Directory(world).read("applications")


def _delete_something(world: World) -> None:
    """Leave a deleted item."""
    directory = Directory(world)
    made = directory.new_application()
    directory.send("DELETE", f"applications/{made['id']}")
    assert world.tenant.deleted_items


def _receive_a_message(world: World) -> None:
    """Leave a message in two mailboxes."""
    world.mailbox().sent.append({"Subject": "x"})
    world.mailbox().inbox.append({"Subject": "x"})


def _touch_a_mailbox(world: World) -> None:
    """Change a date of change."""
    entry = world.mailbox().mailbox
    entry["WhenChanged"] = entry["WhenChangedUTC"] = "2030-01-01T00:00:00Z"


def _replace_a_secret(world: World) -> None:
    """Change the text behind a credential."""
    key_id = next(iter(world.tenant.secret_hashes))
    world.tenant.secret_hashes[key_id] = "0" * 64


def _disturb_sap(world: World) -> None:
    """Let a trace grow, and stop the ABAP stack."""
    for condition in ("untrusted-peer", "stopped"):
        changed(world, "set_sap_condition", condition=condition)


LEAVE_NO_TRACE = {
    "developer traces of SAP": _disturb_sap,
    "audit logs": _sign_in_and_read,
    "deleted items": _delete_something,
    "messages": _receive_a_message,
    "WhenChanged": _touch_a_mailbox,
    "texts and hashes of secrets": _replace_a_secret,
}


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_dump_leaves_out_what_it_says(left_out: str) -> None:
    """Whatever happens to what is left out, the dump stays the same."""
    (happen,) = (
        function
        for name, function in LEAVE_NO_TRACE.items()
        if left_out.startswith(name)
    )
    with World() as world:
        before = dump(world.sandbox, world.tenant)
        happen(world)
        assert dump(world.sandbox, world.tenant) == before


def test_dump_is_canonical() -> None:
    """Keys are sorted, so that equal configurations are equal bytes."""
    with World() as world:
        data = dump(world.sandbox, world.tenant)
    text = json.dumps(json.loads(data), sort_keys=True, indent=1, ensure_ascii=False)
    assert data == text.encode() + b"\n"

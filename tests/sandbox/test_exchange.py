"""InvokeCommand: tokens, envelope, paging, log and faults."""

import base64
import json

import pytest

from tests.sandbox.mail import MAILBOX
from tests.sandbox.world import World, error_of

NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"


@pytest.mark.parametrize("token", ["nonsense", "eyJhbGciOiJub25lIn0.e30."])
def test_bad_token_gets_a_challenge(token: str) -> None:
    """What is no token of this cloud gets 401 and no body."""
    with World() as world:
        answer = world.invoke("Get-Mailbox", token=token)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert answer.content == b""


def test_refused_cmdlet_has_a_body_that_is_no_gzip() -> None:
    """The 403 carries a NUL byte and calls it gzip, as was measured."""
    with World() as world:
        request = world.invocation("Get-Nonsense", {}, {})
        status, headers, body = world.raw_answer(request)
        assert (status, body) == (403, b"\x00")
        assert headers["content-encoding"] == "gzip"


def test_error_envelope() -> None:
    """An object that is not there gets 404 and the whole envelope."""
    with World() as world:
        answer = world.invoke("Get-Mailbox", {"Identity": "nobody@contoso.com"})
        assert answer.status_code == 404
        kind, text = error_of(answer)
        assert kind == NOT_FOUND
        assert "object 'nobody@contoso.com' couldn't be found on '" in text
        error = answer.json()["error"]
        assert (error["code"], error["message"]) == (
            "NotFound",
            "Error executing cmdlet",
        )
        assert error["details"][0]["code"] == "Context"
        assert error["innererror"]["internalexception"]["type"] == NOT_FOUND


def test_success_envelope_and_common_tail() -> None:
    """An answer names its context, its warnings and whole objects."""
    with World() as world:
        body = world.invoke("get-mailbox", {"identity": "SAP"}).json()
        assert body["@odata.context"].endswith(
            "$metadata#Collection(Exchange.GenericHashTable)"
        )
        assert body["@adminapi.warnings"] == []
        entry = body["value"][0]
        assert entry["PrimarySmtpAddress"] == MAILBOX
        tail = {"Guid", "WhenCreatedUTC", "OrganizationId", "IsValid", "ObjectState"}
        assert tail <= set(entry)


def test_cmdlet_without_output_returns_an_empty_value() -> None:
    """A Set- cmdlet answers 200 with no object."""
    with World() as world:
        change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": False}
        answer = world.invoke("Set-CASMailbox", change)
        assert (answer.status_code, answer.json()["value"]) == (200, [])


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b'{"CmdletInput": {}}'])
def test_body_without_cmdlet_is_a_bad_request(body: bytes) -> None:
    """What names no cmdlet is refused and is no write."""
    with World() as world:
        url = (
            f"https://outlook.office365.com/adminapi/beta/{world.tenant.tenant_id}"
            "/InvokeCommand"
        )
        headers = {"Authorization": f"Bearer {world.token()}"}
        answer = world.request("POST", url, headers=headers, content=body)
        assert answer.status_code == 400
        assert world.logged(status=400, write=False)


def test_select_narrows_the_properties() -> None:
    """$select returns what it names."""
    with World() as world:
        answer = world.invoke("Get-Mailbox", query="?$select=Alias,Guid")
        assert set(answer.json()["value"][0]) == {"Alias", "Guid"}


def test_next_link_is_read_by_get_too() -> None:
    """A page can be fetched without a body."""
    with World() as world:
        first = world.invoke(
            "Get-Mailbox", headers={"Prefer": "odata.maxpagesize=1"}
        ).json()
        headers = {"Authorization": f"Bearer {world.token()}"}
        second = world.request("GET", first["@odata.nextLink"], headers=headers).json()
        assert len(second["value"]) == 1
        assert second["value"] != first["value"]


def test_next_link_never_writes() -> None:
    """A link that somebody made up to name a Set- cmdlet runs nothing."""
    with World() as world:
        change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": False}
        whole = [{"CmdletName": "Set-CASMailbox", "Parameters": change}, 0, 10]
        mark = base64.urlsafe_b64encode(json.dumps(whole).encode()).decode()
        url = (
            f"https://outlook.office365.com/adminapi/beta/{world.tenant.tenant_id}"
            f"/InvokeCommand?$skiptoken={mark}"
        )
        headers = {"Authorization": f"Bearer {world.token()}"}
        assert world.request("GET", url, headers=headers).status_code == 400
        assert world.mailbox().cas["SmtpClientAuthenticationDisabled"] is None


def test_log_shows_cmdlet_input_and_judges_writes() -> None:
    """Get- and Test- are reads, everything else is a write, refused or not."""
    with World() as world:
        world.run("Get-CASMailbox", Identity=MAILBOX)
        world.invoke("Test-ServicePrincipalAuthorization", {"Identity": "x"})
        world.invoke("Remove-ServicePrincipal", {"Identity": "x"})
        logged = world.logged(host="outlook.office365.com", protocol="https")
        assert [(e["body"]["CmdletName"], e["write"]) for e in logged] == [
            ("Get-CASMailbox", False),
            ("Test-ServicePrincipalAuthorization", False),
            ("Remove-ServicePrincipal", True),
        ]
        assert logged[0]["body"]["Parameters"] == {"Identity": MAILBOX}
        assert {entry["tenant"] for entry in logged} == {world.tenant.tenant_id}


def test_fault_200_with_an_error_has_no_effect() -> None:
    """The status lies once; nothing was done."""
    with World(faults="exchange-200-error=1") as world:
        change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": False}
        answer = world.invoke("Set-CASMailbox", change)
        assert answer.status_code == 200
        assert "error" in answer.json()
        assert world.mailbox().cas["SmtpClientAuthenticationDisabled"] is None
        assert world.invoke("Set-CASMailbox", change).json()["value"] == []


@pytest.mark.parametrize("status", [429, 503])
def test_throttled_api_says_when_to_come_back(status: int) -> None:
    """The transport faults reach this service too."""
    with World(faults=f"{status}@exchange=1") as world:
        answer = world.invoke("Get-Mailbox")
        assert answer.status_code == status
        assert answer.headers["Retry-After"] == "1"
        assert world.invoke("Get-Mailbox").status_code == 200


def test_new_principal_waits_for_replication() -> None:
    """A service principal that Entra has just made is not known here at once."""
    with World(faults="lag@exchange-principal=1") as world:
        application = world.application()
        wanted = {"AppId": application.app_id, "ObjectId": application.principal_id}
        answer = world.invoke("New-ServicePrincipal", wanted)
        assert answer.status_code == 404
        assert error_of(answer)[0] == NOT_FOUND
        assert world.invoke("New-ServicePrincipal", wanted).status_code == 200


def test_hash_table_is_no_filter() -> None:
    """A hash table that selects is refused instead of finding nothing."""
    with World() as world:
        table = {"@odata.type": "#Exchange.GenericHashTable", "add": MAILBOX}
        answer = world.invoke("Get-MessageTraceV2", {"SenderAddress": table})
        assert answer.status_code == 400

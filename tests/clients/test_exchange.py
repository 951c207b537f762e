"""Cmdlets over HTTP and what their answers become."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbook_lib.clients.exchange import ExchangeClient
from runbook_lib.errors import (
    CannotLook,
    NotPermitted,
    OutcomeUnknown,
    ServiceRefused,
    UnknownReply,
)
from runbook_lib.secret import Secret
from tests.clients.conftest import Opened

BASE = "https://outlook.office365.com"
TENANT = "11111111-2222-3333-4444-555555555555"
PATH = f"/adminapi/beta/{TENANT}/InvokeCommand"
MAILBOX = "sap@contoso.com"
# Cmdlet -> parameter -> [type, required, parameter sets], as Microsoft documents.
CMDLETS: dict[str, dict[str, list[Any]]] = json.loads(
    (Path(__file__).parent / "data" / "exchange_cmdlets.json").read_text()
)
NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"


class Exchange:
    """Answers with prepared replies and keeps what was asked."""

    def __init__(self, *replies: httpx.Response) -> None:
        """Give the replies one after the other."""
        self._replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        return self._replies.pop(0)

    def parameters(self) -> dict[str, object]:
        """Return the parameters of the last cmdlet."""
        body = json.loads(self.requests[-1].content)
        parameters: dict[str, object] = body["CmdletInput"]["Parameters"]
        return parameters


def client_of(open_client: Opened, exchange: Exchange) -> ExchangeClient:
    """Return a client with a fixed token."""
    token = Secret("token-0123456789")
    return ExchangeClient(
        open_client(exchange),
        base=BASE,
        tenant_id=TENANT,
        anchor="UPN:admin@contoso.com",
        token=lambda: token,
    )


def rows(*values: object, **more: object) -> httpx.Response:
    """Return the answer of a cmdlet that wrote these objects."""
    body = {"@adminapi.warnings": [], "value": list(values), **more}
    return httpx.Response(200, json=body)


def error(
    status: int, kind: str, text: str, *, member: str = "error"
) -> httpx.Response:
    """Return the answer of a cmdlet that failed."""
    detail = {"code": "Context", "target": "", "message": f"Ex6F9304|{kind}|{text}"}
    body = {
        "code": "NotFound" if status == 404 else "BadRequest",
        "message": "Error executing cmdlet",
        "details": [detail],
        "innererror": {"message": "Error executing cmdlet", "type": "x"},
    }
    return httpx.Response(status, json={member: body})


def moved(location: str, status: int = 302) -> httpx.Response:
    """Return a redirect."""
    return httpx.Response(status, headers={"Location": location})


def test_a_cmdlet_is_one_post(open_client: Opened) -> None:
    """Path, headers and body are those of the module's endpoint."""
    exchange = Exchange(rows({"Name": "sap"}))
    assert client_of(open_client, exchange).mailbox(MAILBOX) == {"Name": "sap"}
    request = exchange.requests[0]
    assert (request.method, str(request.url)) == ("POST", BASE + PATH)
    assert json.loads(request.content) == {
        "CmdletInput": {
            "CmdletName": "Get-Mailbox",
            "Parameters": {"Identity": MAILBOX},
        }
    }
    assert request.headers["authorization"] == "Bearer token-0123456789"
    assert request.headers["x-anchormailbox"] == "UPN:admin@contoso.com"
    assert request.headers["x-cmdletname"] == "Get-Mailbox"
    assert request.headers["x-responseformat"] == "json"
    assert request.headers["content-type"] == "application/json"
    assert len(request.headers["client-request-id"]) == 36


Call = Callable[[ExchangeClient], object]
CALLS: dict[str, tuple[Call, dict[str, object]]] = {
    "Get-Mailbox": (lambda x: x.mailbox(MAILBOX), {"Identity": MAILBOX}),
    "Get-CASMailbox": (lambda x: x.cas_mailbox(MAILBOX), {"Identity": MAILBOX}),
    "Set-CASMailbox": (
        lambda x: x.set_cas_mailbox(MAILBOX, SmtpClientAuthenticationDisabled=None),
        {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": None},
    ),
    "Get-TransportConfig": (lambda x: x.transport_config(), {}),
    "Get-OrganizationConfig": (lambda x: x.organization_config(), {}),
    "Get-AcceptedDomain": (lambda x: x.accepted_domains(), {}),
    "Get-ServicePrincipal": (lambda x: x.service_principal("o-1"), {"Identity": "o-1"}),
    "New-ServicePrincipal": (
        lambda x: x.new_service_principal(
            app_id="a-1", object_id="o-1", display_name="SAP"
        ),
        {"AppId": "a-1", "ObjectId": "o-1", "DisplayName": "SAP"},
    ),
    "Remove-ServicePrincipal": (
        lambda x: x.remove_service_principal("o-1"),
        {"Identity": "o-1", "Confirm": False},
    ),
    "Get-MailboxPermission": (
        lambda x: x.mailbox_permissions(MAILBOX),
        {"Identity": MAILBOX},
    ),
    "Add-MailboxPermission": (
        lambda x: x.add_mailbox_permission(
            MAILBOX, user="o-1", rights=("FullAccess",), auto_mapping=False
        ),
        {
            "Identity": MAILBOX,
            "User": "o-1",
            "AccessRights": ["FullAccess"],
            "InheritanceType": "All",
            "AutoMapping": False,
            "Confirm": False,
        },
    ),
    "Remove-MailboxPermission": (
        lambda x: x.remove_mailbox_permission(
            MAILBOX, user="o-1", rights=("FullAccess",)
        ),
        {
            "Identity": MAILBOX,
            "User": "o-1",
            "AccessRights": ["FullAccess"],
            "Confirm": False,
        },
    ),
    "Get-MessageTraceV2": (
        lambda x: x.message_trace(
            message_id="<1@contoso.com>", start="2026-01-01T00:00:00Z", end="z"
        ),
        {
            "MessageId": "<1@contoso.com>",
            "StartDate": "2026-01-01T00:00:00Z",
            "EndDate": "z",
        },
    ),
    "Get-MessageTraceDetailV2": (
        lambda x: x.message_trace_detail(trace_id="t-1", recipient=MAILBOX),
        {"MessageTraceId": "t-1", "RecipientAddress": MAILBOX},
    ),
}


@pytest.mark.parametrize("cmdlet", CALLS)
def test_each_method_sends_its_cmdlet(
    open_client: Opened, traffic: list[Any], cmdlet: str
) -> None:
    """The parameters are exactly these; only Get-* is no write."""
    call, parameters = CALLS[cmdlet]
    exchange = Exchange(rows({"Name": "x"}))
    call(client_of(open_client, exchange))
    assert exchange.requests[0].headers["x-cmdletname"] == cmdlet
    assert exchange.parameters() == parameters
    assert traffic[0]["write"] is not cmdlet.startswith("Get-")


@pytest.mark.parametrize("cmdlet", CALLS)
def test_each_method_keeps_to_the_documented_parameters(cmdlet: str) -> None:
    """Names and types exist, and what a set requires is sent."""
    _, sent = CALLS[cmdlet]
    documented = CMDLETS[cmdlet]
    assert sent.keys() <= documented.keys()
    required = {
        name
        for name, (_, needed, sets) in documented.items()
        if needed and sets == "(All)"
    } - {"ServiceId"}  # deprecated twin of ObjectId
    assert required <= sent.keys()
    for name, value in sent.items():
        kind = documented[name][0]
        assert isinstance(value, list) == kind.endswith("[]")
        if kind == "SwitchParameter":
            assert isinstance(value, bool)


def test_null_is_sent_as_null(open_client: Opened) -> None:
    """None restores an inherited value, so it must not be left out."""
    exchange = Exchange(rows())
    client_of(open_client, exchange).set_cas_mailbox(
        MAILBOX, SmtpClientAuthenticationDisabled=None
    )
    assert b'"SmtpClientAuthenticationDisabled":null' in exchange.requests[0].content


LOOKUPS: list[Call] = [
    lambda x: x.mailbox(MAILBOX),
    lambda x: x.cas_mailbox(MAILBOX),
    lambda x: x.service_principal("o-1"),
]


@pytest.mark.parametrize("look", LOOKUPS)
def test_a_lookup_returns_none_for_a_missing_object(
    open_client: Opened, look: Call
) -> None:
    """The .NET type tells it; any other refusal is raised."""
    other = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException"
    exchange = Exchange(
        error(404, NOT_FOUND, "couldn't be found"),
        error(400, other, "matches several"),
    )
    client = client_of(open_client, exchange)
    assert look(client) is None
    with pytest.raises(ServiceRefused) as caught:
        look(client)
    assert caught.value.code == other


@pytest.mark.parametrize("found", [[], [{"Name": "1"}, {"Name": "2"}]])
def test_a_lookup_expects_one_object(
    open_client: Opened, found: list[dict[str, str]]
) -> None:
    """Neither nothing nor several are taken for the object."""
    with pytest.raises(UnknownReply, match=f"{len(found)} objects"):
        client_of(open_client, Exchange(rows(*found))).mailbox(MAILBOX)


def test_a_missing_mailbox_has_no_permissions_to_list(open_client: Opened) -> None:
    """A list of a missing object is refused, not empty."""
    exchange = Exchange(error(404, NOT_FOUND, "object 'x' couldn't be found"))
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, exchange).mailbox_permissions(MAILBOX)
    assert caught.value.code == NOT_FOUND
    assert caught.value.message.endswith("object 'x' couldn't be found")
    assert caught.value.facts["cmdlet"] == "Get-MailboxPermission"
    assert caught.value.facts["status"] == 404


@pytest.mark.parametrize("member", ["error", "@odata.error"])
def test_an_error_under_200_is_an_error(open_client: Opened, member: str) -> None:
    """The body is read even when the status says success."""
    kind = "System.Management.Automation.ParameterBindingException"
    exchange = Exchange(error(200, kind, "A parameter cannot be found", member=member))
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, exchange).set_cas_mailbox(MAILBOX, Wrong=1)
    assert caught.value.code == kind


def test_an_error_without_a_type_has_its_own_code(open_client: Opened) -> None:
    """Without details the service's code stands in."""
    body = {"error": {"code": "BadRequest", "message": "Invalid tenant."}}
    with pytest.raises(ServiceRefused) as caught:
        client_of(
            open_client, Exchange(httpx.Response(400, json=body))
        ).accepted_domains()
    assert caught.value.code == "BadRequest"
    assert "Invalid tenant." in caught.value.message


def test_warnings_are_those_of_the_last_call(open_client: Opened) -> None:
    """They are kept beside the result and forgotten with the next call."""
    said = {"@adminapi.warnings": ["The entry is already present."]}
    client = client_of(open_client, Exchange(rows(**said), rows()))
    client.add_mailbox_permission(
        MAILBOX, user="o-1", rights=["FullAccess"], auto_mapping=False
    )
    assert client.warnings == ["The entry is already present."]
    client.set_cas_mailbox(MAILBOX, SmtpClientAuthenticationDisabled=False)
    assert client.warnings == []


def test_pages_repeat_the_cmdlet(open_client: Opened) -> None:
    """The next page is asked by the same body at the link's address."""
    link = f"{BASE}{PATH}?$skiptoken=2"
    exchange = Exchange(
        rows({"Name": "1"}, **{"@odata.nextLink": link}), rows({"Name": "2"})
    )
    found = client_of(open_client, exchange).accepted_domains()
    assert [row["Name"] for row in found] == ["1", "2"]
    first, second = exchange.requests
    assert second.method == "POST"
    assert str(second.url) == link
    assert second.content == first.content


@pytest.mark.parametrize("again", [False, True])
def test_pages_elsewhere_or_in_a_circle_end(open_client: Opened, again: bool) -> None:
    """The token stays on this host, and a page is asked once."""
    link = f"{BASE}{PATH}?$skiptoken=2" if again else f"https://fabrikam.com{PATH}"
    paged = {"@odata.nextLink": link}
    exchange = Exchange(rows(**paged), rows(**paged))
    with pytest.raises(UnknownReply):
        client_of(open_client, exchange).accepted_domains()
    assert len(exchange.requests) == 1 + again


def test_a_write_is_never_paged(open_client: Opened) -> None:
    """Asking for a second page would run the cmdlet again."""
    link = f"{BASE}{PATH}?$skiptoken=2"
    exchange = Exchange(rows(**{"@odata.nextLink": link}))
    client_of(open_client, exchange).remove_service_principal("o-1")
    assert len(exchange.requests) == 1


@pytest.mark.parametrize("status", [302, 307])
def test_a_regional_redirect_keeps_body_and_token(
    open_client: Opened, status: int
) -> None:
    """The API stands on 443 whatever the redirect says, and later calls go there."""
    region = "eur01.outlook.office365.com"
    exchange = Exchange(moved(f"https://{region}:446{PATH}", status), rows(), rows())
    client = client_of(open_client, exchange)
    client.accepted_domains()
    client.accepted_domains()
    first, second, third = exchange.requests
    assert str(second.url) == str(third.url) == f"https://{region}{PATH}"
    assert second.content == first.content
    assert second.headers["authorization"] == "Bearer token-0123456789"


@pytest.mark.parametrize(
    "location",
    [
        "https://fabrikam.com" + PATH,
        "https://office365.com.fabrikam.com" + PATH,
        "https://notoffice365.com" + PATH,
        "http://eur01.outlook.office365.com" + PATH,
    ],
)
def test_a_redirect_elsewhere_is_not_followed(
    open_client: Opened, location: str
) -> None:
    """The token is not carried out of the service's domain or off TLS."""
    exchange = Exchange(moved(location))
    with pytest.raises(UnknownReply):
        client_of(open_client, exchange).accepted_domains()
    assert len(exchange.requests) == 1


def test_redirects_in_a_circle_end(open_client: Opened) -> None:
    """After three the answer is unknown."""
    exchange = Exchange(*[moved(PATH)] * 4)
    with pytest.raises(UnknownReply):
        client_of(open_client, exchange).accepted_domains()
    assert len(exchange.requests) == 3


def test_a_forbidden_cmdlet_is_named_despite_its_body(open_client: Opened) -> None:
    """The body is said to be gzip and is not; the refusal is told all the same."""
    reply = httpx.Response(
        403,
        headers={"Content-Encoding": "gzip"},
        stream=httpx.ByteStream(b"\x00\x00\x00\x00"),
    )
    with pytest.raises(NotPermitted, match="New-ServicePrincipal") as caught:
        client_of(open_client, Exchange(reply)).new_service_principal(
            app_id="a", object_id="o", display_name="d"
        )
    assert "Exchange Administrator" in str(caught.value.remedy)
    assert caught.value.facts["cmdlet"] == "New-ServicePrincipal"


def test_a_bad_token_asks_for_a_new_sign_in(open_client: Opened) -> None:
    """401 comes with a header and an empty body."""
    reply = httpx.Response(401, headers={"WWW-Authenticate": "Bearer"})
    with pytest.raises(NotPermitted) as caught:
        client_of(open_client, Exchange(reply)).transport_config()
    assert "Sign in again" in str(caught.value.remedy)


@pytest.mark.parametrize("said", [True, False])
def test_a_write_that_ends_in_a_server_fault_is_unknown(
    open_client: Opened, waits: list[float], said: bool
) -> None:
    """Even with an error text: what ran before it is not known."""
    kind = "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException"
    reply = error(500, kind, "already exists") if said else httpx.Response(503)
    with pytest.raises(OutcomeUnknown) as caught:
        client_of(open_client, Exchange(reply)).new_service_principal(
            app_id="a", object_id="o", display_name="d"
        )
    assert caught.value.facts["cmdlet"] == "New-ServicePrincipal"
    assert caught.value.facts["code"] == (kind if said else "")
    assert waits == []


def test_a_broken_connection_names_the_cmdlet(open_client: Opened) -> None:
    """All cmdlets share one path, so the path alone would tell nothing."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    client = ExchangeClient(
        open_client(broken),
        base=BASE,
        tenant_id=TENANT,
        anchor="UPN:admin@contoso.com",
        token=lambda: Secret("token-0123456789"),
    )
    with pytest.raises(OutcomeUnknown, match=r"\(Remove-ServicePrincipal\)") as caught:
        client.remove_service_principal("o-1")
    assert len(str(caught.value.facts["client-request-id"])) == 36


def test_a_read_that_ends_in_a_server_fault(
    open_client: Opened, waits: list[float]
) -> None:
    """A cmdlet's own error is told; without one the step could not look."""
    kind = "Microsoft.Exchange.Data.Directory.ADTransientException"
    exchange = Exchange(
        *[error(500, kind, "try later")] * 4, *[httpx.Response(503)] * 4
    )
    client = client_of(open_client, exchange)
    with pytest.raises(ServiceRefused, match="try later"):
        client.transport_config()
    with pytest.raises(CannotLook, match="503") as caught:
        client.transport_config()
    assert not isinstance(caught.value, OutcomeUnknown)
    assert waits == [2.0, 4.0, 8.0] * 2


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, html="<html>proxy</html>"),
        httpx.Response(200, json={"value": {"Name": "no list"}}),
        httpx.Response(200, json={"error": "only text"}),
        httpx.Response(404, html="<html>no such tenant</html>"),
        httpx.Response(405),
    ],
    ids=["page", "object", "text", "missing", "method"],
)
def test_an_odd_answer_is_unknown(open_client: Opened, reply: httpx.Response) -> None:
    """It is never taken for an empty result."""
    with pytest.raises(UnknownReply):
        client_of(open_client, Exchange(reply)).mailbox_permissions(MAILBOX)

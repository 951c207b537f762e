"""What errors and odd answers of Exchange Online become."""

from __future__ import annotations

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
from tests.clients.exchange_replies import (
    BASE,
    MAILBOX,
    TENANT,
    Exchange,
    client_of,
    error,
)


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

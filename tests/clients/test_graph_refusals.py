"""What refusals and odd answers of Microsoft Graph become."""

from __future__ import annotations

import httpx
import pytest

from runbook_lib.errors import (
    CannotLook,
    NotPermitted,
    OutcomeUnknown,
    ServiceRefused,
    UnknownReply,
)
from runbook_lib.secret import Mask, Secret
from tests.clients.conftest import Opened
from tests.clients.graph_replies import (
    APP_ID,
    ID,
    Graph,
    client_of,
    error,
)


def test_a_missing_permission_is_named(open_client: Opened) -> None:
    """The message says which request and which permission."""
    graph = Graph(error(403, "Authorization_RequestDenied", "Insufficient privileges."))
    with pytest.raises(NotPermitted) as caught:
        client_of(open_client, graph).delegated_grants(ID)
    assert f"/servicePrincipals/{ID}/oauth2PermissionGrants" in caught.value.message
    assert "Directory.Read.All" in str(caught.value.remedy)
    assert caught.value.facts["permission"] == "Directory.Read.All"
    assert caught.value.facts["code"] == "Authorization_RequestDenied"
    assert caught.value.facts["client-request-id"] == "c-1"


def test_a_bad_token_asks_for_a_new_sign_in(open_client: Opened) -> None:
    """401 is about the token, even without a body."""
    graph = Graph(error(401, "InvalidAuthenticationToken"), httpx.Response(401))
    client = client_of(open_client, graph)
    for _ in range(2):
        with pytest.raises(NotPermitted, match="401") as caught:
            client.organization()
        assert "Sign in again" in str(caught.value.remedy)


def test_a_refusal_carries_code_and_details(open_client: Opened) -> None:
    """The codes decide, the text informs."""
    details = [{"code": "NoBackingApplicationObject", "target": "appId"}]
    graph = Graph(error(400, "Request_BadRequest", "No application.", details=details))
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, graph).create_service_principal({"appId": APP_ID})
    assert caught.value.code == "Request_BadRequest"
    assert caught.value.facts["details"] == ["NoBackingApplicationObject"]
    assert caught.value.facts["status"] == 400
    assert "Request_BadRequest: No application." in caught.value.message
    assert "replicated" in str(caught.value.remedy)


def test_a_forbidden_secret_leads_to_a_certificate(open_client: Opened) -> None:
    """The tenant's policy is not a fault of the request."""
    graph = Graph(error(400, "CredentialTypeNotAllowedAsPerAppPolicy"))
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, graph).add_password(ID, display_name="r", end="z")
    assert "certificate" in str(caught.value.remedy)


def test_throttling_to_the_end_is_a_refusal(open_client: Opened) -> None:
    """Nothing was written, and the code says why."""
    reply = error(429, "TooManyRequests")
    reply.headers["Retry-After"] = "121"
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, Graph(reply)).delete_application(ID)
    assert caught.value.code == "TooManyRequests"


def test_a_read_that_ends_in_a_server_fault_cannot_look(open_client: Opened) -> None:
    """After the repeats the step could not look; nothing is unknown."""
    graph = Graph(*[error(502, "BadGateway")] * 4)
    with pytest.raises(CannotLook) as caught:
        client_of(open_client, graph).organization()
    assert not isinstance(caught.value, OutcomeUnknown)
    assert "502" in caught.value.message


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, html="<html>proxy</html>"),
        httpx.Response(200, json=["no", "object"]),
        httpx.Response(200, json={"value": "no list"}),
        httpx.Response(200, json={"value": ["no object"]}),
        httpx.Response(302, headers={"Location": "https://proxy/"}),
        httpx.Response(400, html="<html>proxy</html>"),
        httpx.Response(200, text='{"value":['),
    ],
    ids=["page", "array", "string", "strings", "redirect", "bad page", "half"],
)
def test_an_odd_answer_is_unknown(open_client: Opened, reply: httpx.Response) -> None:
    """It is kept for the record and never taken for an empty result."""
    with pytest.raises(UnknownReply):
        client_of(open_client, Graph(reply)).applications_named("a")


def test_an_odd_answer_is_masked(open_client: Opened, mask: Mask) -> None:
    """The original in the facts goes through the mask of the run."""
    mask.add(Secret("known-secret-1"))
    graph = Graph(httpx.Response(200, text="<html>known-secret-1</html>"))
    with pytest.raises(UnknownReply) as caught:
        client_of(open_client, graph).organization()
    assert "known-secret-1" not in str(caught.value.facts)

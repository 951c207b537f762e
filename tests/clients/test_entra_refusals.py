"""Tokens that are not issued, and what is told of it."""

from __future__ import annotations

import httpx
import pytest

from runbook_lib.errors import (
    CannotLook,
    TokenRefused,
    UnknownReply,
)
from runbook_lib.secret import Mask
from tests.clients.conftest import Opened
from tests.clients.entra_replies import (
    SCOPE,
    TENANT,
    Entra,
    client_of,
    issued,
    refused,
)


@pytest.mark.parametrize("separator", [" ", "\r\n"])
def test_a_refusal_names_its_code_and_keeps_the_ids_apart(
    open_client: Opened, mask: Mask, separator: str
) -> None:
    """Both spellings of the trailers are cut from the sentence and kept as facts."""
    reply = refused(7000215, "Invalid client secret provided.", separator=separator)
    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, Entra(reply)).token(SCOPE)
    error = caught.value
    assert error.code == "AADSTS7000215"
    assert error.message.endswith("AADSTS7000215: Invalid client secret provided.")
    assert error.remedy is not None
    assert "client secret" in error.remedy
    assert error.facts["error"] == "invalid_client"
    assert error.facts["error_codes"] == [7000215]
    assert error.facts["trace_id"] == "0d2c"
    assert error.facts["correlation_id"] == "7a1b"
    assert error.facts["timestamp"] == "2026-01-01 00:00:00Z"
    assert error.facts["status"] == 401


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (700027, "certificate"),
        (700016, "tenant ID"),
        (7000229, "enterprise application"),
        (1002012, "scope"),
        (53003, "Conditional Access"),
    ],
)
def test_the_remedy_follows_the_family_of_the_code(
    open_client: Opened, mask: Mask, number: int, word: str
) -> None:
    """Credential, identity, scope and policy have different remedies."""
    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, Entra(refused(number, "No."))).token(SCOPE)
    assert word in str(caught.value.remedy)


def test_an_unlisted_code_has_no_remedy(open_client: Opened, mask: Mask) -> None:
    """A number is read from the text too, and what else was said is kept."""
    reply = refused(
        1234567, "New.", status=400, error_codes=None, suberror="message_only"
    )
    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, Entra(reply)).token(SCOPE)
    assert caught.value.code == "AADSTS1234567"
    assert caught.value.remedy is None
    assert caught.value.facts["suberror"] == "message_only"


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_is_not_cached(open_client: Opened, mask: Mask, status: int) -> None:
    """The next call asks again: the service may have caught up meanwhile."""
    entra = Entra(refused(700016, "Not found.", status=status), issued())
    client = client_of(open_client, mask, entra)
    with pytest.raises(TokenRefused):
        client.token(SCOPE)
    assert client.token(SCOPE).claims["tid"] == TENANT


def test_an_unknown_tenant_is_refused_at_discovery(
    open_client: Opened, mask: Mask
) -> None:
    """The metadata request already tells that there is no such tenant."""

    def handle(request: httpx.Request) -> httpx.Response:
        return refused(90002, "Tenant not found.", status=400, error="invalid_tenant")

    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, handle).token(SCOPE)
    assert caught.value.code == "AADSTS90002"
    assert "cloud" in str(caught.value.remedy)


def test_a_fault_of_the_service_is_not_a_refusal(
    open_client: Opened, mask: Mask, waits: list[float]
) -> None:
    """503 is repeated as a read and then told as what it is."""
    entra = Entra(httpx.Response(503, text="busy"))
    with pytest.raises(CannotLook) as caught:
        client_of(open_client, mask, entra).token(SCOPE)
    assert not isinstance(caught.value, TokenRefused)
    assert waits == [2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, html="<html>sign in at the proxy</html>"),
        httpx.Response(403, html="<html>blocked</html>"),
        httpx.Response(200, json={"token_type": "Bearer"}),
    ],
    ids=["page", "blocked", "no token"],
)
def test_an_odd_answer_is_unknown(
    open_client: Opened, mask: Mask, reply: httpx.Response
) -> None:
    """Neither a token nor a refusal: it is not taken for either."""
    with pytest.raises(UnknownReply):
        client_of(open_client, mask, Entra(reply)).token(SCOPE)

"""Sign-in with a token, against real TLS."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from runbook_lib.errors import (
    SmtpRefused,
    UnknownReply,
    UntrustedCertificate,
)
from tests.clients.smtp_endpoint import (
    ID,
    MAILBOX,
    PLAIN,
    SESSION,
    TOKEN,
    Endpoint,
    sign_in,
)


@pytest.mark.parametrize("one_line", [False, True])
def test_sign_in_presents_the_token_under_tls(
    endpoint: Endpoint, traffic: list[Any], one_line: bool
) -> None:
    """Both forms carry the same response, and no record shows it."""
    auth = "235 2.7.0 Authentication successful" if one_line else "334 "
    with endpoint.server(auth=auth) as server:
        dialogue = sign_in(endpoint.client(server), initial_response=one_line)
    plain = f"user={MAILBOX}\x01auth=Bearer {TOKEN}\x01\x01"
    blob = base64.b64encode(plain.encode()).decode()
    expected = [f"AUTH XOAUTH2 {blob}"] if one_line else ["AUTH XOAUTH2", blob]
    assert server.received[3:-1] == expected
    assert server.received[-1] == "QUIT"
    assert (dialogue.reply, dialogue.enhanced) == (235, "2.7.0")
    assert dialogue.text == "Authentication successful"
    assert dialogue.session == {"host": "SY5.outlook.office365.com", "id": ID}
    assert "C: AUTH XOAUTH2 •••" in dialogue.lines or "C: •••" in dialogue.lines
    recorded = json.dumps([traffic, dialogue.lines])
    assert TOKEN not in recorded
    assert blob[:40] not in recorded
    assert traffic[0]["write"] is False


def test_a_refused_sign_in_tells_code_and_session(
    endpoint: Endpoint, traffic: list[Any]
) -> None:
    """What Microsoft's support asks for is in the facts."""
    text = (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is"
        f" disabled for the Tenant. {SESSION}"
    )
    with (
        endpoint.server(blob=text) as server,
        pytest.raises(SmtpRefused) as caught,
    ):
        sign_in(endpoint.client(server))
    error = caught.value
    assert error.code == "535 5.7.139"
    assert error.facts["session"] == {
        "host": "PA7P264CA0408.PROD.OUTLOOK.COM",
        "timestamp": "2026-04-09T12:13:06.348Z",
        "id": ID,
    }
    assert error.facts["stage"] == "AUTH"
    assert f"S: {text}" in str(error.facts["lines"])
    assert "Authenticated SMTP" in str(error.remedy)
    assert "535 5.7.139 Authentication unsuccessful" in error.message
    assert traffic[0]["error"].startswith("SmtpRefused: ")
    assert TOKEN not in json.dumps([traffic, error.facts])


def test_a_second_challenge_is_answered_with_an_empty_line(endpoint: Endpoint) -> None:
    """The details that a challenge may carry are closed, then the refusal comes."""
    details = base64.b64encode(b'{"status":"401"}').decode()
    replies = [f"334 {details}", f"535 5.7.3 Authentication unsuccessful {SESSION}"]
    with (
        endpoint.server(blob=replies) as server,
        pytest.raises(SmtpRefused) as caught,
    ):
        sign_in(endpoint.client(server))
    assert server.received[-1] == ""
    assert caught.value.code == "535 5.7.3"


def test_a_refusal_of_the_command_itself(endpoint: Endpoint) -> None:
    """The token is not sent when AUTH gets no challenge."""
    with (
        endpoint.server(auth="504 5.7.4 Unrecognized authentication type") as server,
        pytest.raises(SmtpRefused) as caught,
    ):
        sign_in(endpoint.client(server))
    assert caught.value.code == "504 5.7.4"
    assert server.received[-1] == "AUTH XOAUTH2"


@pytest.mark.parametrize(
    ("hello", "missing"),
    [
        (["250 contoso"], "STARTTLS"),
        ([PLAIN, "250-contoso\n250 AUTH LOGIN"], "XOAUTH2"),
    ],
)
def test_no_token_where_it_is_not_asked_for(
    endpoint: Endpoint, hello: list[str], missing: str
) -> None:
    """Without TLS or without XOAUTH2 nothing secret is sent."""
    with (
        endpoint.server(ehlo=hello) as server,
        pytest.raises(UnknownReply, match=missing),
    ):
        sign_in(endpoint.client(server))
    assert not any(line.startswith("AUTH") for line in server.received)


def test_a_wrong_name_in_the_certificate(
    endpoint: Endpoint, traffic: list[Any]
) -> None:
    """Nothing is said after the handshake failed."""
    with (
        endpoint.server("smtp.fabrikam.com") as server,
        pytest.raises(UntrustedCertificate, match="Hostname mismatch"),
    ):
        sign_in(endpoint.client(server))
    assert server.received == ["EHLO sap.contoso.com", "STARTTLS"]
    assert traffic[0]["tls"] is None


def test_plain_text_behind_the_reply_to_starttls_is_refused(endpoint: Endpoint) -> None:
    """What somebody on the way injected would else count as secured."""
    injected = "220 2.0.0 ready\n250-contoso\n250 AUTH XOAUTH2"
    with (
        endpoint.server(starttls=injected) as server,
        pytest.raises(UnknownReply, match="before TLS"),
    ):
        sign_in(endpoint.client(server))


def test_a_farewell_that_fails_changes_nothing(endpoint: Endpoint) -> None:
    """The sign-in succeeded, whatever becomes of QUIT."""
    with endpoint.server(quit="") as server:
        assert sign_in(endpoint.client(server)).reply == 235

"""Submission dialogues against a small server with real TLS."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from runbook_lib.clients.smtp import SubmissionClient
from runbook_lib.clients.smtp_refusals import session_of
from runbook_lib.clients.wire import Wire
from runbook_lib.errors import (
    InputError,
    OutcomeUnknown,
    SmtpRefused,
    UnknownReply,
    Unreachable,
    UntrustedCertificate,
)
from runbook_lib.secret import Mask, Secret
from tests.clients.servers import SmtpServer, server_context

HOST = "smtp.office365.com"
MAILBOX = "sap@contoso.com"
TOKEN = "opaque-token_0123456789." + "x" * 3000
PLAIN = "250-contoso Hello [203.0.113.7]\n250-SIZE 157286400\n250 STARTTLS"
SECURED = "250-contoso Hello\n250-SIZE 157286400\n250-AUTH LOGIN XOAUTH2\n250 SMTPUTF8"
ID = "08DE95BEBBF63F52"
SESSION = f"[PA7P264CA0408.PROD.OUTLOOK.COM 2026-04-09T12:13:06.348Z {ID}]"
GOOD: dict[str, str | list[str]] = {
    "220": f"220 SY5.outlook.office365.com Microsoft ESMTP ready [{ID}]",
    "EHLO": [PLAIN, SECURED],
    "STARTTLS": "220 2.0.0 SMTP server ready",
    "AUTH": "334 ",
    "": "235 2.7.0 Authentication successful",
    "MAIL": "250 2.1.0 Sender OK",
    "RCPT": "250 2.1.5 Recipient OK",
    "DATA": "354 Start mail input",
    ".": "250 2.0.0 OK <1@contoso.com> [Hostname=DB9PR.prod.outlook.com]",
    "QUIT": "221 2.0.0 Bye",
}


class Endpoint:
    """A server by a table, and a client that reaches it by its real name."""

    def __init__(
        self,
        ca: trustme.CA,
        ca_file: Path,
        traffic: list[Any],
        mask: Mask,
    ) -> None:
        """Take what every test needs."""
        self._ca = ca
        self._ca_file = ca_file
        self._traffic = traffic
        self._mask = mask

    def server(self, name: str = HOST, /, **changes: str | list[str]) -> SmtpServer:
        """Return a server that is good but for the changes, by line start."""
        starts = {
            {"greeting": "220", "message": ".", "blob": ""}.get(key, key.upper()): value
            for key, value in changes.items()
        }
        return SmtpServer(server_context(self._ca, name), {**GOOD, **starts})

    def client(self, server: SmtpServer, timeout: float = 5.0) -> SubmissionClient:
        """Return a client for the server."""
        wire = Wire(connect_to={(HOST, 587): server.address}, ca_file=self._ca_file)
        return SubmissionClient(
            wire,
            self._traffic.append,
            self._mask,
            helo="sap.contoso.com",
            timeout=timeout,
        )


@pytest.fixture
def endpoint(ca: trustme.CA, ca_file: Path, traffic: list[Any], mask: Mask) -> Endpoint:
    """Return what makes servers and clients."""
    return Endpoint(ca, ca_file, traffic, mask)


def message(text: str = "Hello.\n.\n..two\nEnd.\n") -> EmailMessage:
    """Return a message with lines that begin with dots."""
    made = EmailMessage()
    made["From"] = MAILBOX
    made["To"] = "probe@contoso.com"
    made["Subject"] = "Prüfung"
    made["Message-ID"] = "<run-1@contoso.com>"
    made.set_content(text)
    return made


def sign_in(client: SubmissionClient, **options: bool) -> Any:
    """Sign in as every test does."""
    return client.sign_in(HOST, mailbox=MAILBOX, token=Secret(TOKEN), **options)


def send(client: SubmissionClient, *recipients: str) -> Any:
    """Send as every test does."""
    return client.send(
        HOST,
        mailbox=MAILBOX,
        token=Secret(TOKEN),
        message=message(),
        recipients=recipients or ("probe@contoso.com",),
    )


def test_an_endpoint_is_described(endpoint: Endpoint, traffic: list[Any]) -> None:
    """What it offers is read after TLS; nobody signs in."""
    with endpoint.server() as server:
        facts = endpoint.client(server).observe_endpoint(HOST)
    assert facts.addresses == ("127.0.0.1",)
    assert facts.peer == f"127.0.0.1:{server.address[1]}"
    assert facts.banner.startswith("SY5.outlook.office365.com Microsoft ESMTP")
    assert facts.starttls
    assert facts.tls_version == "TLSv1.3"
    assert facts.cipher
    assert facts.auth == ("LOGIN", "XOAUTH2")
    assert facts.size == 157286400
    assert facts.certificate is not None
    assert facts.certificate["names"] == [HOST]
    assert len(str(facts.certificate["sha256"])) == 64
    assert server.received == [
        *("EHLO sap.contoso.com", "STARTTLS", "EHLO sap.contoso.com", "QUIT")
    ]
    assert json.loads(json.dumps(traffic)) == traffic
    assert [entry["protocol"] for entry in traffic] == ["smtp"]
    assert (traffic[0]["write"], traffic[0]["error"]) == (False, None)
    assert traffic[0]["tls"]["version"] == "TLSv1.3"


def test_an_endpoint_without_tls_is_described_too(endpoint: Endpoint) -> None:
    """That STARTTLS is missing is an observation, not a fault."""
    with endpoint.server(ehlo="250 contoso") as server:
        facts = endpoint.client(server).observe_endpoint(HOST)
    assert not facts.starttls
    assert (facts.tls_version, facts.certificate, facts.size) == (None, None, None)
    assert facts.auth == ()


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


def test_a_message_arrives_as_it_was_written(
    endpoint: Endpoint, traffic: list[Any]
) -> None:
    """Dots are doubled on the wire, line ends are CRLF, the text is 7 bits."""
    with endpoint.server() as server:
        dialogue = send(endpoint.client(server), "probe@contoso.com", "b@contoso.com")
    sent = server.messages[0]
    assert b"\r\n..\r\n...two\r\nEnd.\r\n" in sent
    assert b"\n" not in sent.replace(b"\r\n", b"")
    assert sent.isascii()
    assert server.received[-5:-1] == [
        f"MAIL FROM:<{MAILBOX}>",
        "RCPT TO:<probe@contoso.com>",
        "RCPT TO:<b@contoso.com>",
        "DATA",
    ]
    assert (dialogue.reply, dialogue.enhanced) == (250, "2.0.0")
    assert dialogue.session == {"host": "DB9PR.prod.outlook.com"}
    unstuffed = sent.replace(b"\r\n..", b"\r\n.")
    assert traffic[0]["write"] is True
    assert traffic[0]["message_sha256"] == hashlib.sha256(unstuffed).hexdigest()
    assert "Message-ID: <run-1@contoso.com>" in traffic[0]["message"]
    assert "Hello." in traffic[0]["message"]


def test_eight_bit_text_is_sent_in_seven(endpoint: Endpoint) -> None:
    """A body with umlauts is encoded; the server need not offer 8BITMIME."""
    with endpoint.server() as server:
        endpoint.client(server).send(
            HOST,
            mailbox=MAILBOX,
            token=Secret(TOKEN),
            message=message("Grüße\n"),
            recipients=[MAILBOX],
        )
    assert server.messages[0].isascii()


def test_a_refused_recipient_ends_before_data(
    endpoint: Endpoint, traffic: list[Any]
) -> None:
    """No recipient gets the message when one is refused."""
    replies = ["250 2.1.5 OK", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"]
    with (
        endpoint.server(rcpt=replies) as server,
        pytest.raises(SmtpRefused) as caught,
    ):
        send(endpoint.client(server), "probe@contoso.com", "b@contoso.com")
    assert caught.value.code == "550 5.1.10"
    assert caught.value.facts["stage"] == "RCPT"
    assert server.messages == []
    assert traffic[0]["write"] is False


def test_a_refused_message_was_still_a_write(
    endpoint: Endpoint, traffic: list[Any]
) -> None:
    """A refusal at the end of DATA is a refusal, not an unknown outcome."""
    text = f"554 5.2.252 SendAsDenied; sap not allowed to send as x {SESSION}"
    with (
        endpoint.server(message=text) as server,
        pytest.raises(SmtpRefused) as caught,
    ):
        send(endpoint.client(server))
    assert caught.value.code == "554 5.2.252"
    assert "Send As" in str(caught.value.remedy)
    assert traffic[0]["write"] is True


@pytest.mark.parametrize("final", ["", "nonsense"])
def test_a_message_without_a_final_reply_is_unknown(
    endpoint: Endpoint, traffic: list[Any], final: str
) -> None:
    """The server may have taken it, so it is not sent again."""
    with (
        endpoint.server(message=final) as server,
        pytest.raises(OutcomeUnknown, match="DATA"),
    ):
        send(endpoint.client(server, timeout=0.5))
    assert len(server.messages) == 1
    assert traffic[0]["write"] is True
    assert traffic[0]["error"].startswith("OutcomeUnknown")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"greeting": "421 4.3.2 Service not available"}, "421 4.3.2"),
        ({"ehlo": "501 5.5.4 Invalid domain name"}, "501 5.5.4"),
        ({"starttls": "454 4.7.0 TLS not available"}, "454 4.7.0"),
        ({"mail": "530 5.7.57 Client not authenticated"}, "530 5.7.57"),
        ({"data": "503 Bad sequence"}, "503"),
    ],
    ids=["greeting", "ehlo", "starttls", "mail", "data"],
)
def test_a_refusal_at_any_turn_has_its_code(
    endpoint: Endpoint, changes: dict[str, str | list[str]], code: str
) -> None:
    """The reply code and, where there is one, the enhanced code."""
    with (
        endpoint.server(**changes) as server,
        pytest.raises(SmtpRefused) as caught,
    ):
        send(endpoint.client(server))
    assert caught.value.code == code
    assert server.messages == []


@pytest.mark.parametrize(
    "greeting",
    ["HTTP/1.1 400 Bad Request", "220-one\n250 two", "2200", "220+x"],
)
def test_a_line_that_is_no_reply_is_unknown(endpoint: Endpoint, greeting: str) -> None:
    """Another protocol on the port is not taken for SMTP."""
    with (
        endpoint.server(greeting=greeting) as server,
        pytest.raises(UnknownReply, match="no SMTP reply"),
    ):
        endpoint.client(server).observe_endpoint(HOST)


def test_a_reply_without_text_is_a_reply(endpoint: Endpoint) -> None:
    """RFC 5321 allows a bare code."""
    with endpoint.server(quit="221", greeting="220") as server:
        assert endpoint.client(server).observe_endpoint(HOST).banner == ""


def test_a_silent_server_is_unreachable(endpoint: Endpoint, traffic: list[Any]) -> None:
    """Implicit TLS on the port looks like this: nobody greets."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wire = Wire(connect_to={(HOST, 587): silent.getsockname()})
        client = SubmissionClient(wire, traffic.append, Mask(), timeout=0.2)
        with pytest.raises(Unreachable, match="greeting"):
            client.observe_endpoint(HOST)
    assert traffic[0]["lines"] == []
    assert traffic[0]["error"].startswith("Unreachable")


def test_a_server_that_hangs_up_is_unreachable(endpoint: Endpoint) -> None:
    """Before DATA a lost connection did no harm."""
    with (
        endpoint.server(rcpt="") as server,
        pytest.raises(Unreachable, match="RCPT") as caught,
    ):
        send(endpoint.client(server))
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_farewell_that_fails_changes_nothing(endpoint: Endpoint) -> None:
    """The sign-in succeeded, whatever becomes of QUIT."""
    with endpoint.server(quit="") as server:
        assert sign_in(endpoint.client(server)).reply == 235


@pytest.mark.parametrize(
    "address",
    ["a@b>\r\nDATA", "a b@contoso.com", "<a@contoso.com>", "nobody", "ä@contoso.com"],
)
def test_an_address_cannot_break_out(endpoint: Endpoint, address: str) -> None:
    """What is no plain address never reaches the server."""
    with endpoint.server() as server:
        with pytest.raises(InputError, match="no plain mail address"):
            send(endpoint.client(server), address)
        with pytest.raises(InputError, match="no plain mail address"):
            endpoint.client(server).sign_in(HOST, mailbox=address, token=Secret(TOKEN))
    assert server.received == []


def test_a_message_needs_an_id_and_a_recipient(endpoint: Endpoint) -> None:
    """Without them the message could be neither traced nor sent."""
    anonymous = message()
    del anonymous["Message-ID"]
    with endpoint.server() as server:
        client = endpoint.client(server)
        for made, to in ((anonymous, [MAILBOX]), (message(), [])):
            with pytest.raises(InputError):
                client.send(
                    HOST,
                    mailbox=MAILBOX,
                    token=Secret(TOKEN),
                    message=made,
                    recipients=to,
                )
    assert server.received == []


@pytest.mark.parametrize(
    ("text", "session"),
    [
        (
            "Authentication unsuccessful [SN2PR00CA0018.namprd00.prod.outlook.com]",
            {"host": "SN2PR00CA0018.namprd00.prod.outlook.com"},
        ),
        ("Hello [203.0.113.7]", {}),
        ("banned sender [sender]", {}),
        ("no brackets", {}),
    ],
)
def test_the_session_is_read_from_brackets(text: str, session: object) -> None:
    """Only a host name counts, neither an address nor a word."""
    assert session_of(text) == session

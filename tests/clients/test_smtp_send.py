"""Messages: what arrives, what is refused, what stays unknown."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from typing import Any

import pytest

from runbook_lib.clients.smtp import SubmissionClient
from runbook_lib.errors import (
    InputError,
    OutcomeUnknown,
    SmtpRefused,
    Unreachable,
)
from runbook_lib.secret import Secret
from tests.clients.smtp_endpoint import (
    HOST,
    MAILBOX,
    SESSION,
    TOKEN,
    Endpoint,
)


def message(text: str = "Hello.\n.\n..two\nEnd.\n") -> EmailMessage:
    """Return a message with lines that begin with dots."""
    made = EmailMessage()
    made["From"] = MAILBOX
    made["To"] = "probe@contoso.com"
    made["Subject"] = "Prüfung"
    made["Message-ID"] = "<run-1@contoso.com>"
    made.set_content(text)
    return made


def send(client: SubmissionClient, *recipients: str) -> Any:
    """Send as every test does."""
    return client.send(
        HOST,
        mailbox=MAILBOX,
        token=Secret(TOKEN),
        message=message(),
        recipients=recipients or ("probe@contoso.com",),
    )


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


def from_another(client: SubmissionClient, sender: str) -> None:
    """Send with another envelope sender."""
    client.send(
        HOST,
        mailbox=MAILBOX,
        token=Secret(TOKEN),
        message=message(),
        recipients=["probe@contoso.com"],
        sender=sender,
    )


def test_the_envelope_may_have_another_sender(endpoint: Endpoint) -> None:
    """The sign-in stays that of the mailbox; no command can be smuggled in."""
    with endpoint.server() as server:
        from_another(endpoint.client(server), "fi@contoso.com")
        with pytest.raises(InputError, match="no plain mail address"):
            from_another(endpoint.client(server), "fi@contoso.com>\r\nRSET")
    envelopes = [line for line in server.received if line.startswith("MAIL")]
    assert envelopes == ["MAIL FROM:<fi@contoso.com>"]


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


def test_a_server_that_hangs_up_is_unreachable(endpoint: Endpoint) -> None:
    """Before DATA a lost connection did no harm."""
    with (
        endpoint.server(rcpt="") as server,
        pytest.raises(Unreachable, match="RCPT") as caught,
    ):
        send(endpoint.client(server))
    assert not isinstance(caught.value, OutcomeUnknown)


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


def test_it_says_when_the_message_goes_out(endpoint: Endpoint) -> None:
    """After all that may be refused, before the first octet of the content."""
    heard: list[list[Any]] = []
    with endpoint.server() as server:
        endpoint.client(server).send(
            HOST,
            mailbox=MAILBOX,
            token=Secret(TOKEN),
            message=message(),
            recipients=[MAILBOX],
            sending=lambda: heard.append([*server.received, *server.messages]),
        )
    assert [lines[-1] for lines in heard] == ["DATA"]


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

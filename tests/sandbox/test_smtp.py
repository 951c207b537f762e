"""SMTP submission: the words of the dialogue, the message and the log."""

import asyncio
import re
import smtplib
import socket

import pytest

from runbook_lib.sandbox.smtp_address import is_hello_name, read_path
from runbook_lib.sandbox.smtp_connection import IDLE_SECONDS, SmtpConnection
from runbook_lib.sandbox.smtp_delivery import with_message_id
from tests.sandbox.mail import (
    INBOX,
    MAILBOX,
    OUTSIDE,
    message,
    send,
    xoauth2,
)
from tests.sandbox.world import World

STAMP = re.compile(
    r" \[[\w.]+\.outlook\.com \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [0-9A-F]{16}\]$"
)


def test_greeting_and_extensions() -> None:
    """Banner and EHLO list are those of the real server, line for line."""
    with World() as world:
        with socket.create_connection(("127.0.0.1", world.submission_port)) as raw:
            banner = raw.recv(1000).decode()
            raw.sendall(b"EHLO client.contoso.com\r\n")
            lines = raw.recv(1000).decode().splitlines()
        pattern = (
            r"220 (\S+) Microsoft ESMTP MAIL Service ready at \w{3}, \d\d \w{3} \d{4} "
            r"\d\d:\d\d:\d\d \+0000 \[[0-9A-F]{16}\]\r\n"
        )
        match = re.fullmatch(pattern, banner)
        assert match
        assert lines == [
            f"250-{match[1]} Hello [203.0.113.1]",
            "250-SIZE 157286400",
            "250-PIPELINING",
            "250-DSN",
            "250-ENHANCEDSTATUSCODES",
            "250-STARTTLS",
            "250-8BITMIME",
            "250-BINARYMIME",
            "250-CHUNKING",
            "250 SMTPUTF8",
        ]


def test_whole_dialogue() -> None:
    """Every reply of a message that goes through, word for word."""
    with World() as world, world.signed_in(world.sender()) as client:
        assert client.mail(MAILBOX) == (250, b"2.1.0 Sender OK")
        assert client.rcpt(OUTSIDE) == (250, b"2.1.5 Recipient OK")
        client.putcmd("DATA")
        start = (354, b"Start mail input; end with <CRLF>.<CRLF>")
        assert client.getreply() == start
        client.send(message() + b".\r\n")
        code, text = client.getreply()
        assert code == 250
        assert re.fullmatch(rb"2\.0\.0 OK <\S+@(\S+)> \[Hostname=\1\]", text)
        closing = (221, b"2.0.0 Service closing transmission channel")
        assert client.quit() == closing


def test_refusals_carry_host_time_and_session() -> None:
    """What Microsoft's support asks for stands at the end of a refusal."""
    with World() as world:
        code, text = world.sign_in_code("nonsense")
        assert code == 535
        assert STAMP.search(text)
        with world.smtp() as client:
            code, raw = client.docmd("FROBNICATE")
            assert code == 500
            assert raw.startswith(b"5.3.3 Unrecognized command 'unknown' [")


def test_endless_line_ends_the_connection() -> None:
    """A line without an end does not fill the memory."""
    with World() as world, world.smtp() as client:
        code, _ = client.docmd("NOOP", "x" * 100_000)
        assert code == 500
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


def test_message_that_grows_too_large_is_read_to_its_end() -> None:
    """What is over the limit is dropped, and the next command is found."""

    async def read() -> list[object]:
        connection = SmtpConnection(lambda _: asyncio.sleep(0))
        connection.data_received(b"12345\r\n.\r\nNOOP\r\n")
        return [await connection.message(6), await connection.line()]

    assert asyncio.run(read()) == [None, b"NOOP"]


def test_chunk_over_the_limit_ends_the_dialogue() -> None:
    """Nobody makes the server wait for 200 MB of a chunk."""
    with World() as world, world.signed_in(world.sender()) as client:
        client.mail(MAILBOX)
        client.rcpt(INBOX)
        assert client.docmd("BDAT", "200000000 LAST")[0] == 552


def test_clear_text_after_starttls_is_thrown_away() -> None:
    """Commands that were slipped in before TLS are not obeyed under TLS."""
    with World() as world, world.smtp(tls=False) as client:
        client.sock.sendall(b"STARTTLS\r\nNOOP\r\n")  # type: ignore[union-attr]
        assert client.getreply()[0] == 220
        client.sock.settimeout(0.3)  # type: ignore[union-attr]
        with pytest.raises(TimeoutError):
            client.sock.recv(100)  # type: ignore[union-attr]
        assert not world.logged(protocol="smtp", method="NOOP")


def test_bare_line_feeds_end_no_message() -> None:
    """Only CRLF, dot, CRLF ends a message: nothing can be smuggled behind it."""
    with World() as world, world.signed_in(world.sender()) as client:
        client.mail(MAILBOX)
        client.rcpt(INBOX)
        client.docmd("DATA")
        client.send(message() + b"\n.\nMAIL FROM:<x@contoso.com>\n.\r\nmore\r\n.\r\n")
        assert client.getreply()[0] == 250
        content = world.mailbox(INBOX).inbox[0]["content"]
        assert content.endswith("\n.\nMAIL FROM:<x@contoso.com>\n.\r\nmore\r\n")


def test_leading_dots_are_unstuffed() -> None:
    """A doubled dot at the start of a line is one dot (RFC 5321 section 4.5.2)."""
    with World() as world, world.signed_in(world.sender()) as client:
        send(client, message() + b".hidden\r\n")
        assert world.mailbox(INBOX).inbox[0]["content"].endswith("\r\n.hidden\r\n")


def test_message_in_chunks() -> None:
    """BDAT takes a message without dots, in as many pieces as one likes."""
    content = message()
    with World() as world, world.signed_in(world.sender()) as client:
        client.mail(MAILBOX)
        client.rcpt(INBOX)
        for piece, last in ((content[:10], ""), (content[10:], " LAST")):
            client.send(f"BDAT {len(piece)}{last}\r\n".encode() + piece)
            assert client.getreply()[0] == 250
        assert world.mailbox(INBOX).inbox[0]["subject"] == "Test"
        assert [e["write"] for e in world.logged(method="BDAT")] == [True, True]


def test_commands_may_come_all_at_once() -> None:
    """Pipelined commands are answered in their order (RFC 2920)."""
    with World() as world, world.signed_in(world.sender()) as client:
        commands = f"MAIL FROM:<{MAILBOX}>\r\nRCPT TO:<{INBOX}>\r\nDATA\r\n"
        client.send(commands.encode())
        assert [client.getreply()[0] for _ in range(3)] == [250, 250, 354]


def test_internal_mail_is_in_the_inbox_once() -> None:
    """A recipient that is named twice gets one copy."""
    with World() as world, world.signed_in(world.sender()) as client:
        send(client, message(subject="Once"), MAILBOX, INBOX, INBOX)
        subjects = [entry["subject"] for entry in world.mailbox(INBOX).inbox]
        assert subjects == ["Once"]


def test_log_masks_sign_in_and_marks_the_message_as_write() -> None:
    """The log holds verbs and codes, and neither token nor content."""
    with World() as world:
        application = world.sender()
        token = world.token(application)
        with world.smtp() as client:
            client.docmd("AUTH", "XOAUTH2")
            client.docmd(xoauth2(token))
            send(client, message(subject="Not for the log"))
            client.quit()
        text = world.log_file.getvalue()
        assert token not in text
        assert xoauth2(token)[:60] not in text
        assert "Not for the log" not in text
        entries = world.logged(protocol="smtp", host="smtp.office365.com")
        verbs = [entry["method"] for entry in entries]
        assert verbs == [
            *("EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT")
        ]
        assert [e["method"] for e in entries if e["write"]] == ["DATA"]
        auth = entries[3]
        assert (auth["body"], auth["path"], auth["status"]) == ("XOAUTH2 ***", "", 235)
        assert auth["tenant"] == world.tenant.tenant_id


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("erp.contoso.com", True),
        ("localhost", True),
        ("[127.0.0.1]", True),
        ("[IPv6:2001:db8::1]", True),
        ("erp_1.contoso.com", False),
        ("-erp.contoso.com", False),
        ("erp..contoso.com", False),
        ("", False),
        (f"{'a' * 64}.contoso.com", False),
    ],
)
def test_hello_names(name: str, good: bool) -> None:
    """Labels of letters, digits and inner hyphens, or an address in brackets."""
    assert is_hello_name(name) is good


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        ("FROM:<SAP@contoso.com>", "sap@contoso.com"),
        ("from: <sap@contoso.com> SIZE=10", "sap@contoso.com"),
        ("FROM:<>", ""),
        ("FROM:sap@contoso.com", None),
        ("FROM:<sap>", None),
        ("TO:<sap@contoso.com>", None),
        ("FROM:<sap@con_toso.com>", None),
    ],
)
def test_paths(argument: str, address: str | None) -> None:
    """An address stands in angle brackets."""
    path = read_path("FROM", argument)
    assert (path.address if path else None) == address


def test_message_without_body_or_message_id() -> None:
    """A Message-ID is put in front of whatever is there."""
    assert with_message_id(b"Subject: x\r\n", "<a@b>") == (
        b"Message-ID: <a@b>\r\nSubject: x\r\n"
    )
    folded = b"message-id:\r\n <old@x>\r\nSubject: x\r\n\r\nbody"
    assert with_message_id(folded, "<a@b>") == (
        b"Message-ID: <a@b>\r\nX-Microsoft-Original-Message-ID:\r\n <old@x>\r\n"
        b"Subject: x\r\n\r\nbody"
    )


def test_idle_limit_is_generous() -> None:
    """RFC 5321 section 4.5.3.2 asks a server to wait five minutes for a command."""
    assert IDLE_SECONDS >= 300

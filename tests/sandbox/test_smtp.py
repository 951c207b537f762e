"""SMTP submission: the words of the dialogue, the log, and faults."""

import base64
import re
import smtplib
import socket

import pytest

from runbook_lib.sandbox.smtp_address import is_hello_name, read_path
from runbook_lib.sandbox.smtp_authentication import read_blob
from runbook_lib.sandbox.smtp_connection import IDLE_SECONDS
from runbook_lib.sandbox.smtp_delivery import with_message_id
from tests.sandbox.world import (
    INBOX,
    MAILBOX,
    OUTSIDE,
    World,
    message,
    send,
    sign_in,
    wait_until,
    xoauth2,
)

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
            f"250-{match[1]} Hello [127.0.0.1]",
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


def test_long_sign_in_line_is_taken() -> None:
    """A line of 12,288 octets and more reaches the judgement (RFC 4954)."""
    with World() as world:
        application = world.sender()
        blob = base64.b64encode(
            f"user={MAILBOX}\x01auth=Bearer {world.token(application)}"
            f"\x01x={'y' * 20_000}\x01\x01".encode()
        ).decode()
        assert len(blob) > 12_288
        with world.smtp() as client:
            assert client.docmd("AUTH", f"XOAUTH2 {blob}")[0] == 235


def test_endless_line_ends_the_connection() -> None:
    """A line without an end does not fill the memory."""
    with World() as world, world.smtp() as client:
        code, _ = client.docmd("NOOP", "x" * 100_000)
        assert code == 500
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


@pytest.mark.parametrize(
    "blob",
    [
        "not base64!",
        base64.b64encode(b"user=a@b\x01auth=Bearer x").decode(),
        base64.b64encode(b"user=\x01auth=Bearer x\x01\x01").decode(),
        base64.b64encode(b"user=a@b\x01auth=Basic x\x01\x01").decode(),
        base64.b64encode(b"\xff\xfe\x01\x01").decode(),
    ],
)
def test_malformed_blob_is_nobody(blob: str) -> None:
    """What is not a SASL string of XOAUTH2 names no user and no token."""
    assert read_blob(blob) is None


def test_sign_in_can_be_called_off() -> None:
    """A star ends the sign-in without an attempt."""
    with World() as world, world.smtp() as client:
        client.docmd("AUTH", "XOAUTH2")
        assert client.docmd("*")[0] == 501
        assert client.docmd("AUTH", "PLAIN AAAA")[0] == 504


def test_nobody_signs_in_twice() -> None:
    """A second AUTH on the connection is out of order (RFC 4954)."""
    with World() as world:
        application = world.sender()
        with world.signed_in(application) as client:
            assert sign_in(client, world.token(application))[0] == 503


def test_mailbox_of_another_tenant_is_out_of_reach() -> None:
    """The tenant is the token's, whatever mailbox is named."""
    with World(tenants=2) as world:
        token = world.token(world.sender())
        assert world.sign_in_code(token, "sap@fabrikam.com")[0] == 535


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


def test_one_line_sign_in_is_masked() -> None:
    """The blob on the AUTH line leaves no trace in the log."""
    with World() as world:
        world.sign_in_code(world.token(world.sender()))
        assert world.logged(method="AUTH")[0]["body"] == "XOAUTH2 ***"


def test_permission_takes_effect_late() -> None:
    """With a lag the sign-in fails until the permission has reached SMTP."""
    with World(faults="lag@mailbox-permission=2") as world:
        token = world.token(world.sender())
        codes = [world.sign_in_code(token)[0] for _ in range(3)]
        assert codes == [535, 535, 235]


def test_busy_server_refuses_the_connection() -> None:
    """421 instead of a greeting, once."""
    with World(faults="smtp-421=1") as world:
        port = world.submission_port
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            smtplib.SMTP("127.0.0.1", port)
        assert caught.value.smtp_code == 421
        with world.smtp():
            pass


def test_temporary_refusals() -> None:
    """451 at MAIL and 430 at the end of the message leave nothing behind."""
    with (
        World(faults="smtp-451=1 smtp-430=1") as world,
        world.signed_in(world.sender()) as client,
    ):
        assert client.mail(MAILBOX)[0] == 451
        code, text = send(client, message())
        assert code == 430
        assert "STOREDRV; mailbox logon failure" in text
        assert world.mailbox(INBOX).inbox == []
        assert send(client, message())[0] == 250


@pytest.mark.parametrize(("fault", "arrived"), [("before", 0), ("after", 1)])
def test_reset_before_and_after_the_effect(fault: str, arrived: int) -> None:
    """The client sees the same; the mail is there or not."""
    with (
        World(faults=f"reset-{fault}@smtp=1") as world,
        world.signed_in(world.sender()) as client,
    ):
        with pytest.raises((OSError, smtplib.SMTPServerDisconnected)):
            send(client, message())
        assert len(world.mailbox(INBOX).inbox) == arrived
        assert f"reset {fault} the effect" in world.log_file.getvalue()


def test_slow_server() -> None:
    """Every reply comes late; a client with little patience gives up."""
    with World(faults="smtp-slow=5") as world:
        address = ("127.0.0.1", world.submission_port)
        client = socket.create_connection(address, timeout=0.2)
        with client, pytest.raises(TimeoutError):
            client.recv(1)


def test_lost_client_frees_its_place() -> None:
    """A client that vanishes does not count as signed in for ever."""
    with World() as world:
        token = world.token(world.sender())
        for _ in range(5):
            with world.smtp() as client:
                assert sign_in(client, token)[0] == 235
        wait_until(lambda: len(world.logged(method="AUTH")) == 5)
        with world.signed_in_with(token) as client:
            wait_until(lambda: client.mail(MAILBOX)[0] == 250)


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

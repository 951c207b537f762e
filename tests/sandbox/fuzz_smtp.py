"""What the SMTP servers are fuzzed with, and what has to hold for every dialogue."""

import base64
import re
import socket
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from runbook_lib.sandbox.dump import dump
from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE, client_tls
from tests.sandbox.world import World

LONGEST_SILENCE = 10.0
REPLY = re.compile(rb"(?:[2-5]\d\d-[^\r\n]*\r\n)*[2-5]\d\d [^\r\n]*\r\n")

BLOBS = st.sampled_from(
    [
        "",
        "=",
        "*",
        base64.b64encode(b"user=a\x01auth=Bearer x\x01\x01").decode(),
        base64.b64encode(b"user=sap@contoso.com\x01auth=Bearer a.b.c\x01\x01").decode(),
        "A" * 12_288,
    ]
)
ADDRESSES = st.sampled_from(
    ["", MAILBOX, INBOX, OUTSIDE, "x", "a@b", '"a b"@c.example', "<>", "\x00@a.b"]
) | st.text(max_size=12)
EXTRAS = st.sampled_from(
    ["", " SIZE=9", " SIZE=999999999999", " BODY=8BITMIME", " X=", " =", " RET=HDRS"]
)
COMMANDS = st.one_of(
    st.sampled_from(
        [
            "EHLO client.contoso.com",
            "EHLO",
            "HELO x",
            "DATA",
            "RSET",
            "NOOP",
            "HELP",
            "VRFY a",
            "STARTTLS x",
            ".",
            "BDAT 3 LAST",
            "BDAT x",
            "BDAT -1 LAST",
            "AUTH",
            "AUTH LOGIN",
            "AUTH PLAIN AAAA",
        ]
    ),
    BLOBS.map(lambda blob: f"AUTH XOAUTH2 {blob}"),
    BLOBS,
    st.builds("MAIL FROM:<{}>{}".format, ADDRESSES, EXTRAS),
    st.builds("RCPT TO:<{}>{}".format, ADDRESSES, EXTRAS),
    st.text(max_size=30),
)
LINES = COMMANDS.map(lambda text: text.encode("utf-8", "replace")) | st.binary(
    max_size=40
)


@dataclass(frozen=True)
class Dialogue:
    """Lines that a client sends at once, to one of the servers."""

    server: str
    tls: bool
    lines: list[bytes]
    ending: bytes


DIALOGUES = st.builds(
    Dialogue,
    server=st.sampled_from(["submission", "mx"]),
    tls=st.booleans(),
    lines=st.lists(LINES, max_size=10),
    ending=st.sampled_from([b"\r\n", b"\n"]),
)


class SmtpFuzz:
    """A world, and the invariant of each dialogue."""

    def __init__(self, world: World) -> None:
        """Start both servers; note whatever their loop complains of."""
        self.world = world
        self.ports = {"submission": world.submission_port, "mx": world.mx_port}
        self.complaints: list[dict[str, Any]] = []
        world.loop.set_exception_handler(lambda _, it: self.complaints.append(it))
        self.before = dump(world.sandbox, world.tenant)

    def check(self, dialogue: Dialogue) -> None:
        """The server answers well-formed replies and ends; nobody gets in."""
        text = self._talk(dialogue)
        replies = REPLY.findall(text)
        assert b"".join(replies) == text, text[-200:]
        assert replies
        assert not self.complaints, self.complaints
        assert dump(self.world.sandbox, self.world.tenant) == self.before
        for mailbox in self.world.tenant.exchange.mailboxes.values():
            assert mailbox.sent == []
        for entry in self.world.tenant.exchange.traces:
            assert entry.row["RecipientAddress"].endswith("@contoso.com")

    def _talk(self, dialogue: Dialogue) -> bytes:
        """Send all lines and the end of the stream; return what came back."""
        address = ("127.0.0.1", self.ports[dialogue.server])
        with socket.create_connection(address, LONGEST_SILENCE) as plain:
            connection = self._encrypted(plain) if dialogue.tls else plain
            with connection:
                sent = dialogue.ending.join([*dialogue.lines, b"QUIT", b""])
                connection.sendall(sent + b"\r\n.\r\nQUIT\r\n" * 3)
                return _all_of(connection)

    @staticmethod
    def _encrypted(plain: socket.socket) -> socket.socket:
        """Greet, begin TLS and return the encrypted connection."""
        for line in (b"", b"EHLO client.contoso.com\r\n", b"STARTTLS\r\n"):
            plain.sendall(line)
            text = b""
            while not REPLY.fullmatch(text):
                text += plain.recv(4096)
        return client_tls().wrap_socket(plain, server_hostname="smtp.office365.com")


def _all_of(connection: socket.socket) -> bytes:
    """Read until the server closes; a silence of ten seconds is a hang."""
    parts: list[bytes] = []
    while True:
        try:
            part = connection.recv(65_536)
        except ConnectionResetError:  # it closed while we still sent
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)

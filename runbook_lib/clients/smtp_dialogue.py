"""One SMTP connection, line by line, as it will stand in the record."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runbook_lib.clients.certificates import describe, tls_facts
from runbook_lib.clients.recording import clipped
from runbook_lib.clients.retrying import unknown_outcome
from runbook_lib.clients.routing import unreachable, untrusted
from runbook_lib.clients.wire import Wire
from runbook_lib.errors import UnknownReply
from runbook_lib.secret import Mask

# RFC 5321 section 4.5.3.1.5 allows 512 octets; servers exceed it.
LINE_LIMIT = 8192

_LINE = re.compile(r"(?P<code>[2-5]\d\d)(?:(?P<more>[ -])(?P<text>.*))?", re.DOTALL)
_ENHANCED = re.compile(r"(?P<code>[245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")


@dataclass(frozen=True)
class Reply:
    """A reply of one or more lines.

    `texts` are the lines without the reply code. `enhanced` is the status code of
    RFC 3463 or None; `text` is the whole without both codes.

    Source: RFC 5321 section 4.2; RFC 2034.
    """

    code: int
    texts: tuple[str, ...]

    @property
    def enhanced(self) -> str | None:
        """Return the enhanced status code of the first line."""
        found = _ENHANCED.match(self.texts[0])
        return found["code"] if found else None

    @property
    def text(self) -> str:
        """Return the text, lines joined by a space."""
        return " ".join(_ENHANCED.sub("", line, count=1) for line in self.texts).strip()

    def __str__(self) -> str:
        """Return reply code and enhanced code, as far as there is one."""
        return f"{self.code} {self.enhanced}" if self.enhanced else str(self.code)


class Conversation:
    """A connection to one SMTP server.

    `lines` are the masked lines, "S: …" and "C: …". Nothing that is sent as a
    credential is among them. `write` is true once DATA was sent.
    """

    def __init__(self, wire: Wire, host: str, port: int, mask: Mask) -> None:
        """Name the server; `connect` opens the connection."""
        self.where = f"{host}:{port}"
        self.lines: list[str] = []
        self.write = False
        self.peer: str | None = None
        self.tls: dict[str, object] | None = None
        self.certificate: dict[str, object] | None = None
        self.message: dict[str, object] = {}
        self._wire = wire
        self._host = host
        self._port = port
        self._mask = mask
        self._socket: socket.socket | None = None
        self._received = b""

    def connect(self, timeout: float) -> Reply:
        """Open the connection and return the greeting; `timeout` in seconds.

        Raises:
            Unreachable: no connection, or no greeting.
        """
        address = self._wire.address(self._host, self._port)
        with self._faults("connecting"):
            self._socket = socket.create_connection(address, timeout)
            ip, port = self._socket.getpeername()[:2]
        self.peer = f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
        return self._reply("the greeting")

    def command(self, line: str, *, shown: str | None = None) -> Reply:
        """Send a line and return the reply; `shown` stands in the record instead."""
        self.lines.append(self._mask.text(f"C: {line if shown is None else shown}"))
        stage = (line if shown is None else shown).partition(" ")[0] or "an empty line"
        with self._faults(stage):
            self._open.sendall(line.encode() + b"\r\n")
        return self._reply(stage)

    def start_tls(self) -> None:
        """Begin TLS on the connection, after the server's 220.

        Raises:
            UnknownReply: the server sent more than its reply in plain text, which
                somebody on the way may have put there.
            UntrustedCertificate: it is not trusted or has another name.
        """
        if self._received:
            raise UnknownReply(
                f"{self.where} sent more than its reply before TLS began.",
                remedy="Look for a device on the way that changes SMTP.",
                facts={"endpoint": self.where},
            )
        context = self._wire.tls_context()
        with self._faults("the TLS handshake"):
            secured = context.wrap_socket(self._open, server_hostname=self._host)
        self._socket = secured
        self.tls = tls_facts(secured)
        der = secured.getpeercert(binary_form=True)
        self.certificate = describe(der) if der else None

    def data(self, content: bytes, *, timeout: float) -> Reply:
        """Send a message after 354 and return the final reply.

        `content` has CRLF line ends. From here on a lost connection leaves the
        effect unknown: the server may have taken the message.

        Raises:
            OutcomeUnknown: no final reply came.

        Source: RFC 5321 sections 4.1.1.4 and 4.5.2.
        """
        digest = hashlib.sha256(content).hexdigest()
        self.lines.append(f"C: (message of {len(content)} bytes, SHA-256 {digest})")
        self.message = {
            "message": clipped(self._mask.text(content.decode(errors="replace"))),
            "message_bytes": len(content),
            "message_sha256": digest,
        }
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        end = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        try:
            self._open.settimeout(timeout)
            self._open.sendall(stuffed + end)
            return self._read_reply()
        except (OSError, UnknownReply) as error:
            reason = str(error) or type(error).__name__
            raise unknown_outcome(f"DATA to {self.where}", reason) from None

    def close(self) -> None:
        """Close the connection, without QUIT."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def _open(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("not connected")
        return self._socket

    def _reply(self, stage: str) -> Reply:
        with self._faults(stage):
            return self._read_reply()

    def _read_reply(self) -> Reply:
        """Read lines up to the last of a reply.

        Raises:
            UnknownReply: a line is no reply line, or the codes differ.
        """
        code, texts, more = 0, list[str](), "-"
        while more == "-":
            line = self._read_line()
            self.lines.append(self._mask.text(f"S: {line}"))
            found = _LINE.fullmatch(line)
            if found is None or (texts and int(found["code"]) != code):
                raise UnknownReply(
                    f"{self.where} sent a line that is no SMTP reply.",
                    remedy="Check that this port speaks SMTP and no device changes it.",
                    facts={"endpoint": self.where, "lines": self.lines[-5:]},
                )
            code, more = int(found["code"]), found["more"]
            texts.append(found["text"] or "")
        return Reply(code, tuple(texts))

    def _read_line(self) -> str:
        while b"\n" not in self._received:
            part = self._open.recv(4096)
            if not part or len(self._received) > LINE_LIMIT:
                raise ConnectionError("the server closed the line or never ended it")
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return line.rstrip(b"\r").decode(errors="backslashreplace")

    @contextmanager
    def _faults(self, stage: str) -> Iterator[None]:
        """Turn the faults of a connection into ours; a message was not sent yet."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise untrusted(self.where, error) from None
        except OSError as error:
            reason = str(error) or type(error).__name__
            raise unreachable(self.where, f"{stage}: {reason}") from None

"""An upstream that a test sets: what it refuses, and what it saw."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.clients.servers import Listener

AUTHENTICATED = "235 2.7.0 Authentication successful"
USUAL = {
    "CONNECT": "220 contoso.outlook.office365.com Microsoft ESMTP ready",
    "STARTTLS": "220 2.0.0 SMTP server ready",
    "AUTH": AUTHENTICATED,
    "MAIL": "250 2.1.0 Sender OK",
    "RCPT": "250 2.1.5 Recipient OK",
    "DATA": "354 Start mail input",
    "MESSAGE": "250 2.0.0 OK <1@contoso.com> [Hostname=DB9PR.prod.outlook.com]",
    "RSET": "250 2.0.0 Resetting",
    "NOOP": "250 2.0.0 OK",
    "QUIT": "221 2.0.0 Service closing",
}
WRONG_USER = "535 5.7.139 Authentication unsuccessful, the user credentials were wrong"
UNAUTHENTICATED = "530 5.7.57 Client not authenticated to send mail."


@dataclass
class Seen:
    """What the upstream saw: messages, and envelopes that came without sign-in.

    `times` are those of the messages, in seconds. `clear` are MAIL commands without
    TLS, `anonymous` those without sign-in, `users` the names of all sign-ins, `peak`
    the most connections at a time.
    """

    messages: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    clear: list[str] = field(default_factory=list)
    anonymous: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    connections: int = 0
    peak: int = 0

    def subjects(self) -> list[str]:
        """Return the subjects of the messages, in order."""
        found = [re.search(rb"^Subject: (.*?)\r$", m, re.M) for m in self.messages]
        return [match[1].decode() for match in found if match]


@dataclass
class Talk:
    """One connection: how it is secured, and what was said of a message."""

    connection: socket.socket
    tls: bool = False
    user: bool = False
    sender: str = ""


class Upstream(Listener):
    """Takes mail by STARTTLS and AUTH LOGIN or PLAIN, like Exchange Online's port 587.

    Only the user `known` may sign in. `replies` may be changed while it runs; a
    reply of "" closes the connection. `asks` false plays port 25, where nobody
    signs in; `offers` false leaves out STARTTLS.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        asks: bool = True,
        offers: bool = True,
        port: int = 0,
    ) -> None:
        """Listen with a certificate."""
        super().__init__(port)
        self._context = context
        self._asks = asks
        self._offers = offers
        self._lock = threading.Lock()
        self.replies = dict(USUAL)
        self.known = "sap@contoso.com"
        self.seen = Seen()
        self._open = 0

    @property
    def port(self) -> int:
        """Return the port."""
        return self.address[1]

    def refuses(self, **replies: str) -> None:
        """Answer from now on by these replies."""
        self.replies = {**USUAL, **replies}

    def talk(self, connection: socket.socket) -> None:
        """Serve one connection, and count it."""
        with self._lock:
            self._open += 1
            self.seen.connections += 1
            self.seen.peak = max(self.seen.peak, self._open)
        try:
            self._serve(Talk(connection))
        except OSError:
            return
        finally:
            with self._lock:
                self._open -= 1

    def _serve(self, talk: Talk) -> None:
        if not self._say(talk, "CONNECT"):
            return
        if not self._turns(talk):
            return
        with self._context.wrap_socket(talk.connection, server_side=True) as secured:
            talk.connection, talk.tls = secured, True
            self._turns(talk)

    def _turns(self, talk: Talk) -> bool:
        """Answer lines; return whether TLS is to begin."""
        with talk.connection.makefile("rb") as stream:
            while line := stream.readline().decode().rstrip("\r\n"):
                verb = line.partition(" ")[0].upper()
                if verb in ("EHLO", "HELO"):
                    self._send(talk, self._hello(talk))
                elif verb == "STARTTLS":
                    return self._say(talk, "STARTTLS")
                elif not self._take(talk, verb, line, stream.readline):
                    return False
        return False

    def _hello(self, talk: Talk) -> str:
        keywords = ["contoso Hello", "SIZE 157286400", "8BITMIME"]
        if self._offers and not talk.tls:
            keywords.append("STARTTLS")
        if self._asks and (talk.tls or not self._offers):
            keywords.append("AUTH LOGIN PLAIN")
        lines = [f"250-{keyword}" for keyword in keywords]
        return "\n".join([*lines[:-1], lines[-1].replace("-", " ", 1)])

    def _take(
        self, talk: Talk, verb: str, line: str, readline: Callable[[], bytes]
    ) -> bool:
        """Answer one command; return whether the connection stays."""
        if verb == "AUTH":
            return self._sign_in(talk, line, readline)
        if verb == "MAIL":
            return self._mail(talk, line)
        if verb == "RCPT":
            recipient = re.sub(r".*<(.*)>.*", r"\1", line)
            with self._lock:
                self.seen.envelopes.append((talk.sender, recipient))
        if verb == "DATA" and self.replies["DATA"].startswith("354"):
            self._send(talk, self.replies["DATA"])
            return self._message(talk, readline)
        return self._say(talk, verb) and verb != "QUIT"

    def _sign_in(self, talk: Talk, line: str, readline: Callable[[], bytes]) -> bool:
        words = line.split()
        given = words[2:]
        if words[1].upper() == "LOGIN":
            for prompt in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")[len(given) :]:
                self._send(talk, f"334 {prompt}")
                given.append(readline().decode().strip())
        user = base64.b64decode(given[0]).decode().strip("\0").partition("\0")[0]
        with self._lock:
            self.seen.users.append(user)
        if user != self.known:
            self._send(talk, WRONG_USER)
            return True
        talk.user = self.replies["AUTH"] == AUTHENTICATED
        return self._say(talk, "AUTH")

    def _mail(self, talk: Talk, line: str) -> bool:
        talk.sender = re.sub(r".*<(.*)>.*", r"\1", line)
        with self._lock:
            if not talk.tls:
                self.seen.clear.append(line)
            if self._asks and not talk.user:
                self.seen.anonymous.append(line)
        if self._asks and not talk.user:
            self._send(talk, UNAUTHENTICATED)
            return True
        return self._say(talk, "MAIL")

    def _message(self, talk: Talk, readline: Callable[[], bytes]) -> bool:
        lines = []
        while (line := readline()) not in (b".\r\n", b""):
            lines.append(line)
        if not line:
            return False
        # Without a reply the message was taken all the same.
        if self.replies["MESSAGE"][:3] in ("250", ""):
            with self._lock:
                self.seen.messages.append(b"".join(lines))
                self.seen.times.append(time.monotonic())
        return self._say(talk, "MESSAGE")

    def _say(self, talk: Talk, verb: str) -> bool:
        """Give the reply of a verb; return whether the connection stays."""
        reply = self.replies.get(verb, "500 5.5.1 unknown")
        if reply:
            self._send(talk, reply)
        return bool(reply)

    def _send(self, talk: Talk, reply: str) -> None:
        text = "".join(f"{line}\r\n" for line in reply.split("\n"))
        talk.connection.sendall(text.encode())

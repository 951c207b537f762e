"""An SMTP dialogue: greeting, one command after the other, TLS, and the log.

Source: RFC 5321 section 3; RFC 3207 (STARTTLS).
"""

import asyncio
import ssl
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.http import UNANSWERED_AFTER, UNANSWERED_BEFORE
from runbook_lib.sandbox.smtp_connection import LineTooLong, SmtpConnection
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.state import Sandbox

WRITING_VERBS = {"DATA", "BDAT"}


class SmtpDialogue(ABC):
    """One client's connection from greeting to QUIT."""

    protocol: ClassVar[str]
    banner_host: ClassVar[str]

    def __init__(
        self, sandbox: Sandbox, connection: SmtpConnection, context: ssl.SSLContext
    ) -> None:
        """Begin a dialogue; `context` is for STARTTLS."""
        self.sandbox = sandbox
        self.connection = connection
        self.context = context
        self.session_id = sandbox.ids.hexadecimal(16).upper()
        self.open = True
        self.tls_agreed = False
        self.message_size = 0

    @abstractmethod
    async def answer(self, verb: str, argument: str) -> Reply | None:
        """Carry out one command; null means that the connection was dropped."""

    @abstractmethod
    def forget(self) -> None:
        """Forget all that the client said: TLS begins."""

    @abstractmethod
    def log_host(self) -> str:
        """Return the server name that the log shows."""

    @abstractmethod
    def tenant_id(self) -> str | None:
        """Return the tenant that the log shows, null where it is not known."""

    async def run(self) -> None:
        """Greet, and answer commands until the client quits."""
        if self.sandbox.faults.take("smtp-421", self.protocol):
            self.log("CONNECT", "", replies.SERVICE_UNAVAILABLE.code)
            await self.send(replies.SERVICE_UNAVAILABLE)
            return
        await self.send(replies.banner(self.banner_host, self.session_id))
        while self.open:
            await self._answer_next()

    async def send(self, answer: Reply) -> None:
        """Send one reply; late where a fault says so."""
        delay = self.sandbox.faults.amount("smtp-slow", self.protocol)
        if delay:
            await asyncio.sleep(delay)
        self.connection.send(answer.encoded(replies.stamp(self.session_id)))

    def log(self, verb: str, argument: str, status: int | str) -> None:
        """Write one command to the log: of a message its size, not its content."""
        body: Any = argument if verb == "AUTH" else None
        if verb in WRITING_VERBS:
            body = {"size": self.message_size}
        self.sandbox.log.write(
            protocol=self.protocol,
            host=self.log_host(),
            method=verb,
            path="" if verb == "AUTH" else argument,
            body=body,
            status=status,
            tenant=self.tenant_id(),
            write=verb in WRITING_VERBS,
        )

    async def _leave_unanswered(self, verb: str, befalls: str, why: str) -> None:
        """Reset the connection, or keep it open in silence until the client goes."""
        if befalls.startswith("reset"):
            self.drop(verb, why)
            return
        self.log(verb, "", why)
        await self.connection.left()
        self.open = False

    def drop(self, verb: str, why: str) -> None:
        """Reset the connection, as a fault asks, and say so in the log."""
        self.log(verb, "", why)
        self.connection.abort()
        self.open = False

    async def _answer_next(self) -> None:
        """Read one command and answer it."""
        try:
            text = (await self.connection.line()).decode("utf-8", errors="replace")
        except (LineTooLong, TimeoutError) as error:
            late = isinstance(error, TimeoutError)
            await self.send(replies.TIMED_OUT if late else replies.UNRECOGNIZED)
            self.open = False
            return
        verb, _, argument = text.strip().partition(" ")
        await self._carry_out(verb.upper(), argument.strip())

    async def _carry_out(self, verb: str, argument: str) -> None:
        """Answer one command and begin TLS where both sides agreed.

        The log has the command before the client has the reply.
        """
        befalls = self.sandbox.faults.disturbance(self.protocol)
        if befalls in UNANSWERED_BEFORE:
            await self._leave_unanswered(verb, befalls, UNANSWERED_BEFORE[befalls])
            return
        if befalls == "503-before":
            self.log(verb, "", replies.SERVICE_UNAVAILABLE.code)
            await self.send(replies.SERVICE_UNAVAILABLE)
            self.open = False
            return
        answer = await self.answer(verb, argument)
        if answer is None:
            return
        if befalls in UNANSWERED_AFTER:
            await self._leave_unanswered(verb, befalls, UNANSWERED_AFTER[befalls])
            return
        known = answer is not replies.UNRECOGNIZED
        self.log(verb if known else "UNKNOWN", argument if known else "", answer.code)
        await self.send(answer)
        if self.tls_agreed:
            self.tls_agreed = False
            self.forget()
            await self.connection.start_tls(self.context)

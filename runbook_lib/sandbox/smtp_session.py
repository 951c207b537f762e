"""The commands of an SMTP server: their order, the envelope and the message.

What submission and the MX side decide differently is in their own classes.
Source: RFC 5321; RFC 3030 (BDAT); RFC 1870 (SIZE); wording of Exchange.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.smtp_address import (
    MAIL_PARAMETERS,
    RCPT_PARAMETERS,
    Path,
    is_hello_name,
    read_path,
)
from runbook_lib.sandbox.smtp_dialogue import SmtpDialogue
from runbook_lib.sandbox.smtp_replies import Reply


@dataclass
class Envelope:
    """Sender and recipients of the message in the making; null sender: none yet."""

    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    chunks: bytearray = field(default_factory=bytearray)


class SmtpSession(SmtpDialogue):
    """The commands that both sides share."""

    def __init__(self, *arguments: Any) -> None:
        """Begin with nothing said."""
        super().__init__(*arguments)
        self.greeted = False
        self.hello = ""
        self.envelope = Envelope()

    @abstractmethod
    def offer(self) -> str | None:
        """Return the line of the EHLO reply that invites TLS or sign-in."""

    @abstractmethod
    def check_sender(self, sender: str) -> Reply | None:
        """Return the refusal of a MAIL command, or null."""

    @abstractmethod
    def check_recipient(self, recipient: str) -> Reply | None:
        """Return the refusal of a RCPT command, or null."""

    @abstractmethod
    def accept(self, content: bytes) -> Reply:
        """Judge a whole message, deliver it, and return the final reply."""

    @abstractmethod
    async def sign_in(self, argument: str) -> Reply:
        """Answer AUTH."""

    async def answer(self, verb: str, argument: str) -> Reply | None:
        """Carry out one command."""
        handler = _HANDLERS.get(verb)
        return await handler(self, argument) if handler else replies.UNRECOGNIZED

    def forget(self) -> None:
        """Forget greeting and envelope."""
        self.greeted = False
        self.envelope = Envelope()

    async def _hello(self, argument: str) -> Reply:
        return self._greeted(argument) or replies.extensions(
            self.banner_host, self.connection.source.address, self.offer()
        )

    async def _old_hello(self, argument: str) -> Reply:
        hello = f"{self.banner_host} Hello [{self.connection.source.address}]"
        return self._greeted(argument) or replies.reply(250, hello)

    def _greeted(self, argument: str) -> Reply | None:
        """Check the client's name; a new greeting begins a new transaction."""
        if self.sandbox.holds("smtp.ehlo-domain") and not is_hello_name(argument):
            return replies.INVALID_DOMAIN
        self.greeted, self.hello = True, argument
        self.envelope = Envelope()
        return None

    async def _starttls(self, argument: str) -> Reply:
        if argument:
            return replies.INVALID_ARGUMENTS
        if not self.greeted:
            return replies.HELLO_FIRST
        if self.connection.tls:
            return replies.ONLY_ONCE
        self.tls_agreed = True
        return replies.READY_FOR_TLS

    async def _auth(self, argument: str) -> Reply:
        if not self.greeted:
            return replies.HELLO_FIRST
        return await self.sign_in(argument)

    async def _mail(self, argument: str) -> Reply:
        if not self.greeted and self.sandbox.holds("smtp.hello-first"):
            return replies.HELLO_FIRST
        path = read_path("FROM", argument)
        if path is None:
            return replies.INVALID_SENDER
        if set(path.parameters) - MAIL_PARAMETERS:
            return replies.INVALID_ARGUMENTS
        if self.envelope.sender is not None and self._ordered():
            return replies.SENDER_GIVEN
        refusal = self.check_sender(path.address) or self._size_refusal(path)
        if refusal is None:
            self.envelope = Envelope(path.address)
        return refusal or replies.SENDER_OK

    async def _rcpt(self, argument: str) -> Reply:
        if self.envelope.sender is None and self._ordered():
            return replies.NEED_MAIL
        path = read_path("TO", argument)
        if path is None or not path.address:
            return replies.INVALID_RECIPIENT
        if set(path.parameters) - RCPT_PARAMETERS:
            return replies.INVALID_ARGUMENTS
        refusal = self.check_recipient(path.address)
        if refusal is None:
            self.envelope.recipients.append(path.address)
        return refusal or replies.RECIPIENT_OK

    async def _data(self, argument: str) -> Reply | None:
        self.message_size = 0
        refusal = self._message_refusal()
        if argument or refusal is not None:
            return refusal or replies.INVALID_ARGUMENTS
        await self.send(replies.START_INPUT)
        return self._received(await self.connection.message(replies.LARGEST_MESSAGE))

    async def _bdat(self, argument: str) -> Reply | None:
        """Take one chunk of a message; its octets come whatever we think of it."""
        size_text, _, last = argument.partition(" ")
        size = _number(size_text)
        if size is None or size > replies.LARGEST_MESSAGE:
            self.open = False  # where the next command begins cannot be known
            return replies.INVALID_ARGUMENTS if size is None else replies.TOO_LARGE
        chunk = await self.connection.octets(size)
        refusal = self._message_refusal()
        if refusal is not None:
            return refusal
        self.envelope.chunks += chunk
        if len(self.envelope.chunks) > replies.LARGEST_MESSAGE:
            self.envelope = Envelope()
            return replies.TOO_LARGE
        if last.strip().upper() != "LAST":
            return replies.reply(250, f"2.0.0 {size_text} octets received")
        return self._received(bytes(self.envelope.chunks))

    def _message_refusal(self) -> Reply | None:
        """Return why a message cannot be sent now, or null."""
        if self.envelope.sender is None:
            return replies.NEED_MAIL
        if not self.envelope.recipients and self._ordered():
            return replies.NEED_RECIPIENT
        return None

    def _received(self, content: bytes | None) -> Reply | None:
        """Judge a message that is here; null where a fault resets the connection."""
        self.message_size = len(content or b"")
        faults = self.sandbox.faults
        if faults.reached("reset-before", "smtp"):
            self.drop("DATA", "reset before the effect")
            return None
        answer = replies.TOO_LARGE if content is None else self.accept(content)
        self.envelope = Envelope()
        if faults.reached("reset-after", "smtp"):
            self.drop("DATA", "reset after the effect")
            return None
        return answer

    async def _rset(self, argument: str) -> Reply:
        self.envelope = Envelope()
        return replies.RESETTING

    async def _noop(self, argument: str) -> Reply:
        return replies.OK

    async def _help(self, argument: str) -> Reply:
        return replies.HELP

    async def _vrfy(self, argument: str) -> Reply:
        return replies.CANNOT_VERIFY

    async def _quit(self, argument: str) -> Reply:
        self.open = False
        return replies.CLOSING

    def _ordered(self) -> bool:
        """Say whether the order of commands is watched."""
        return self.sandbox.holds("smtp.command-order")

    def _size_refusal(self, path: Path) -> Reply | None:
        """Return the refusal of a message that is announced as too large, or null."""
        size = _number(path.parameters.get("SIZE", "")) or 0
        too_large = size > replies.LARGEST_MESSAGE and self.sandbox.holds("smtp.size")
        return replies.TOO_LARGE if too_large else None


def _number(text: str) -> int | None:
    """Return a number of ASCII digits, null where the text is none."""
    return int(text) if text.isascii() and text.isdigit() else None


_HANDLERS: dict[str, Callable[[Any, str], Awaitable[Reply | None]]] = {
    "EHLO": SmtpSession._hello,
    "HELO": SmtpSession._old_hello,
    "STARTTLS": SmtpSession._starttls,
    "AUTH": SmtpSession._auth,
    "MAIL": SmtpSession._mail,
    "RCPT": SmtpSession._rcpt,
    "DATA": SmtpSession._data,
    "BDAT": SmtpSession._bdat,
    "RSET": SmtpSession._rset,
    "NOOP": SmtpSession._noop,
    "HELP": SmtpSession._help,
    "VRFY": SmtpSession._vrfy,
    "QUIT": SmtpSession._quit,
}

"""The SMTP submission client: look at the endpoint, sign in, send one message."""

from __future__ import annotations

import email.policy
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage

from runbook_lib.clients.routing import unreachable
from runbook_lib.clients.smtp_dialogue import Conversation, Reply
from runbook_lib.clients.smtp_refusals import session_of
from runbook_lib.clients.smtp_session import (
    authenticate,
    envelope,
    greet,
    hello,
    leave,
    secure,
    transmit,
    xoauth2,
)
from runbook_lib.clients.wire import Traffic, Wire
from runbook_lib.errors import InputError
from runbook_lib.secret import Mask, Secret

SUBMISSION_PORT = 587
# RFC 5321 section 4.5.3.2.6: how long a server may take over a message.
FINAL_TIMEOUT = 600.0

_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_SEVEN_BIT = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class EndpointFacts:
    """What a submission endpoint shows before anybody signs in.

    `addresses` are those its name resolves to, `peer` the one that answered.
    `certificate` has subject, issuer, names, not_before, not_after, sha256 and
    issuer_sha256; it, `tls_version` and `cipher` are None without STARTTLS. `auth`
    are the mechanisms offered under TLS, `size` the greatest message in bytes.
    """

    host: str
    port: int
    addresses: tuple[str, ...]
    peer: str
    banner: str
    starttls: bool
    tls_version: str | None
    cipher: str | None
    certificate: Mapping[str, object] | None
    auth: tuple[str, ...]
    size: int | None


@dataclass(frozen=True)
class Dialogue:
    """What was said, and the reply that decided.

    `lines` are the whole dialogue, masked. `reply`, `enhanced` and `text` are the
    deciding reply: to AUTH for a sign-in, to the message for a send. `session` has
    host, timestamp and id as far as the server told them.
    """

    lines: tuple[str, ...]
    reply: int
    enhanced: str | None
    text: str
    session: Mapping[str, str]


class SubmissionClient:
    """Speaks to submission endpoints over STARTTLS, certificates verified.

    Every dialogue is reported once, with or without success: host, port, peer,
    tls, lines, `write` (DATA was sent), error, and for a message its masked text,
    size and digest.

    Source: RFC 6409; Microsoft Learn, "Authenticate an IMAP, POP or SMTP
    connection using OAuth".
    """

    def __init__(
        self,
        wire: Wire,
        traffic: Traffic,
        mask: Mask,
        *,
        helo: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Speak as `helo`, a full host name; by default this machine's.

        `timeout` is in seconds, for each step; by default the wire's, and ten
        minutes for the reply to a message.
        """
        self._wire = wire
        self._traffic = traffic
        self._mask = mask
        self._helo = helo
        self._timeout = wire.timeout if timeout is None else timeout
        self._final_timeout = FINAL_TIMEOUT if timeout is None else timeout

    def observe_endpoint(self, host: str, port: int = SUBMISSION_PORT) -> EndpointFacts:
        """Connect, start TLS and leave, without signing in.

        Raises:
            UntrustedCertificate, Unreachable, SmtpRefused, UnknownReply.
        """
        addresses = self._addresses(host, port)
        with self._conversation(host, port) as conversation:
            banner = greet(conversation, self._timeout)
            plain = hello(conversation, self._name)
            starttls = "STARTTLS" in plain
            secured = secure(conversation, self._name) if starttls else {}
            leave(conversation)
        tls = conversation.tls or {}
        size = (secured or plain).get("SIZE", "")
        return EndpointFacts(
            host=host,
            port=port,
            addresses=addresses,
            peer=str(conversation.peer),
            banner=banner,
            starttls=starttls,
            tls_version=_text(tls.get("version")),
            cipher=_text(tls.get("cipher")),
            certificate=conversation.certificate,
            auth=tuple(secured.get("AUTH", "").split()),
            size=int(size) if size.isdigit() else None,
        )

    def sign_in(
        self,
        host: str,
        port: int = SUBMISSION_PORT,
        *,
        mailbox: str,
        token: Secret,
        initial_response: bool = False,
    ) -> Dialogue:
        """Sign in to a mailbox with an access token, and leave.

        The two-step form is the documented one; `initial_response` sends the
        one-line form.

        Raises:
            SmtpRefused: such as `535 5.7.3`; the dialogue is in its facts.
            UnknownReply: no STARTTLS or no XOAUTH2 is offered; no token was sent.
            UntrustedCertificate, Unreachable.
        """
        blob = self._blob(mailbox, token)
        with self._conversation(host, port) as conversation:
            banner = greet(conversation, self._timeout)
            reply = authenticate(
                conversation, self._name, blob, initial_response=initial_response
            )
            leave(conversation)
        return _dialogue(conversation, reply, banner)

    def send(
        self,
        host: str,
        port: int = SUBMISSION_PORT,
        *,
        mailbox: str,
        token: Secret,
        message: EmailMessage,
        recipients: Sequence[str],
        sending: Callable[[], None] = lambda: None,
        sender: str | None = None,
    ) -> Dialogue:
        """Sign in and send one message to all recipients, or to none.

        The envelope sender is the mailbox, unless `sender` is given. A refused
        recipient ends the dialogue before DATA. `sending` is called when the
        server waits for the content: what happens before it has sent nothing.

        Raises:
            OutcomeUnknown: the message was sent and no final reply came.
            SmtpRefused, UnknownReply, UntrustedCertificate, Unreachable; InputError
            for an address or a message that cannot be sent.
        """
        content = _content(message)
        addresses = [_address(recipient) for recipient in recipients]
        if not addresses:
            raise InputError("A message needs a recipient.", remedy="Name one.")
        own, blob = _address(sender or mailbox), self._blob(mailbox, token)
        with self._conversation(host, port) as conversation:
            banner = greet(conversation, self._timeout)
            authenticate(conversation, self._name, blob, initial_response=False)
            envelope(conversation, own, addresses)
            reply = transmit(conversation, content, self._final_timeout, sending)
            leave(conversation)
        return _dialogue(conversation, reply, banner)

    @contextmanager
    def _conversation(self, host: str, port: int) -> Iterator[Conversation]:
        """Open nothing yet; close at the end, and report the dialogue."""
        conversation = Conversation(self._wire, host, port, self._mask)
        reason: str | None = None
        try:
            yield conversation
        except BaseException as error:  # an interrupted dialogue was held as well
            reason = self._mask.text(f"{type(error).__name__}: {error}")
            raise
        finally:
            conversation.close()
            self._traffic(
                {
                    "protocol": "smtp",
                    "host": host,
                    "port": port,
                    "peer": conversation.peer,
                    "tls": conversation.tls,
                    "write": conversation.write,
                    "lines": list(conversation.lines),
                    **conversation.message,
                    "error": reason,
                }
            )

    @property
    def _name(self) -> str:
        return self._helo or _own_name()

    def _blob(self, mailbox: str, token: Secret) -> Secret:
        return self._mask.add(xoauth2(_address(mailbox), self._mask.add(token)))

    def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        target, target_port = self._wire.address(host, port)
        try:
            found = socket.getaddrinfo(target, target_port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise unreachable(f"{host}:{port}", str(error)) from None
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _dialogue(conversation: Conversation, reply: Reply, banner: str) -> Dialogue:
    return Dialogue(
        lines=tuple(conversation.lines),
        reply=reply.code,
        enhanced=reply.enhanced,
        text=reply.text,
        session=session_of(reply.text, banner),
    )


def _content(message: EmailMessage) -> bytes:
    """Return a message as it goes over the wire: CRLF, and 7 bits only."""
    if not message["Message-ID"]:
        raise InputError("A message needs its own Message-ID, by which it is traced.")
    return message.as_bytes(policy=_SEVEN_BIT)


def _address(text: str) -> str:
    """Return an address that cannot break out of an SMTP command."""
    if not _ADDRESS.fullmatch(text):
        raise InputError(
            f"{text!r} is no plain mail address.",
            remedy="Write it as name@contoso.com, in ASCII, without brackets.",
        )
    return text


def _own_name() -> str:
    """Return this machine's full host name, which Exchange Online asks for."""
    name = socket.getfqdn()
    return name if "." in name else "runbook.invalid"


def _text(value: object) -> str | None:
    return None if value is None else str(value)

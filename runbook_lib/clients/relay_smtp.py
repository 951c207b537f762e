"""A stranger's look at a relay: TLS, and whether it relays for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from runbook_lib.clients.smtp_dialogue import Conversation
from runbook_lib.clients.smtp_session import greet, hello, leave, secure
from runbook_lib.clients.wire import Wire
from runbook_lib.errors import UnknownReply
from runbook_lib.secret import Mask

# A recipient that no mail server has (RFC 2606); no message is ever sent to it.
OUTSIDE = "open-relay-test@fabrikam.example"


@dataclass(frozen=True)
class RelayFacts:
    """What a relay showed; nothing was sent.

    `clear` is the reply to MAIL without TLS, `relays` the last reply to an envelope
    from a sender that it serves to a recipient outside; both as text.
    """

    tls_version: str | None
    certificate_sha256: str | None
    clear: str
    relays: str
    accepted: bool


def look_at_relay(
    wire: Wire, host: str, port: int, *, sender: str, helo: str
) -> RelayFacts:
    """Connect twice: without TLS, and with it up to a recipient; then reset.

    Raises:
        UntrustedCertificate, Unreachable, SmtpRefused; UnknownReply where no
        STARTTLS is offered.
    """
    clear = _clear(wire, host, port, sender, helo)
    conversation = Conversation(wire, host, port, Mask())
    try:
        greet(conversation, wire.timeout)
        if "STARTTLS" not in hello(conversation, helo):
            raise UnknownReply(f"{host}:{port} does not offer STARTTLS.")
        secure(conversation, helo)
        last = conversation.command(f"MAIL FROM:<{sender}>")
        if last.code == 250:
            last = conversation.command(f"RCPT TO:<{OUTSIDE}>")
        accepted = last.code in (250, 251)
        conversation.command("RSET")
        leave(conversation)
    finally:
        conversation.close()
    tls, certificate = conversation.tls or {}, conversation.certificate or {}
    return RelayFacts(
        tls_version=str(tls.get("version")) if tls else None,
        certificate_sha256=str(certificate.get("sha256")) if certificate else None,
        clear=clear,
        relays=f"{last.code} {last.text}",
        accepted=accepted,
    )


def _clear(wire: Wire, host: str, port: int, sender: str, helo: str) -> str:
    """Return the reply to MAIL on a connection in clear text."""
    conversation = Conversation(wire, host, port, Mask())
    try:
        greet(conversation, wire.timeout)
        hello(conversation, helo)
        reply = conversation.command(f"MAIL FROM:<{sender}>")
        leave(conversation)
    finally:
        conversation.close()
    return f"{reply.code} {reply.text}"

"""The turns of a submission: greeting, TLS, sign-in, message, farewell.

Source: RFC 5321; RFC 3207 (STARTTLS); RFC 4954 (AUTH).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress

from runbook_lib.clients.smtp_dialogue import Conversation, Reply
from runbook_lib.clients.smtp_refusals import refused
from runbook_lib.errors import CannotLook, UnknownReply
from runbook_lib.secret import MASKED, Secret


def greet(conversation: Conversation, timeout: float) -> str:
    """Connect and return the text of the greeting."""
    greeting = conversation.connect(timeout)
    if greeting.code != 220:
        raise refused(conversation, "the connection", greeting)
    return greeting.text


def hello(conversation: Conversation, name: str) -> dict[str, str]:
    """Say EHLO and return the keywords with their parameters."""
    reply = expect(conversation, "EHLO", f"EHLO {name}", 250)
    keywords = (line.partition(" ") for line in reply.texts[1:])
    return {keyword.upper(): rest for keyword, _, rest in keywords}


def secure(conversation: Conversation, name: str) -> dict[str, str]:
    """Start TLS, say EHLO again and return the keywords under TLS."""
    expect(conversation, "STARTTLS", "STARTTLS", 220)
    conversation.start_tls()
    return hello(conversation, name)


def authenticate(
    conversation: Conversation, name: str, blob: Secret, *, initial_response: bool
) -> Reply:
    """Start TLS and sign in with the client response `blob` of XOAUTH2.

    Raises:
        UnknownReply: TLS or XOAUTH2 is not offered; nothing secret was sent.
        SmtpRefused: the sign-in failed.

    Source: Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using
    OAuth"; RFC 4954 section 4.
    """
    if "STARTTLS" not in hello(conversation, name):
        raise _not_offered(conversation, "STARTTLS")
    if "XOAUTH2" not in secure(conversation, name).get("AUTH", "").split():
        raise _not_offered(conversation, "AUTH XOAUTH2")
    reply = _present(conversation, blob, initial_response)
    if reply.code == 334:
        # Another challenge holds details of a refusal; an empty line ends it.
        reply = conversation.command("")
    if reply.code != 235:
        raise refused(conversation, "AUTH", reply)
    return reply


def envelope(conversation: Conversation, sender: str, recipients: list[str]) -> None:
    """Name the sender and every recipient; all have to be accepted."""
    expect(conversation, "MAIL", f"MAIL FROM:<{sender}>", 250)
    for recipient in recipients:
        expect(conversation, "RCPT", f"RCPT TO:<{recipient}>", 250, 251)


def transmit(
    conversation: Conversation,
    content: bytes,
    timeout: float,
    sending: Callable[[], None],
) -> Reply:
    """Send the message and return the server's acceptance."""
    conversation.write = True
    expect(conversation, "DATA", "DATA", 354)
    sending()
    reply = conversation.data(content, timeout=timeout)
    if reply.code != 250:
        raise refused(conversation, "the message", reply)
    return reply


def leave(conversation: Conversation) -> None:
    """Say QUIT; what comes of it changes nothing any more."""
    with suppress(CannotLook):
        conversation.command("QUIT")


def expect(conversation: Conversation, stage: str, line: str, *codes: int) -> Reply:
    """Send a line and return its reply, which has to have one of the codes."""
    reply = conversation.command(line)
    if reply.code not in codes:
        raise refused(conversation, stage, reply)
    return reply


def xoauth2(mailbox: str, token: Secret) -> Secret:
    """Return the client response of XOAUTH2, base64.

    Source: Microsoft Learn, "SASL XOAUTH2".
    """
    plain = f"user={mailbox}\x01auth=Bearer {token.reveal()}\x01\x01"
    return Secret(base64.b64encode(plain.encode()).decode())


def _present(conversation: Conversation, blob: Secret, initial_response: bool) -> Reply:
    """Send the response, with the command or after its empty challenge."""
    if initial_response:
        line = f"AUTH XOAUTH2 {blob.reveal()}"
        return conversation.command(line, shown=f"AUTH XOAUTH2 {MASKED}")
    reply = conversation.command("AUTH XOAUTH2")
    if reply.code != 334:
        return reply
    return conversation.command(blob.reveal(), shown=MASKED)


def _not_offered(conversation: Conversation, keyword: str) -> UnknownReply:
    return UnknownReply(
        f"{conversation.where} does not offer {keyword}; no token was sent.",
        remedy="Check host and port 587, and look for a device that changes SMTP.",
        facts={"endpoint": conversation.where, "lines": list(conversation.lines)},
    )

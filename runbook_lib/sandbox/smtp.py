"""SMTP submission: smtp.office365.com, port 587.

Source: Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth"
and "Exchange Online limits"; transcripts of the real service.
"""

import asyncio
import ssl
from collections import Counter
from typing import ClassVar

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.smtp_authentication import SignedIn, judge
from runbook_lib.sandbox.smtp_conditions import condition_at, submission_condition
from runbook_lib.sandbox.smtp_connection import SmtpConnection
from runbook_lib.sandbox.smtp_delivery import Submission, deliver
from runbook_lib.sandbox.smtp_headers import (
    origin,
    received,
    without_organization_fields,
)
from runbook_lib.sandbox.smtp_limits import (
    LARGEST_CONCURRENCY,
    external_refusal,
    limit_refusal,
    recipient_limit,
    take_turn,
)
from runbook_lib.sandbox.smtp_password import password_refusal
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.smtp_senders import sender_refusal
from runbook_lib.sandbox.smtp_session import SmtpSession
from runbook_lib.sandbox.state import Sandbox


async def start_submission(
    sandbox: Sandbox, host: str, port: int, ssl_context: ssl.SSLContext
) -> asyncio.Server:
    """Start the submission server; port 0 takes any free one."""
    signed_in: Counter[str] = Counter()

    async def serve(connection: SmtpConnection) -> None:
        session = SubmissionSession(sandbox, connection, ssl_context, signed_in)
        try:
            await session.run()
        finally:
            session.sign_out()

    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: SmtpConnection(serve), host, port)


class SubmissionSession(SmtpSession):
    """A client that submits mail for a mailbox."""

    protocol: ClassVar[str] = "smtp"
    banner_host: ClassVar[str] = replies.FRONT_BANNER_HOST

    def __init__(
        self,
        sandbox: Sandbox,
        connection: SmtpConnection,
        context: ssl.SSLContext,
        signed_in: Counter[str],
    ) -> None:
        """Begin signed out; `signed_in` counts the sign-ins of each mailbox."""
        super().__init__(sandbox, connection, context)
        self.who: SignedIn | None = None
        self._signed_in = signed_in
        self._failed: Reply | None = None

    def log_host(self) -> str:
        """Return the name of the submission endpoint."""
        return self.sandbox.cloud.submission[0]

    def tenant_id(self) -> str | None:
        """Return the tenant of the signed-in mailbox."""
        return self.who.tenant.tenant_id if self.who else None

    def offer(self) -> str | None:
        """Offer STARTTLS first, then sign-in."""
        early = not self.sandbox.holds("smtp.auth-after-tls")
        if self.connection.tls or early:
            return "AUTH LOGIN XOAUTH2"
        return "STARTTLS"

    async def sign_in(self, argument: str) -> Reply:
        """Answer AUTH: XOAUTH2 is judged, LOGIN is always refused."""
        early = not self.sandbox.holds("smtp.auth-after-tls")
        mechanism, _, initial = argument.partition(" ")
        if not (self.connection.tls or early):
            return replies.UNKNOWN_MECHANISM
        if self.who is not None or self.envelope.sender is not None:
            return replies.ONLY_ONCE
        if mechanism.upper() == "XOAUTH2":
            return await self._sign_in_by_token(initial.strip())
        if mechanism.upper() == "LOGIN":
            return await self._sign_in_by_password(initial.strip())
        return replies.UNKNOWN_MECHANISM

    def sign_out(self) -> None:
        """Count the sign-in no longer; the connection ends."""
        if self.who is not None:
            self._signed_in[self._mailbox_key(self.who)] -= 1
            self.who = None

    def check_sender(self, sender: str) -> Reply | None:
        """Refuse MAIL of a client that is not signed in, or one too many."""
        if self.who is None:
            needed = self.sandbox.holds("smtp.mail-needs-auth")
            return self._not_signed_in() if needed else None
        if self.sandbox.faults.take("smtp-451", "smtp"):
            return replies.TRY_AGAIN
        crowded = self._signed_in[self._mailbox_key(self.who)] > LARGEST_CONCURRENCY
        if crowded and self.sandbox.holds("smtp.concurrency"):
            return replies.TOO_MANY_CONNECTIONS
        return None

    def check_recipient(self, recipient: str) -> Reply | None:
        """Refuse one recipient more than the mailbox's limit."""
        known = self.who is not None
        limit = recipient_limit(self.who.mailbox) if self.who else 0
        full = known and len(self.envelope.recipients) >= limit
        if full and self.sandbox.holds("smtp.recipient-limit"):
            return replies.TOO_MANY_RECIPIENTS
        return None

    def accept(self, content: bytes) -> Reply:
        """Judge a message, deliver it, and return the Message-ID that was given."""
        if self.who is None:
            return replies.NOT_SIGNED_IN
        if self.sandbox.faults.take("smtp-430", "smtp"):
            return replies.LOGON_FAILURE
        return self._refusal(self.who, content) or self._taken(self.who, content)

    def _refusal(self, who: SignedIn, content: bytes) -> Reply | None:
        """Refuse a message for its senders, its size, a limit or a condition."""
        recipients = list(dict.fromkeys(self.envelope.recipients))
        return (
            sender_refusal(self.sandbox, who, self.envelope.sender or "", content)
            or limit_refusal(self.sandbox, who.mailbox, len(recipients), len(content))
            or submission_condition(self.sandbox, who.tenant, who.address, recipients)
            or external_refusal(self.sandbox, who.tenant, recipients)
        )

    def _taken(self, who: SignedIn, content: bytes) -> Reply:
        """Deliver a message, at its turn."""
        recipients = list(dict.fromkeys(self.envelope.recipients))
        submission = Submission(
            self.envelope.sender or "",
            recipients,
            without_organization_fields(content),
            self.connection.source.address,
            who.mailbox,
            self._fields(),
            turn=take_turn(self.sandbox, who.mailbox, len(recipients)),
        )
        return replies.submitted(deliver(self.sandbox, who.tenant, submission))

    def _fields(self) -> tuple[str, ...]:
        """Return the fields that the server puts in front of a message."""
        source = self.connection.source
        trail = received(source, self.hello, replies.BACK_HOST, self.session_id)
        return (trail, *origin(internal=True))

    def _not_signed_in(self) -> Reply:
        """Return the refusal of MAIL, with what sign-in was refused for."""
        told = self.sandbox.holds("smtp.cause-of-refusal")
        return replies.not_signed_in(self._failed if told else None)

    async def _sign_in_by_token(self, initial: str) -> Reply:
        """Judge an XOAUTH2 blob that comes with the command or after a challenge."""
        if not initial:
            if not self.sandbox.holds("smtp.two-step"):
                return replies.SIGN_IN_FAILED
            initial = await self._asked(replies.CHALLENGE)
        if initial == "*":
            return replies.CANCELLED
        result = self._judged(initial)
        if isinstance(result, Reply):
            self._failed = result
            return result
        self.who = result
        self._signed_in[self._mailbox_key(result)] += 1
        return replies.SIGNED_IN

    def _judged(self, blob: str) -> SignedIn | Reply:
        """Judge a blob, and what was declared for its mailbox."""
        result = judge(self.sandbox, blob)
        if isinstance(result, Reply):
            return result
        address = result.address
        return condition_at(self.sandbox, "auth", "mailbox", address) or result

    async def _sign_in_by_password(self, initial: str) -> Reply:
        """Ask for what was not sent yet, then refuse: nobody has a password."""
        name = initial or await self._asked(replies.ASK_NAME)
        if name == "*" or await self._asked(replies.ASK_PASSWORD) == "*":
            return replies.CANCELLED
        if not self.sandbox.holds("smtp.basic-authentication"):
            return replies.SIGNED_IN
        self._failed = password_refusal(self.sandbox, name)
        return self._failed

    async def _asked(self, question: Reply) -> str:
        """Ask the client for a line and return it."""
        await self.send(question)
        answer = await self.connection.line()
        return answer.decode("ascii", errors="replace").strip()

    def _mailbox_key(self, who: SignedIn) -> str:
        """Return what counts the sign-ins of a mailbox."""
        return str(who.mailbox.mailbox["Guid"])

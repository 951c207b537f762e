"""SMTP submission: smtp.office365.com, port 587.

Source: Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth"
and "Exchange Online limits"; transcripts of the real service.
"""

import asyncio
import ssl
from collections import Counter
from typing import Any, ClassVar

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.exchange_invocation import addresses_of
from runbook_lib.sandbox.smtp_address import header_senders, read_message
from runbook_lib.sandbox.smtp_authentication import SignedIn, judge
from runbook_lib.sandbox.smtp_connection import SmtpConnection
from runbook_lib.sandbox.smtp_delivery import Submission, deliver, recipient_mailbox
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.smtp_session import SmtpSession
from runbook_lib.sandbox.state import Mailbox, Sandbox

LARGEST_CONCURRENCY = 3
DEFAULT_RECIPIENT_LIMIT = 500


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
            return replies.NOT_SIGNED_IN if needed else None
        if self.sandbox.faults.take("smtp-451", "smtp"):
            return replies.TRY_AGAIN
        crowded = self._signed_in[self._mailbox_key(self.who)] > LARGEST_CONCURRENCY
        if crowded and self.sandbox.holds("smtp.concurrency"):
            return replies.TOO_MANY_CONNECTIONS
        return None

    def check_recipient(self, recipient: str) -> Reply | None:
        """Refuse one recipient more than the mailbox's limit."""
        full = len(self.envelope.recipients) >= self._recipient_limit()
        if full and self.sandbox.holds("smtp.recipient-limit"):
            return replies.TOO_MANY_RECIPIENTS
        return None

    def accept(self, content: bytes) -> Reply:
        """Check the senders, deliver, and return the Message-ID that was given."""
        if self.who is None:
            return replies.NOT_SIGNED_IN
        if self.sandbox.faults.take("smtp-430", "smtp"):
            return replies.LOGON_FAILURE
        sender = self.envelope.sender or ""
        for address, row in self._senders(sender, content):
            if self.sandbox.holds(row) and not self._may_send_as(self.who, address):
                return replies.send_as_denied(self.who.address, address or "<>")
        submission = Submission(
            sender,
            self.envelope.recipients,
            content,
            self.connection.source.address,
            self.who.mailbox,
        )
        return replies.submitted(deliver(self.sandbox, self.who.tenant, submission))

    async def _sign_in_by_token(self, initial: str) -> Reply:
        """Judge an XOAUTH2 blob that comes with the command or after a challenge."""
        if not initial:
            if not self.sandbox.holds("smtp.two-step"):
                return replies.SIGN_IN_FAILED
            initial = await self._asked(replies.CHALLENGE)
        if initial == "*":
            return replies.CANCELLED
        result = judge(self.sandbox, initial)
        if isinstance(result, Reply):
            return result
        self.who = result
        self._signed_in[self._mailbox_key(result)] += 1
        return replies.SIGNED_IN

    async def _sign_in_by_password(self, initial: str) -> Reply:
        """Ask for what was not sent yet, then refuse: Basic authentication is off."""
        questions = [] if initial else [replies.ASK_NAME]
        for question in [*questions, replies.ASK_PASSWORD]:
            if await self._asked(question) == "*":
                return replies.CANCELLED
        if self.sandbox.holds("smtp.basic-authentication"):
            return replies.BASIC_DISABLED
        return replies.SIGNED_IN

    async def _asked(self, question: Reply) -> str:
        """Ask the client for a line and return it."""
        await self.send(question)
        answer = await self.connection.line()
        return answer.decode("ascii", errors="replace").strip()

    def _senders(self, sender: str, content: bytes) -> list[tuple[str, str]]:
        """Return the sender addresses to check, each with the row that checks it."""
        header = header_senders(read_message(content))
        shown = [(address, "smtp.send-as-header") for address in header]
        return [(sender, "smtp.send-as-envelope"), *shown]

    def _may_send_as(self, who: SignedIn, address: str) -> bool:
        """Say whether the signed-in mailbox may use a sender address."""
        if address == who.address.lower():
            return True
        if address in addresses_of(who.mailbox):
            settings = who.tenant.exchange.organization_config
            checked = self.sandbox.holds("smtp.send-from-alias")
            return bool(settings["SendFromAliasEnabled"]) or not checked
        other = recipient_mailbox(who.tenant, address)
        return other is not None and self._is_trustee(who, other)

    def _is_trustee(self, who: SignedIn, other: Mailbox) -> bool:
        """Say whether a SendAs row names the principal or the signed-in mailbox."""
        if not self.sandbox.holds("smtp.send-as-trustee"):
            return True
        accounts = {who.principal["Sid"], who.mailbox.mailbox["UserPrincipalName"]}
        return any(row["Trustee"] in accounts for row in other.recipient_permissions)

    def _recipient_limit(self) -> int:
        """Return the number of recipients that one message may have."""
        limit: Any = None
        if self.who is not None:
            limit = self.who.mailbox.mailbox.get("RecipientLimits")
        text = str(limit)
        return int(text) if text.isdigit() else DEFAULT_RECIPIENT_LIMIT

    def _mailbox_key(self, who: SignedIn) -> str:
        """Return what counts the sign-ins of a mailbox."""
        return str(who.mailbox.mailbox["Guid"])

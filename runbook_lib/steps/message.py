"""Proof: messages that are sent once and followed to their delivery."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar

from runbook_lib.engine.effects import MessageProbe
from runbook_lib.engine.expect import State
from runbook_lib.engine.step import NotAsExpected, Observation
from runbook_lib.errors import SmtpRefused
from runbook_lib.session import Session
from runbook_lib.steps.message_trace import trace_time, unseen_beyond
from runbook_lib.steps.reading import text
from runbook_lib.steps.submission import (
    PORT,
    SMTP_REMEDIES,
    TEST,
    TOKEN_REMEDIES,
    precise,
    sap_token,
)

# How the subjects of this tool's own messages begin; SAP's begin otherwise.
OWN_SUBJECT = "Test of SAP outbound mail"
LOST = frozenset({"Failed", "FilteredAsSpam", "Quarantined"})


@dataclass(frozen=True)
class SendTestMessage(MessageProbe):
    """One message reaches the trace status Delivered.

    `audience` is `internal` or `external`; the recipient stands in the tenant
    file. For an external recipient Delivered means that the next mail server
    accepted the message; what happens there is not seen.

    Source: guide, "Optional: Test the configuration in Entra and Exchange
    Online", step 3; Get-MessageTraceV2.
    """

    title: ClassVar[str] = "Send a test message to an {key} recipient"
    guide: ClassVar[str] = TEST
    key: ClassVar[str | None] = "audience"
    requires: ClassVar[tuple[str, ...]] = ("sign-in-to-smtp",)
    remedies: ClassVar[Mapping[str, str]] = {**TOKEN_REMEDIES, **SMTP_REMEDIES}
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({"Status"})
    audience: str
    recipient: str
    app_id: str
    key_id: str
    mailbox: str
    host: str

    def expect(self) -> State:
        """Return the status in the message trace."""
        return {"Status": "Delivered"}

    def message_id(self, session: Session) -> str:
        """Return the Message-ID given to the message: run and audience."""
        domain = self.mailbox.rpartition("@")[2]
        return f"<{session.run}.{self.audience}@{domain}>"

    def subject(self, session: Session) -> str:
        """Return the subject, by which a message is found if its ID is not known."""
        return f"{OWN_SUBJECT}, {self.audience} ({session.mark})"

    def act(self, session: Session, sending: Callable[[], None]) -> State:
        """Send the message once."""
        token = sap_token(session, self.app_id, self.key_id)
        try:
            dialogue = session.submission.send(
                self.host,
                PORT,
                mailbox=self.mailbox,
                token=token.secret,
                message=composed(
                    session,
                    sender=self.mailbox,
                    recipient=self.recipient,
                    subject=self.subject(session),
                    message_id=self.message_id(session),
                ),
                recipients=[self.recipient],
                sending=sending,
            )
        except SmtpRefused as refusal:
            raise precise(refusal) from None
        return {
            "Message-ID": stated_message_id(dialogue.text) or self.message_id(session),
            "Message-ID as sent": self.message_id(session),
            "reply": dialogue.reply,
            "dialogue": list(dialogue.lines),
        }

    def follow(self, session: Session, sent: State) -> Observation:
        """Look in the message trace: by Message-ID, or by subject if it is lost."""
        row = traced(
            session,
            message_id=text(sent, "Message-ID"),
            subject=self.subject(session),
            recipient=self.recipient,
        )
        status = text(row, "Status") if row else None
        if status in LOST:
            raise NotAsExpected(
                f"The message trace says {status} for {self.recipient}.",
                remedy="Read the trace's detail in the Exchange admin center.",
                remedy_id=f"send-test-message-{self.audience}",
                facts={"row": row},
            )
        return Observation(
            {"Status": status},
            context={"recipient": self.recipient},
            advice=unseen_beyond(self.audience),
            facts={"row": row, **sent},
        )


def composed(
    session: Session, *, sender: str, recipient: str, subject: str, message_id: str
) -> EmailMessage:
    """Return a test message that nobody needs to answer."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Message-ID"] = message_id
    message["Date"] = format_datetime(session.now())
    message.set_content(
        "This message proves that mail leaves through SMTP with OAuth 2.0.\n"
        f"Sent by run {session.run}. Nobody needs to answer it.\n"
    )
    return message


def traced(
    session: Session, *, message_id: str | None, subject: str, recipient: str
) -> Mapping[str, object] | None:
    """Return a message's row of the trace: by Message-ID, by subject without one."""
    now = session.now()
    rows = session.exchange.message_trace(
        message_id=message_id,
        subject=None if message_id else subject,
        recipient=recipient,
        start=trace_time(now - timedelta(days=2)),
        end=trace_time(now + timedelta(hours=1)),
    )
    return rows[0] if rows else None


def stated_message_id(reply: str) -> str | None:
    """Return the Message-ID that the final reply names, or None.

    Exchange Online gives a submitted message a Message-ID of its own and keeps
    the client's as X-Microsoft-Original-Message-ID.

    Source: transcripts of smtp.office365.com; git-send-email, outlook-id-fix.
    """
    found = re.search(r"<[^<>@\s]+@[^<>@\s]+>", reply)
    return found[0] if found else None

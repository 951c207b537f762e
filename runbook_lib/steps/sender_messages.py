"""Proof that the further senders may send: one message from each, followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

from runbook_lib.clients.smtp import Dialogue
from runbook_lib.engine.effects import Act, MessageProbe
from runbook_lib.engine.expect import Including, State
from runbook_lib.engine.step import NotAsExpected, Observation
from runbook_lib.errors import SmtpRefused
from runbook_lib.session import Session
from runbook_lib.steps.message import (
    LOST,
    OWN_SUBJECT,
    composed,
    stated_message_id,
    traced,
)
from runbook_lib.steps.reading import text
from runbook_lib.steps.senders import LIMITATIONS, further_senders
from runbook_lib.steps.submission import (
    PORT,
    SMTP_REMEDIES,
    TOKEN_REMEDIES,
    precise,
    sap_token,
)

Rows = Mapping[str, Mapping[str, object] | None]


@dataclass(frozen=True)
class SendFromFurtherSenders(MessageProbe):
    """A message from each further sender is taken, and reaches Delivered.

    Exchange Online judges the sender at the end of a message, so nothing less
    proves it. From and envelope are the sender, as SAP has them. All go to the
    internal recipient of the tenant file.

    Source: guide, "Limitations of SMTP OAuth"; error 5.2.252 (SendAsDenied) of
    Exchange Online; Get-MessageTraceV2.
    """

    title: ClassVar[str] = "Send a test message from each further sender"
    guide: ClassVar[str] = LIMITATIONS
    requires: ClassVar[tuple[str, ...]] = ("sender-addresses", "sign-in-to-smtp")
    remedies: ClassVar[Mapping[str, str]] = {**TOKEN_REMEDIES, **SMTP_REMEDIES}
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({"Delivered"})
    mailbox: str
    senders: str
    recipient: str
    app_id: str
    key_id: str
    host: str

    def applicable(self) -> None:
        """Leave it out where SAP sends from the mailbox's address alone."""
        further_senders(self.senders, self.mailbox)

    def expect(self) -> State:
        """Return that every sender's message shows as Delivered in the trace."""
        return {"Delivered": Including(further_senders(self.senders, self.mailbox))}

    def parts(self) -> Mapping[str, Act]:
        """Return what sends from each address."""
        senders = further_senders(self.senders, self.mailbox)
        return {address: partial(self.send_from, address) for address in senders}

    def send_from(
        self, address: str, session: Session, sending: Callable[[], None]
    ) -> State:
        """Send a message from one address.

        Raises:
            SmtpRefused: the server does not take this sender, or nothing at all.
        """
        try:
            dialogue = self._send(session, address, sending)
        except SmtpRefused as error:
            refusal = precise(error)
            raise SmtpRefused(
                f"No message from {address}: {refusal.message}",
                code=refusal.code,
                facts=refusal.facts,
            ) from None
        return {
            "Message-ID": stated_message_id(dialogue.text) or _own_id(session, address),
            "reply": dialogue.reply,
            "dialogue": list(dialogue.lines),
        }

    def _send(
        self, session: Session, address: str, sending: Callable[[], None]
    ) -> Dialogue:
        token = sap_token(session, self.app_id, self.key_id)
        return session.submission.send(
            self.host,
            PORT,
            mailbox=self.mailbox,
            token=token.secret,
            message=composed(
                session,
                sender=address,
                recipient=self.recipient,
                subject=_subject(session, address),
                message_id=_own_id(session, address),
            ),
            recipients=[self.recipient],
            sending=sending,
            sender=address,
        )

    def follow(self, session: Session, sent: State) -> Observation:
        """Look for each message in the trace: by subject if its ID is not known.

        Raises:
            NotAsExpected: a message did not arrive.
        """
        rows = self._rows(session, cast("Mapping[str, State]", sent))
        status = {address: text(row or {}, "Status") for address, row in rows.items()}
        lost = {a: s for a, s in status.items() if s in LOST}
        if lost:
            raise _lost(lost, rows)
        return Observation(
            {"Delivered": [a for a, s in status.items() if s == "Delivered"]},
            context={"recipient": self.recipient},
            facts={"rows": rows, **sent},
        )

    def _rows(self, session: Session, sent: Mapping[str, State]) -> Rows:
        """Return each sender's row of the trace, or None."""
        return {
            address: traced(
                session,
                message_id=text(sent.get(address, {}), "Message-ID"),
                subject=_subject(session, address),
                recipient=self.recipient,
            )
            for address in further_senders(self.senders, self.mailbox)
        }


def _own_id(session: Session, address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"<{session.run}.{name}@{domain}>"


def _subject(session: Session, address: str) -> str:
    return f"{OWN_SUBJECT} from {address} ({session.mark})"


def _lost(lost: Mapping[str, str | None], rows: Rows) -> NotAsExpected:
    told = ", ".join(f"{status} from {address}" for address, status in lost.items())
    return NotAsExpected(
        f"The message trace says {told}.",
        remedy="Read the trace's detail in the Exchange admin center.",
        remedy_id="send-from-further-senders",
        facts={"rows": rows},
    )

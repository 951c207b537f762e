"""Proof that the further senders may send: one message from each, followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

from runbook_lib.engine.attempt import NOTHING_WRITTEN
from runbook_lib.engine.effects import MessageProbe
from runbook_lib.engine.expect import Including, State
from runbook_lib.engine.step import NotAsExpected, Observation
from runbook_lib.errors import CannotLook, OutcomeUnknown, SmtpRefused
from runbook_lib.secret import Secret
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

    def act(self, session: Session, sending: Callable[..., None]) -> State:
        """Send from each; one that is refused keeps no other from being tried.

        The Message-ID is null where it is not known whether a message was taken.

        Raises:
            SmtpRefused, Unreachable, …: as the first, where surely none was taken.
        """
        senders = further_senders(self.senders, self.mailbox)
        taken, refused = self._from_each(session, senders, sending)
        if not taken:
            first = next(iter(refused.values()))
            raise precise(first) if isinstance(first, SmtpRefused) else first
        # To raise now would say that nothing was sent, and it would be sent again.
        return _told(taken, refused)

    def rest(
        self, session: Session, begun: tuple[str, ...], sending: Callable[..., None]
    ) -> State | None:
        """Send from those that an interrupted attempt did not come to."""
        senders = further_senders(self.senders, self.mailbox)
        left = tuple(address for address in senders if address not in begun)
        taken, refused = self._from_each(session, left, sending) if left else ({}, {})
        return _told({**dict.fromkeys(begun), **taken}, refused)

    def _from_each(
        self, session: Session, senders: tuple[str, ...], sending: Callable[..., None]
    ) -> tuple[dict[str, str | None], dict[str, CannotLook]]:
        """Return the Message-IDs of what was taken, and why the others were not."""
        token = sap_token(session, self.app_id, self.key_id).secret
        taken: dict[str, str | None] = {}
        refused: dict[str, CannotLook] = {}
        for address in senders:
            try:
                taken[address] = self._sent(session, address, token, sending)
            except NOTHING_WRITTEN as error:
                refused[address] = error
            except OutcomeUnknown:
                taken[address] = None
        return taken, refused

    def _sent(
        self,
        session: Session,
        address: str,
        token: Secret,
        sending: Callable[..., None],
    ) -> str:
        """Send from one address; return the Message-ID that the server gave it."""
        domain = address.rpartition("@")[2]
        own = f"<{session.run}.{address.partition('@')[0]}@{domain}>"
        dialogue = session.submission.send(
            self.host,
            PORT,
            mailbox=self.mailbox,
            token=token,
            message=composed(
                session,
                sender=address,
                recipient=self.recipient,
                subject=_subject(session, address),
                message_id=own,
            ),
            recipients=[self.recipient],
            sending=partial(sending, address),
            sender=address,
        )
        return stated_message_id(dialogue.text) or own

    def follow(self, session: Session, sent: State) -> Observation:
        """Look for each message in the trace.

        Raises:
            NotAsExpected: a sender was refused, or its message did not arrive.
        """
        refused = cast("Mapping[str, str]", sent.get("refused") or {})
        if refused:
            raise _denied(refused, sent)
        rows = self._rows(session, sent)
        status = {address: text(row or {}, "Status") for address, row in rows.items()}
        lost = {a: s for a, s in status.items() if s in LOST}
        if lost:
            raise _lost(lost, rows)
        delivered = [a for a, s in status.items() if s == "Delivered"]
        return Observation(
            {"Delivered": delivered},
            context={"recipient": self.recipient},
            facts={"rows": rows, **sent},
        )

    def _rows(self, session: Session, sent: State) -> Rows:
        """Return each sender's row of the trace, or None."""
        known = cast("Mapping[str, object]", sent.get("Message-ID") or {})
        return {
            address: traced(
                session,
                message_id=text(known, address),
                subject=_subject(session, address),
                recipient=self.recipient,
            )
            for address in further_senders(self.senders, self.mailbox)
        }


def _subject(session: Session, address: str) -> str:
    return f"{OWN_SUBJECT} from {address} ({session.mark})"


def _told(taken: Mapping[str, str | None], refused: Mapping[str, CannotLook]) -> State:
    told = {address: error.message for address, error in refused.items()}
    return {"Message-ID": dict(taken), "refused": told}


def _denied(refused: Mapping[str, str], sent: State) -> NotAsExpected:
    address, reply = next(iter(refused.items()))
    more = f" ({len(refused)} senders are refused)" if len(refused) > 1 else ""
    return NotAsExpected(
        f"No message from {address}{more}: {reply}",
        remedy="Grant Send As for it, to the other of the two, or change the sender.",
        remedy_id="smtp-send-as-denied",
        facts=sent,
    )


def _lost(lost: Mapping[str, str | None], rows: Rows) -> NotAsExpected:
    told = ", ".join(f"{status} from {address}" for address, status in lost.items())
    return NotAsExpected(
        f"The message trace says {told}.",
        remedy="Read the trace's detail in the Exchange admin center.",
        remedy_id="send-from-further-senders",
        facts={"rows": rows},
    )

"""Proof of options 2 to 4: SAP's own test mail, found in the message trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Awaited, Check, Observation
from runbook_lib.session import MARK, Session
from runbook_lib.steps.message import OWN_SUBJECT
from runbook_lib.steps.message_trace import (
    DELIVERED,
    UNDERWAY,
    delivered_or_newest,
    rows_about,
    unseen_beyond,
)
from runbook_lib.steps.public_address import (
    Identification,
    identification,
    of_session,
    written,
)
from runbook_lib.steps.reading import Object, text


@dataclass(frozen=True)
class SapTestMessage(Check):
    """A mail that SAP sent was delivered, and came from SAP's own address.

    A person sends it from SAP (transaction SBWP) with the run's mark in its
    subject. `completes` is the run whose mark it carries, where that is not this
    run. Until the message trace shows it, the step waits; a mail that came from
    another address, or was not delivered, fails it. A connector that goes by a
    certificate has no fixed address, so there any address will do; for a
    recipient outside, only a matched connector gets a mail through at all.

    Source: guide, "Steps in SAP Application server", step 5;
    Get-MessageTraceV2.
    """

    title: ClassVar[str] = "Test mail from SAP to an {key} recipient"
    guide: ClassVar[str] = "steps-in-sap-application-server"
    key: ClassVar[str | None] = "audience"
    audience: str
    sender: str
    recipient: str
    address: str
    certificate: str = ""
    completes: str = ""

    def expect(self) -> State:
        """Return the status, and where the mail has to come from."""
        known = identification(self.address, self.certificate, examples=True)
        origin = written(known.network) if known.network else Present()
        return {"Status": DELIVERED, "FromIP": origin}

    def observe(self, session: Session) -> Observation:
        """Look in the message trace for the mark, newest first."""
        known = of_session(session, self.address, self.certificate)
        mark = mark_of(session, self.completes)
        rows = traced(session, self.recipient, mark)
        row = _best(rows, known)
        status = text(row, "Status") if row else None
        seen = {"Status": status, "FromIP": _shown(row, known)}
        return Observation(
            seen,
            context={
                "recipient": self.recipient,
                "sender": text(row, "SenderAddress") if row else None,
                "Message-ID": text(row, "MessageId") if row else None,
            },
            advice=unseen_beyond(self.audience),
            facts={"mark": mark, "rows": rows},
            awaits=self._awaited(row, known, mark) if status in UNDERWAY else None,
        )

    def _awaited(
        self, row: Object | None, known: Identification, mark: str
    ) -> Awaited | None:
        if row is not None and not known.holds(text(row, "FromIP")):
            return None
        mail = f"{self.sender} to {self.recipient}"
        return awaited_mail(mail, mark, due=bool(self.completes.strip()))


@dataclass(frozen=True)
class SapMessageTraced(Check):
    """The message that SAP sent with the run's mark was delivered.

    For option 1, where SAP signs in and its address does not matter. The row of
    `SOST` says that SAP handed a message over; the message trace says what became
    of it, and under which Message-ID.

    Source: guide, "Optional: Test the configuration …" (missing for SAP itself);
    Get-MessageTraceV2.
    """

    title: ClassVar[str] = "Test message from SAP in the message trace"
    guide: ClassVar[str] = "sap-s4hana-on-premises-and-sap-s4hana-cloud-private-edition"
    sender: str
    recipient: str
    completes: str = ""

    def expect(self) -> State:
        """Return the status."""
        return {"Status": DELIVERED}

    def observe(self, session: Session) -> Observation:
        """Look in the message trace for the mark; a delivered row goes first."""
        mark = mark_of(session, self.completes)
        rows = traced(session, self.recipient, mark)
        row = delivered_or_newest(rows) or {}
        mail = f"{self.sender} to {self.recipient}"
        due = bool(self.completes.strip())
        underway = text(row, "Status") in UNDERWAY
        return Observation(
            {"Status": text(row, "Status")},
            context={
                "recipient": self.recipient,
                "sender": text(row, "SenderAddress"),
                "Message-ID": text(row, "MessageId"),
            },
            facts={"mark": mark, "rows": rows},
            awaits=awaited_mail(mail, mark, due=due) if underway else None,
        )


def mark_of(session: Session, completes: str) -> str:
    """Return the mark in the subject: of the run that is completed, or of this one."""
    return f"{MARK}{completes.strip()}" if completes.strip() else session.mark


def traced(session: Session, recipient: str, mark: str) -> list[dict[str, object]]:
    """Return the rows of the message trace with a mark, newest first.

    This tool's own messages carry the mark as well, and are no mail of SAP.
    """
    rows = rows_about(session, recipient, mark)
    return [r for r in rows if not (text(r, "Subject") or "").startswith(OWN_SUBJECT)]


def awaited_mail(mail: str, mark: str, *, due: bool) -> Awaited:
    """Return what a person does: send this mail with the mark, then verify."""
    return Awaited(
        f"Waiting for a mail from SAP: {mail}, with {mark} in its subject; then "
        f"run verify with completes={mark.removeprefix(MARK)}.",
        planned=f"A person sends a mail from SAP: {mail}, with the mark in its "
        "subject that apply names.",
        due=due,
    )


def _best(rows: Sequence[Object], known: Identification) -> Object | None:
    """Return a delivered row of the right origin, else the newest one."""
    good = [
        row
        for row in rows
        if text(row, "Status") == DELIVERED and known.holds(text(row, "FromIP"))
    ]
    return next(iter([*good, *rows]), None)


def _shown(row: Object | None, known: Identification) -> str | None:
    """Return where a mail came from; within a range, the range."""
    found = text(row, "FromIP") if row else None
    inside = known.network is not None and known.holds(found)
    return written(known.network) if known.network and inside else found

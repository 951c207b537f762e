"""Proof of options 2 to 4: SAP's own test mail, found in the message trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Awaited, Check, Observation
from runbook_lib.session import MARK, Session
from runbook_lib.steps.public_address import (
    Identification,
    identification,
    of_session,
    written,
)
from runbook_lib.steps.reading import Object, text

# Get-MessageTraceV2 takes ten days at once.
LONGEST_WINDOW = timedelta(days=10)
AHEAD = timedelta(hours=1)

DELIVERED = "Delivered"
UNDERWAY = frozenset({None, "Pending", "GettingStatus"})


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
        mark = (
            f"{MARK}{self.completes.strip()}"
            if self.completes.strip()
            else session.mark
        )
        rows = self._rows(session, mark)
        row = _best(rows, known)
        status = text(row, "Status") if row else None
        seen = {"Status": status, "FromIP": _shown(row, known)}
        return Observation(
            seen,
            context={
                "recipient": self.recipient,
                "sender": text(row, "SenderAddress") if row else None,
            },
            advice=self._advice(),
            facts={"mark": mark, "rows": rows},
            awaits=self._awaited(row, known, mark) if status in UNDERWAY else None,
        )

    def _rows(self, session: Session, mark: str) -> list[dict[str, object]]:
        end = session.now() + AHEAD
        return session.exchange.message_trace(
            recipient=self.recipient,
            subject=mark,
            start=_time(end - LONGEST_WINDOW),
            end=_time(end),
        )

    def _awaited(
        self, row: Object | None, known: Identification, mark: str
    ) -> Awaited | None:
        if row is not None and not known.holds(text(row, "FromIP")):
            return None
        mail = f"{self.sender} to {self.recipient}"
        return Awaited(
            f"Waiting for a mail from SAP: {mail}, with {mark} in its subject; then "
            f"run verify with completes={mark.removeprefix(MARK)}.",
            planned=f"A person sends a mail from SAP: {mail}, with the mark in its "
            "subject that apply names.",
            due=bool(self.completes.strip()),
        )

    def _advice(self) -> str | None:
        if self.audience != "external":
            return None
        return "Accepted by the next mail server; delivery beyond it is not seen."


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


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

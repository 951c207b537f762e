"""A relay that runs: what its own host sees of it, and its first test mail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Awaited, Check, Observation
from runbook_lib.relay.probed import read_relay_view
from runbook_lib.session import Session
from runbook_lib.steps.message_trace import (
    DELIVERED,
    UNDERWAY,
    delivered_or_newest,
    rows_about,
)
from runbook_lib.steps.reading import text
from runbook_lib.steps.relay_configuration import OPTION


@dataclass(frozen=True)
class RelayRunning(Check):
    """The relay is encrypted, closed to strangers, and hands on what it has.

    `probe` names the file that `runbook probe --relay` wrote on the relay's host;
    until there is one the step waits.

    Source: guide, option 4; what `runbook probe --relay` does.
    """

    title: ClassVar[str] = "Relay runs and is closed"
    guide: ClassVar[str] = OPTION
    relay_host: str
    probe: str

    def expect(self) -> State:
        """Return what a good relay shows."""
        return {
            "TLS": OneOf(("TLSv1.2", "TLSv1.3")),
            "certificate": "trusted",
            "relaying for a stranger": "refused",
            "queue": "moves",
            "token": OneOf(("good", "none")),
        }

    def observe(self, session: Session) -> Observation:
        """Take in the file."""
        if not self.probe:
            return Observation({}, awaits=self._awaited())
        view = read_relay_view(Path(self.probe), self.relay_host)
        return Observation(
            view.properties,
            context=view.context,
            vantage=view.vantage,
            facts={"problems": list(view.problems)},
        )

    def _awaited(self) -> Awaited:
        sentence = (
            "Waiting for the file of `runbook probe --relay`, run on "
            f"{self.relay_host}; give it as probe."
        )
        return Awaited(sentence, planned=sentence)


@dataclass(frozen=True)
class RelayTestMessage(Check):
    """A mail sent on the relay itself was delivered, before SAP is touched.

    Its subject is `relay-test:` and the run id; `completes` is that run, where it is
    not this one.

    Source: guide, option 4 ("send a test mail from the relay directly");
    Get-MessageTraceV2.
    """

    title: ClassVar[str] = "Test mail from the relay itself"
    guide: ClassVar[str] = OPTION
    requires: ClassVar[tuple[str, ...]] = ("relay-configuration",)
    recipient: str
    completes: str = ""

    def expect(self) -> State:
        """Return the status in the message trace."""
        return {"Status": DELIVERED}

    def observe(self, session: Session) -> Observation:
        """Look in the message trace for the subject."""
        run = self.completes.strip() or session.run
        mark = f"relay-test:{run}"
        rows = rows_about(session, self.recipient, mark)
        row = delivered_or_newest(rows)
        status = text(row, "Status") if row else None
        return Observation(
            {"Status": status},
            context={
                "recipient": self.recipient,
                "FromIP": text(row, "FromIP") if row else None,
            },
            vantage="message trace",
            facts={"subject": mark, "rows": rows},
            awaits=self._awaited(mark) if status in UNDERWAY else None,
        )

    def _awaited(self, mark: str) -> Awaited:
        return Awaited(
            f"Waiting for a mail sent on the relay to {self.recipient}, with {mark} "
            "in its subject, as the README says; then run verify with "
            f"completes={mark.partition(':')[2]}.",
            planned=f"A person sends a mail on the relay to {self.recipient}, with "
            "the subject that apply names.",
            due=bool(self.completes.strip()),
        )

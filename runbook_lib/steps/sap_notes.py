"""Attestations about the SAP system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Attestation, Evidence, Observation
from runbook_lib.sap.note import delivered_by, note_state
from runbook_lib.session import Session

STATE = "implementation state"


@dataclass(frozen=True)
class SapNotesImplemented(Attestation):
    """SNOTE shows the note as implemented, or a support package contains it.

    The evidence is the pasted line of transaction SNOTE, or the support
    package that contains the note. A state that says otherwise fails the step,
    whatever the person states.

    Source: guide, "Prerequisites" (SAP Note 3581654).
    """

    title: ClassVar[str] = "SAP Note 3581654 is implemented"
    guide: ClassVar[str] = "prerequisites"
    note: str = "3581654"

    def expect(self) -> State:
        """Return the states that mean that the note is in the system."""
        return {
            STATE: OneOf(("completely implemented", "contained in support package"))
        }

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the pasted text and the attached text files."""
        text = "\n".join([evidence.text, *_texts(evidence)])
        package = delivered_by(text, self.note)
        state = note_state(text, self.note)
        if state in (None, "cannot be implemented", "obsolete") and package:
            state = "contained in support package"
        advice = None
        if state is None:
            advice = f"The text does not name note {self.note} with its state."
        return Observation(
            {STATE: state},
            context={"note": self.note, "support package": package},
            vantage="as stated by a person",
            advice=advice,
        )


def _texts(evidence: Evidence) -> list[str]:
    """Return the attachments that are text; screenshots are kept, not read."""
    kinds = {".txt", ".csv", ".log"}
    found = [path for path in evidence.files if path.suffix.lower() in kinds]
    return [path.read_text("utf-8", errors="replace") for path in found]

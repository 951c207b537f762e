"""Attestations about the SAP system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Attestation, Evidence, NothingToDo, Observation
from runbook_lib.sap.note import CERTIFICATE_NOTE, OAUTH_NOTE, delivered_by, note_state
from runbook_lib.sap.release import parse_credential
from runbook_lib.session import Session
from runbook_lib.steps.sap_evidence import ON_PREMISES

STATE = "implementation state"
GOOD = ("completely implemented", "contained in support package")


@dataclass(frozen=True)
class SapNotesImplemented(Attestation):
    """SNOTE shows the notes as implemented, or a support package contains them.

    The evidence is the pasted line of transaction SNOTE for each note, or the
    support package that contains it. A state that says otherwise fails the step,
    whatever the person states. A certificate needs SAP Note 3592080 beside
    3581654; products in SAP's cloud have no SNOTE.

    Source: guide, "Prerequisites" (SAP Note 3581654) and "Configure application
    credentials" (SAP Note 3592080).
    """

    title: ClassVar[str] = "SAP Notes are implemented"
    guide: ClassVar[str] = "prerequisites"
    note: str = OAUTH_NOTE
    credential: str = "secret"
    product: str = "s4-onprem"

    def applicable(self) -> None:
        """Leave it out for products whose notes SAP itself keeps."""
        if self.product not in ON_PREMISES:
            raise NothingToDo("not_applicable", f"{self.product} has no SNOTE.")

    def notes(self) -> dict[str, str]:
        """Return the notes that are needed, by the name of their property."""
        needed = {STATE: self.note}
        if parse_credential(self.credential) == "certificate":
            needed[f"{STATE} of {CERTIFICATE_NOTE}"] = CERTIFICATE_NOTE
        return needed

    def expect(self) -> State:
        """Return the states that mean that each note is in the system."""
        return dict.fromkeys(self.notes(), OneOf(GOOD))

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the pasted text and the attached text files."""
        text = "\n".join([evidence.text, *_texts(evidence)])
        notes = self.notes()
        states = {name: _state(text, note) for name, note in notes.items()}
        unnamed = [notes[name] for name, state in states.items() if state is None]
        packages = {note: delivered_by(text, note) for note in notes.values()}
        return Observation(
            states,
            context={
                "note": " and ".join(notes.values()),
                "support package": ", ".join(filter(None, packages.values())) or None,
            },
            vantage="as stated by a person",
            advice=_advice(unnamed),
        )


def _state(text: str, note: str) -> str | None:
    """Return a note's state; a package that contains it explains what is open."""
    state = note_state(text, note)
    if state in (None, "cannot be implemented", "obsolete"):
        return GOOD[1] if delivered_by(text, note) else state
    return state


def _advice(unnamed: list[str]) -> str | None:
    if not unnamed:
        return None
    return f"The text does not name note {' and '.join(unnamed)} with its state."


def _texts(evidence: Evidence) -> list[str]:
    """Return the attachments that are text; screenshots are kept, not read."""
    kinds = {".txt", ".csv", ".log"}
    found = [path for path in evidence.files if path.suffix.lower() in kinds]
    return [path.read_text("utf-8", errors="replace") for path in found]

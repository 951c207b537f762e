"""Attestations about the SAP system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import (
    Attestation,
    Evidence,
    Measured,
    NothingToDo,
    Observation,
    Waits,
)
from runbook_lib.sap.artifact import Kind
from runbook_lib.sap.components import BasisLevel, basis_level, brings
from runbook_lib.sap.note import CERTIFICATE_NOTE, OAUTH_NOTE, delivered_by, note_state
from runbook_lib.sap.release import parse_credential
from runbook_lib.session import Session
from runbook_lib.steps.sap_evidence import ON_PREMISES, UNREAD, advice, service, vantage
from runbook_lib.steps.sap_measured import measured_components

STATE = "implementation state"
GOOD = ("completely implemented", "contained in support package")


@dataclass(frozen=True)
class SapNotesImplemented(Attestation):
    """SNOTE shows the notes as implemented, or a support package contains them.

    The evidence is the pasted line of transaction SNOTE for each note, or the
    support package that contains it. A state that says otherwise fails the step,
    whatever the person states; so does a support package that the system, where
    its start service can be asked, does not have. A certificate needs SAP Note
    3592080 beside 3581654; products in SAP's cloud have no SNOTE.

    Source: guide, "Prerequisites" (SAP Note 3581654) and "Configure application
    credentials" (SAP Note 3592080).
    """

    title: ClassVar[str] = "SAP Notes are implemented"
    guide: ClassVar[str] = "prerequisites"
    remedies: ClassVar[Mapping[str, str]] = UNREAD
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

    def measure(self, session: Session) -> Measured | None:
        """Read the software components: they show the support package, not the note."""
        return measured_components(session)

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the pasted text and the attached text files.

        Raises:
            Waits: nobody handed anything in; components alone do not show it.
        """
        if not evidence.by_person:
            raise Waits(
                "Waiting for evidence of the notes: no interface shows their state.",
                remedy=f"Hand in what SNOTE shows: {', '.join(self.notes().values())}.",
                remedy_id=self.id,
            )
        text = "\n".join([evidence.text, *_texts(evidence)])
        notes = self.notes()
        system = _system(evidence)
        states = {name: _state(text, note, system) for name, note in notes.items()}
        unnamed = [notes[name] for name, state in states.items() if state is None]
        found = [delivered_by(text, note) for note in notes.values()]
        packages = [package for package in found if package]
        compared = _compared(packages, system)
        return Observation(
            states,
            context={
                "note": " and ".join(notes.values()),
                "support package": ", ".join(packages) or None,
                **({"system": str(system)} if system else {}),
            },
            vantage=vantage(evidence, counts=compared),
            service=service(evidence) if compared else None,
            advice=" ".join([*advice(evidence), *_advice(unnamed)]) or None,
        )


def _state(text: str, note: str, system: BasisLevel | None) -> str | None:
    """Return a note's state; a package that contains it explains what is open.

    A package that is not in the system explains nothing.
    """
    state, package = note_state(text, note), delivered_by(text, note)
    if package and system and brings(package, system) is False:
        return f"{package} is not in the system: {system}"
    if state in (None, "cannot be implemented", "obsolete"):
        return GOOD[1] if package else state
    return state


def _compared(packages: list[str], system: BasisLevel | None) -> bool:
    """Tell whether what the system shows is part of the verdict."""
    if system is None:
        return False
    return any(brings(package, system) is not None for package in packages)


def _system(evidence: Evidence) -> BasisLevel | None:
    """Return what the start service shows of SAP_BASIS, or None."""
    measured = evidence.measured
    text = measured.texts.get(Kind.COMPONENTS, "") if measured else ""
    return basis_level(text)


def _advice(unnamed: list[str]) -> list[str]:
    if not unnamed:
        return []
    return [f"The text does not name note {' and '.join(unnamed)} with its state."]


def _texts(evidence: Evidence) -> list[str]:
    """Return the attachments that are text; screenshots are kept, not read."""
    kinds = {".txt", ".csv", ".log"}
    found = [path for path in evidence.files if path.suffix.lower() in kinds]
    return [path.read_text("utf-8", errors="replace") for path in found]

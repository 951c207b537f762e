"""A small world behind two panels: one switch, one note, and the real engine.

The tenant is a file, so it outlives a kernel; `writes.log` counts what was
written to it. The switch shows a write only after `lag` reads, as services that
replicate do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from runbook_lib.engine import history
from runbook_lib.engine.attempt import Attempt
from runbook_lib.engine.attestations import attach
from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import State
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.record import EVENTS, Record
from runbook_lib.engine.run import Engine
from runbook_lib.engine.step import (
    Attestation,
    Change,
    Evidence,
    Mode,
    Observation,
    Step,
)
from runbook_lib.secret import Mask
from runbook_lib.session import Session

MAILBOX = "sap@contoso.com"


@dataclass(frozen=True)
class Switch(Change):
    """Turns one setting of the file off, as Activate SMTP AUTH does."""

    title = "Activate SMTP AUTH for the mailbox"
    guide = "activate-smtp-auth-for-the-mailbox"
    mailbox: str = MAILBOX

    def expect(self) -> State:
        """Expect the value that allows authenticated SMTP."""
        return {"SmtpClientAuthenticationDisabled": False}

    def observe(self, session: Session) -> Observation:
        """Read the file; a fresh write is not visible at once."""
        return Observation({"SmtpClientAuthenticationDisabled": _world(session).read()})

    def apply(self, session: Session) -> None:
        """Write the file."""
        _world(session).write(value=False)

    def revert(self, session: Session, before: State, after: State) -> None:
        """Write the value that was there before."""
        _world(session).write(value=before["SmtpClientAuthenticationDisabled"])


@dataclass(frozen=True)
class Note(Attestation):
    """A person says that a note is implemented."""

    title = "SAP Note 3581654 is implemented"
    guide = "prerequisites"

    def expect(self) -> State:
        """Expect the note to be implemented."""
        return {"3581654": "implemented"}

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Look for the note and its status in the pasted text."""
        good = "3581654" in evidence.text and "implemented" in evidence.text.lower()
        return Observation({"3581654": "implemented" if good else "unclear"})


@dataclass(frozen=True)
class World:
    """The tenant: a JSON file with a value, and how many reads still see the old."""

    folder: Path

    @property
    def _file(self) -> Path:
        return self.folder / "tenant.json"

    def _load(self) -> dict[str, object]:
        return cast("dict[str, object]", json.loads(self._file.read_text()))

    def read(self) -> object:
        """Return what a reader sees now."""
        state = self._load()
        left = cast("int", state["left"])
        if left:
            self._file.write_text(json.dumps({**state, "left": left - 1}))
            return state["old"]
        return state["value"]

    def write(self, *, value: object) -> None:
        """Write a value and note that it was written."""
        state = self._load()
        new = {**state, "old": state["value"], "value": value, "left": state["lag"]}
        self._file.write_text(json.dumps(new))
        with (self.folder / "writes.log").open("a") as log:
            log.write(f"{value}\n")


def _world(session: Session) -> World:
    return cast("World", session.graph)


def make_world(folder: Path, *, lag: int) -> World:
    """Write a tenant whose switch is null."""
    state = {"value": None, "old": None, "left": 0, "lag": lag}
    (folder / "tenant.json").write_text(json.dumps(state))
    (folder / "writes.log").touch()
    return World(folder)


class Scene:
    """Controls over a real record and the real engine."""

    def __init__(self, folder: Path) -> None:
        """Open the record, or open it again after a kernel was lost."""
        self.record = _record(folder / "outputs" / "example")
        windows = SimpleNamespace(visibility=60.0, effect=60.0, trace=60.0)
        session = SimpleNamespace(
            tenant=SimpleNamespace(windows=windows),
            graph=World(folder),
            now=lambda: datetime.now(UTC),
        )
        attempt = Attempt(cast("Session", session), self.record, Mode.PLAN)
        self._engine = Engine(attempt, (Switch, Note))
        self._lock = threading.Lock()

    def last(self, step_id: str) -> Event | None:
        """Return the last end of a step."""
        return history.ends(self.record.events).get(step_id)

    def underway(self, step_id: str) -> Event | None:
        """Return a begin of apply without an end."""
        return history.open_begin(self.record.events, step_id, Mode.APPLY)

    def perform(
        self, step: Step, mode: Mode, sleep: Callable[[float], None] | None = None
    ) -> StepResult:
        """Perform a step, one at a time."""
        with self._lock:
            changes = {} if sleep is None else {"sleep": sleep}
            return self._engine.in_mode(mode, **changes).perform(step)

    def hand_in(self, step: Step, evidence: Evidence) -> None:
        """Take evidence into the record."""
        with self._lock:
            attach(self.record, Mode.APPLY, step.id, evidence)

    def why_no_apply(self) -> str | None:
        """Allow apply: this is a file."""
        return None

    def where(self) -> Mapping[str, str]:
        """Return what stands in the question."""
        return {
            "target": "sandbox",
            "tenant": "contoso",
            "mailbox": MAILBOX,
            "change reference": "CHG0031877",
        }


def _record(folder: Path) -> Record:
    if (folder / EVENTS).exists():
        record = Record.reopen(folder, mask=Mask())
        record.append("run.resumed", mode=Mode.PLAN)
        return record
    record = Record.create(folder, mask=Mask())
    record.append("run.opened", mode=Mode.PLAN, interactive=True)
    return record

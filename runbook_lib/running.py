"""A run in a kernel: it performs steps headlessly, or draws their panels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import cast

from runbook_lib import opening
from runbook_lib.engine import history
from runbook_lib.engine.attestations import attach, attached, read_evidence
from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import KnownAfterApply
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.record import Record
from runbook_lib.engine.run import BAD, Engine
from runbook_lib.engine.runbook import Runbook
from runbook_lib.engine.step import Attestation, Evidence, Mode, Step
from runbook_lib.errors import RunbookError, StepStopped
from runbook_lib.locking import locked_tenant
from runbook_lib.parameters import Parameters
from runbook_lib.session import Session
from runbook_lib.tenant import Tenant
from runbook_lib.views.panel import show


class Performed:
    """What a step's cell returns: references to the step's properties."""

    def __init__(self, step: str) -> None:
        """Stand for the step of this id."""
        self.step = step

    def __getitem__(self, name: str) -> KnownAfterApply:
        """Return a reference to a property, to be given to a later step."""
        return KnownAfterApply(self.step, name)

    def _ipython_display_(self) -> None:
        """Show nothing: the card was shown already."""


class Run:
    """One run of a runbook: call it with a step.

    With a front end a call draws the step's panel and never writes; only the
    panel's Confirm does. Headless it performs the step in the run's mode.
    """

    def __init__(
        self,
        engine: Engine,
        runbook: Runbook,
        parameters: Parameters,
        *,
        interactive: bool,
        closer: str,
        certificate: str = "",
    ) -> None:
        """Take over an opened run; use `open_run`.

        `certificate` is SAP's signing certificate as base64, or empty.
        """
        self.certificate = certificate
        self.runbook = runbook
        self.parameters = parameters
        self.interactive = interactive
        self.closer = closer
        self._engine = engine
        self._lock = threading.RLock()

    @property
    def tenant(self) -> Tenant:
        """Return the tenant of the run."""
        return self.session.tenant

    @property
    def session(self) -> Session:
        """Return the open clients."""
        return self._engine.attempt.session

    @property
    def record(self) -> Record:
        """Return the record."""
        return self._engine.attempt.record

    @property
    def mode(self) -> Mode:
        """Return the mode of the run."""
        return self._engine.attempt.mode

    def __call__(self, step: Step) -> Performed:
        """Perform or draw a step.

        Raises:
            StepStopped: in apply, headless: the step failed or could not look.
        """
        if self.interactive:
            self._look_once(step)
            show(step, self, live=True)
            return Performed(step.id)
        result = self._headless(step)
        show(step, self, live=False)
        if self.mode is Mode.APPLY and result.outcome in BAD:
            raise stopped(result)
        return Performed(step.id)

    def _look_once(self, step: Step) -> None:
        """Look at a step that the record knows nothing of; never write."""
        if self.last(step.id) is None and self.underway(step.id) is None:
            looking = Mode.VERIFY if self.mode is Mode.VERIFY else Mode.PLAN
            self.perform(step, looking)

    def _headless(self, step: Step) -> StepResult:
        if self.mode is Mode.ROLLBACK:
            end = self.last(step.id)
            return StepResult(end) if end else self._engine.untouched(step)
        return self.perform(step, self.mode)

    def last(self, step_id: str) -> Event | None:
        """Return the last `step.end` of a step, or None."""
        return history.ends(self.record.events).get(step_id)

    def underway(self, step_id: str) -> Event | None:
        """Return a `step.begin` of apply that was not ended, or None."""
        return history.open_begin(self.record.events, step_id, Mode.APPLY)

    def perform(
        self, step: Step, mode: Mode, sleep: Callable[[float], None] | None = None
    ) -> StepResult:
        """Perform a step in a mode; called headless and from a panel's click."""
        with self._lock:
            engine = self._engine.in_mode(mode)
            if sleep is not None:
                engine = engine.in_mode(mode, sleep=sleep)
            if isinstance(step, Attestation):
                self._take_in(step, mode)
            with self._alone(mode):
                return engine.perform(step)

    def _alone(self, mode: Mode) -> AbstractContextManager[None]:
        """Hold the tenant's lock while a panel writes; headless the run has it."""
        if self.interactive and mode is Mode.APPLY:
            return locked_tenant(self.record.folder.parent)
        return nullcontext()

    def _take_in(self, step: Attestation, mode: Mode) -> None:
        """Take prepared evidence into the record, once."""
        folder = self.parameters["evidence"] or self.tenant.evidence_folder
        if not folder or attached(self.record, step.id) is not None:
            return
        evidence = read_evidence(Path(folder).expanduser(), step.id)
        if evidence is not None:
            self._attach(step, mode, evidence)

    def hand_in(self, step: Step, evidence: Evidence) -> None:
        """Take evidence for an attestation from a panel into the record."""
        with self._lock:
            self._attach(cast("Attestation", step), self.mode, evidence)

    def _attach(self, step: Attestation, mode: Mode, evidence: Evidence) -> None:
        redact = partial(step.redact, self.session)
        attach(self.record, mode, step.id, evidence, redact)

    def why_no_apply(self) -> str | None:
        """Return why Apply is not allowed here, or None."""
        try:
            opening.allowed(Mode.APPLY, self.tenant)
        except RunbookError as error:
            return error.message
        return None

    def where(self) -> Mapping[str, str]:
        """Return what a person checks before confirming a write."""
        return {
            "target": self.tenant.target,
            "tenant": self.tenant.name,
            "mailbox": self.tenant.mailbox,
            "change reference": self.tenant.change_reference or "none",
        }

    def close(self) -> None:
        """Close connections and release the record; a kernel's end does the same."""
        self.session.close()
        self.record.close()


def stopped(result: StepResult) -> StepStopped:
    """Return the two lines with which a failed step stops an apply run."""
    remedy = str(result.event.get("remedy") or "")
    anchor = result.event.get("remedy_id")
    link = f"docs/troubleshooting.md#{anchor}" if anchor else ""
    return StepStopped(
        f"{result.title}: {result.outcome}: {result.problem}",
        remedy=f"{remedy} {f'({link})' if link else ''}".strip() or None,
    )

"""The engine: it turns any step into plan, apply, verify or rollback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from runbook_lib.engine import history, remedies
from runbook_lib.engine.attempt import Attempt, Ending
from runbook_lib.engine.attestations import perform_attestation
from runbook_lib.engine.chain import Event
from runbook_lib.engine.changes import (
    as_changed,
    perform_change,
    roll_back,
    unfinished,
)
from runbook_lib.engine.codec import Catalogue, describe, rebuild
from runbook_lib.engine.faults import expected, fault
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.probes import perform_check, perform_probe, planned_probe
from runbook_lib.engine.step import (
    Action,
    Attestation,
    Change,
    Check,
    Mode,
    Outcome,
    Probe,
    Step,
)
from runbook_lib.errors import RecordBroken

GOOD = frozenset({Outcome.OK, Outcome.CHANGED})
BAD = frozenset({Outcome.FAILED, Outcome.ERROR})


@dataclass(frozen=True)
class Engine:
    """Performs the steps of one run; all it knows of earlier ones is the record."""

    attempt: Attempt
    catalogue: Catalogue

    def in_mode(self, mode: Mode, **changes: object) -> Engine:
        """Return the same engine in another mode (a panel's buttons need it)."""
        fields = {"mode": mode, **changes}
        attempt = replace(self.attempt, **fields)  # type: ignore[arg-type]
        return replace(self, attempt=attempt)

    def perform(self, step: Step) -> StepResult:
        """Perform a step and write how it ended; never raises for a fault.

        Raises:
            RecordBroken: it could not be written, so nothing further may happen.
        """
        resolved = step
        try:
            step.applicable()
            hindrance = self._hindrance(step)
            if hindrance is not None:
                return self._end(step, step, hindrance)
            unknown = self._unknown(step)
            if unknown is not None:
                return self._end(step, step, unknown)
            resolved = self._resolved(step)
            ending = _perform(self.attempt, step, resolved)
        except RecordBroken:
            raise
        except Exception as error:
            ending = fault(resolved, error)
        return self._end(step, resolved, ending)

    def roll_back(self, change: Event) -> StepResult:
        """Undo one recorded change, unless one that builds on it still stands."""
        step = rebuild(change, self.catalogue)
        resolved = rebuild(change, self.catalogue, inputs="resolved")
        try:
            ending = self._standing(step)
            ending = ending or roll_back(self.attempt, cast("Change", resolved), change)
        except RecordBroken:
            raise
        except Exception as error:
            ending = fault(resolved, error)
        return self._end(step, resolved, ending)

    def roll_back_begun(self, begin: Event) -> StepResult:
        """Undo a change that a run began and did not see, if the tenant shows it."""
        resolved = cast("Change", rebuild(begin, self.catalogue, inputs="resolved"))
        try:
            change = as_changed(self.attempt, resolved, begin)
            if change is not None:
                return self.roll_back(change)
            ending = unfinished(self.attempt, resolved, str(begin["run"]))
        except RecordBroken:
            raise
        except Exception as error:
            ending = fault(resolved, error)
        return self._end(rebuild(begin, self.catalogue), resolved, ending)

    def untouched(self, step: Step) -> StepResult:
        """Write that a rollback has nothing to do for a step."""
        return self._end(
            step,
            step,
            Ending(
                Outcome.SKIPPED,
                expected(step),
                reason="nothing_changed",
                problem="The run that is rolled back did not change this.",
            ),
        )

    def _standing(self, step: Step) -> Ending | None:
        for end in history.ends(self.attempt.record.events).values():
            stands = end["outcome"] in (*BAD, Outcome.BLOCKED)
            if stands and step.id in cast("list[str]", end["needs"]):
                return _blocked(step, f"{end['title']} builds on it and still stands")
        return None

    def _end(self, step: Step, resolved: Step, ending: Ending) -> StepResult:
        if ending.remedy is None:
            ending = replace(ending, remedy=remedies.sentence(ending.remedy_id))
        event = self.attempt.record.append(
            "step.end",
            mode=self.attempt.mode,
            **describe(step),
            resolved=describe(resolved)["inputs"],
            **ending.fields(),
        )
        return StepResult(event)

    def _unknown(self, step: Step) -> Ending | None:
        """Return how a step ends one of whose inputs is not known."""
        events = self.attempt.record.events
        ends = history.ends(events)
        for reference in step.references().values():
            if history.value_of(events, reference) is None:
                end = ends[reference.step]
                if end["outcome"] == Outcome.PLANNED:
                    return _planned(step)
                return _blocked(step, f"{end['title']} has no {reference.property}")
        return None

    def _resolved(self, step: Step) -> Step:
        events = self.attempt.record.events
        values = {
            name: history.value_of(events, reference)
            for name, reference in step.references().items()
        }
        return step.with_inputs(**values)

    def _hindrance(self, step: Step) -> Ending | None:
        """Return `blocked` or `skipped` if a prerequisite stands in the way."""
        ends = history.ends(self.attempt.record.events)
        for name in step.needs():
            ending = _prerequisite(step, name, ends.get(name), self.attempt.mode)
            if ending is not None:
                return ending
        return self._stopped(step, ends)

    def _stopped(self, step: Step, ends: history.Ends) -> Ending | None:
        """In apply, nothing is written once an earlier step of the run failed."""
        if self.attempt.mode is not Mode.APPLY or not _writes(step):
            return None
        for name, end in ends.items():
            if name == step.id:
                break
            if end["outcome"] in BAD:
                return _blocked(step, f"{end['title']} ended {end['outcome']}")
        return None


def _perform(attempt: Attempt, step: Step, resolved: Step) -> Ending:
    performers: list[tuple[type[Step], Callable[..., Ending]]] = [
        (Change, perform_change),
        (Probe, perform_probe),
        (Check, perform_check),
        (Attestation, perform_attestation),
    ]
    perform = next(f for kind, f in performers if isinstance(step, kind))
    return perform(attempt, step, resolved)


def _planned(step: Step) -> Ending:
    """Return how a step is planned whose inputs an earlier step provides."""
    if isinstance(step, Probe):
        return planned_probe(step)
    action: Action = "manual" if isinstance(step, Attestation) else "create"
    return Ending(Outcome.PLANNED, step.expect(), action=action)


def _writes(step: Step) -> bool:
    return isinstance(step, Change) or (
        isinstance(step, Probe) and step.effect != "none"
    )


def _prerequisite(
    step: Step, name: str, end: Event | None, mode: Mode
) -> Ending | None:
    if end is None:
        return _blocked(step, f"{name} has not run")
    outcome = Outcome(str(end["outcome"]))
    if outcome in GOOD or (outcome is Outcome.PLANNED and mode is Mode.PLAN):
        return None
    if outcome is Outcome.SKIPPED:
        return Ending(
            Outcome.SKIPPED,
            step.expect(),
            reason="depends_on_skipped",
            problem=f"{end['title']} was skipped: {end.get('reason')}",
        )
    return _blocked(step, f"{end['title']} ended {outcome}")


def _blocked(step: Step, why: str) -> Ending:
    return Ending(Outcome.BLOCKED, expected(step), problem=f"Blocked: {why}.")

"""The result of a run, from its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import ends, finished, header, written
from runbook_lib.engine.step import Mode, Outcome


class Result(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    REFUSED = "refused"
    ROLLED_BACK = "rolled back"


EXIT_CODES = {
    Result.SUCCEEDED: 0,
    Result.ROLLED_BACK: 0,
    Result.FAILED: 1,
    Result.INCOMPLETE: 3,
    Result.REFUSED: 5,
}
PLAN_HAS_CHANGES = 4

# Exit codes, the worst first: that of a batch is that of its worst tenant.
WORST_FIRST = (2, 6, 5, 1, 3, 4, 0)


def worst(codes: Iterable[int]) -> int:
    """Return the worst of some exit codes; 0 for none."""
    found = set(codes)
    return next((code for code in WORST_FIRST if code in found), 0)


def result_of(code: int) -> Result:
    """Return the result of a batch that ends with an exit code."""
    good = {0: Result.SUCCEEDED, PLAN_HAS_CHANGES: Result.SUCCEEDED}
    named = {c: r for r, c in EXIT_CODES.items() if r is not Result.ROLLED_BACK}
    return {**named, **good}.get(code, Result.FAILED)


def outcomes(events: Iterable[Event]) -> dict[str, int]:
    """Count the steps per outcome, in the fixed order of the outcomes."""
    counts = Counter(str(end["outcome"]) for end in ends(events).values())
    return {str(name): counts[name] for name in Outcome if counts[name]}


def outcomes_of_attempts(events: Sequence[Event]) -> dict[str, int]:
    """Count the steps by what the run did to them, over all its attempts.

    What one attempt changed and a later one found as expected is changed.
    """
    changed = {event["step"] for event in written(events)}
    counts = Counter(
        str(Outcome.CHANGED)
        if end["outcome"] == Outcome.OK and step in changed
        else str(end["outcome"])
        for step, end in ends(events).items()
    )
    return {str(name): counts[name] for name in Outcome if counts[name]}


def unreached(events: Sequence[Event]) -> list[Event]:
    """Return the steps of the header that never ended."""
    steps = cast("list[Event]", header(events).get("steps") or [])
    done = ends(events)
    return [step for step in steps if step["step"] not in done]


def mode_of(events: Sequence[Event]) -> str:
    """Return what a run did: in JupyterLab, the most that a panel was asked for."""
    first = header(events)
    if not first.get("interactive"):
        return str(first["mode"])
    done = {str(event["mode"]) for event in events if event["event"] == "step.end"}
    order = (Mode.ROLLBACK, Mode.APPLY, Mode.VERIFY, Mode.PLAN)
    return next((str(mode) for mode in order if mode in done), str(Mode.PLAN))


def result(events: Sequence[Event]) -> Result:
    """Judge a run by its events.

    A credential found in the record fails the run, and so does a step that
    failed or could not be looked at. A run that has open, blocked or unreached
    steps, or only planned ones outside plan mode, or that lacks the proof that
    its notebook names, is incomplete; so is a rollback whose notebook did not
    reach its end. All steps skipped is never a success.
    """
    kinds = {event["event"] for event in events}
    if "leak.found" in kinds:
        return Result.FAILED
    if "run.refused" in kinds:
        return Result.REFUSED
    mode = mode_of(events)
    counts = outcomes(events)
    if counts.get(Outcome.FAILED) or counts.get(Outcome.ERROR):
        return Result.FAILED
    if counts.get(Outcome.BLOCKED) or counts.get(Outcome.PENDING):
        return Result.INCOMPLETE
    if mode == Mode.ROLLBACK:
        return Result.ROLLED_BACK if finished(events) else Result.INCOMPLETE
    if unreached(events) or not set(counts) - {Outcome.SKIPPED}:
        return Result.INCOMPLETE
    if mode != Mode.PLAN and (counts.get(Outcome.PLANNED) or not proven(events)):
        return Result.INCOMPLETE
    return Result.SUCCEEDED


def proven(events: Sequence[Event]) -> bool:
    """Tell whether every step that the notebook names as proof is ok."""
    done = ends(events)
    proof = cast("list[str]", header(events).get("proof") or [])
    return all(step in done and done[step]["outcome"] == Outcome.OK for step in proof)


def exit_code(events: Sequence[Event]) -> int:
    """Return the command line's exit code for a run."""
    judged = result(events)
    planned = outcomes(events).get(Outcome.PLANNED)
    if judged is Result.SUCCEEDED and mode_of(events) == Mode.PLAN and planned:
        return PLAN_HAS_CHANGES
    return EXIT_CODES[judged]

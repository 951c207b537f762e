"""Steps that the kernel did not end: the closer says so in their place."""

from __future__ import annotations

from collections.abc import Iterable

from runbook_lib.engine.chain import Event
from runbook_lib.engine.record import Record
from runbook_lib.engine.result import mode_of, unreached
from runbook_lib.engine.step import Mode, Outcome

DESCRIBED = (
    "step",
    "kind",
    "class",
    "version",
    "title",
    "guide",
    "inputs",
    "resolved",
    "before",
    "expected",
    "action",
)


def interrupted(events: Iterable[Event]) -> list[Event]:
    """Return each last `step.begin` that no `step.end` of its step follows."""
    begun: dict[str, Event] = {}
    for event in events:
        if event["event"] == "step.begin":
            begun[str(event["step"])] = event
        elif event["event"] == "step.end":
            begun.pop(str(event["step"]), None)
    return list(begun.values())


def end_open_steps(record: Record, *, closer: str) -> None:
    """Write a `step.end` for every step that was interrupted or not reached.

    An interrupted step is an `error`: its write may have happened, and nobody
    looked. A step that was not reached is `blocked`; a rollback has none, for
    it reaches only the steps that were changed.
    """
    for begin in interrupted(record.events):
        _end(
            record,
            begin,
            mode=str(begin["mode"]),
            closer=closer,
            outcome=Outcome.ERROR,
            problem="Interrupted: the run ended while this step was under way. "
            "Whether it wrote anything is not known.",
            remedy="Run verify to see what the tenant shows.",
        )
    mode = mode_of(record.events)
    for step in unreached(record.events) if mode != Mode.ROLLBACK else []:
        _end(
            record,
            step,
            mode=mode,
            closer=closer,
            outcome=Outcome.BLOCKED,
            problem="Not reached: the run ended before this step.",
            remedy="Put right what stopped the run, then run again.",
        )


def _end(record: Record, step: Event, *, mode: str, **fields: object) -> None:
    known: dict[str, object] = {"inputs": {}, "before": {}, "expected": {}}
    known |= {name: step[name] for name in DESCRIBED if name in step}
    record.append("step.end", mode=mode, **known, after={}, **fields)

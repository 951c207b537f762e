"""What the events of a run tell: pure functions over the chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import KnownAfterApply
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.errors import RecordBroken

Ends = dict[str, Event]

SETTLED = frozenset({Outcome.OK, Outcome.CHANGED})


@dataclass(frozen=True)
class StepResult:
    """How a step ended: a view of its `step.end` event and nothing else."""

    event: Event

    @property
    def step(self) -> str:
        """Return the step id."""
        return str(self.event["step"])

    @property
    def title(self) -> str:
        """Return the title, which is the guide's heading."""
        return str(self.event["title"])

    @property
    def outcome(self) -> Outcome:
        """Return the outcome."""
        return Outcome(str(self.event["outcome"]))

    @property
    def problem(self) -> str | None:
        """Return the sentence that says what is wrong, or None."""
        return cast("str | None", self.event.get("problem"))

    @property
    def after(self) -> Mapping[str, object]:
        """Return what was observed last; empty if nothing was."""
        return cast("Mapping[str, object]", self.event.get("after") or {})

    def __getitem__(self, name: str) -> KnownAfterApply:
        """Return a reference to a property, to be given to a later step."""
        return KnownAfterApply(self.step, name)


def ends(events: Iterable[Event]) -> Ends:
    """Return the last `step.end` of each step, in the order of first reaching."""
    last: Ends = {}
    for event in events:
        if event["event"] == "step.end":
            last[str(event["step"])] = event
    return last


def value_of(events: Iterable[Event], reference: KnownAfterApply) -> object:
    """Return the value a reference stands for, or None while it is unknown."""
    end = ends(events).get(reference.step)
    after = cast("Mapping[str, object]", (end or {}).get("after") or {})
    return after.get(reference.property)


def open_begin(events: Iterable[Event], step: str, mode: str) -> Event | None:
    """Return the `step.begin` of this mode that no `step.end` followed, if any."""
    begun: Event | None = None
    for event in events:
        if event.get("step") != step or event["mode"] != mode:
            continue
        if event["event"] == "step.begin":
            begun = event
        elif event["event"] == "step.end":
            begun = None
    return begun


def unsettled(events: Iterable[Event], step: str) -> Event | None:
    """Return the `step.begin` of apply whose write may have happened unseen.

    A good end settles it, and so does a refusal. An end `failed` or `error` does
    not: what was written may show later, and is then still this run's change.
    """
    begun: Event | None = None
    for event in events:
        if event.get("step") != step or event["mode"] != Mode.APPLY:
            continue
        if event["event"] == "step.begin":
            begun = event
        elif event["event"] == "step.refused" or event.get("outcome") in SETTLED:
            begun = None
    return begun


def acted(events: Iterable[Event], step: str, message: str = "") -> Event | None:
    """Return the event that says a probe's effect was, or may have been, made.

    Where a step sends several messages, `message` names the one that is meant.
    """
    found = None
    for event in events:
        if event.get("step") != step or event.get("message", "") != message:
            continue
        if event["event"] in ("step.act", "step.acted"):
            found = event
        elif event["event"] == "step.refused":
            found = None
    return found


def written(events: Iterable[Event]) -> list[Event]:
    """Return the `step.end` events that say `changed`, oldest first."""
    return [
        event
        for event in events
        if event["event"] == "step.end" and event["outcome"] == Outcome.CHANGED
    ]


def changes(events: Iterable[Event]) -> list[Event]:
    """Return what a rollback undoes: one event per changed step, oldest first.

    A step changed in several attempts keeps its first `before` and `action` and
    its last `after`.
    """
    merged: dict[str, Event] = {}
    for event in written(events):
        step = str(event["step"])
        first = merged.pop(step, event)
        was = {"before": first["before"], "action": first.get("action")}
        merged[step] = {**event, **was}
    return list(merged.values())


def unseen(events: Iterable[Event]) -> list[Event]:
    """Return the begins of changes that may have been made and were not seen.

    Oldest first. A step that was changed before needs none: a second write of it
    leads to the same.
    """
    known = tuple(events)
    changed = {str(event["step"]) for event in written(known)}
    begun = [e for e in known if e["event"] == "step.begin" and e["kind"] == "Change"]
    steps = dict.fromkeys(str(event["step"]) for event in begun)
    found = [unsettled(known, step) for step in steps if step not in changed]
    return [begin for begin in found if begin is not None]


def header(events: Iterable[Event]) -> Event:
    """Return the `run.opened` event: what the run declared about itself.

    Raises:
        RecordBroken: there is none.
    """
    for event in events:
        if event["event"] == "run.opened":
            return event
    raise RecordBroken(
        "the record does not begin with what its run declared",
        remedy="Do not use this record as evidence.",
    )


def closed(events: Iterable[Event]) -> Event | None:
    """Return the `run.closed` event, or None while the run is open."""
    return next((e for e in events if e["event"] == "run.closed"), None)


def finished(events: Iterable[Event]) -> bool:
    """Tell whether the last attempt reached the notebook's last cell."""
    marks = ("run.resumed", "run.finished")
    kinds = [event["event"] for event in events if event["event"] in marks]
    return kinds[-1:] == ["run.finished"]

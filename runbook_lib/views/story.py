"""What a report tells, drawn from the events: changes, proof, open points, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import changes, ends, header
from runbook_lib.engine.result import mode_of, outcomes, unreached
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.views.rows import Row, rows, state
from runbook_lib.views.words import (
    MEANINGS,
    NOT_STARTED,
    Badge,
    badge,
    is_stated,
    measured_by,
    of_outcome,
    reason,
)

OPEN = (Outcome.FAILED, Outcome.ERROR, Outcome.BLOCKED, Outcome.PENDING)
HARMLESS = frozenset({"not_applicable", "nothing_changed", "user_choice"})


@dataclass(frozen=True)
class Changed:
    """One object that was, or would be, written: its rows before and after."""

    event: Event
    rows: tuple[Row, ...]

    @property
    def action(self) -> str:
        """Return what was done, or is to be done, in words."""
        done = _ACTIONS.get(str(self.event.get("action")), "written")
        return f"to be {done}" if self.event["outcome"] == Outcome.PLANNED else done


_ACTIONS = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "adopt": "adopted, then updated",
}


@dataclass(frozen=True)
class Count:
    """How many steps ended with one outcome, and what that means."""

    badge: Badge
    number: int
    meaning: str


@dataclass(frozen=True)
class Point:
    """One step in a list: its badge, and what a reader has to know or to do."""

    step: str
    title: str
    badge: Badge
    text: str
    event: Event


def written(events: Sequence[Event]) -> list[Changed]:
    """Return what the run wrote; a rollback's are the steps that it reverted."""
    if mode_of(events) == Mode.ROLLBACK:
        found = _having(events, Outcome.REVERTED)
    else:
        found = changes(events)
    return [_changed(event) for event in found]


def planned(events: Sequence[Event]) -> list[Changed]:
    """Return what would be written, for the Changes whose last word is a plan."""
    found = _having(events, Outcome.PLANNED)
    return [_changed(event) for event in found if event["kind"] == "Change"]


def _changed(event: Event) -> Changed:
    shown = [row for row in rows(event) if row.compared and row.before != row.now]
    if event["outcome"] == Outcome.PLANNED:
        shown = [row for row in rows(event) if row.compared]
    return Changed(event, tuple(shown))


def _having(events: Sequence[Event], outcome: Outcome) -> list[Event]:
    return [end for end in ends(events).values() if end["outcome"] == outcome]


def sent(events: Sequence[Event]) -> list[Event]:
    """Return the effects that probes left behind: messages and such.

    A dialogue is left out here; the step's card shows it whole.
    """
    acted = [event for event in events if event["event"] == "step.acted"]
    return [{**event, "facts": _in_short(state(event, "facts"))} for event in acted]


def _in_short(facts: Mapping[str, object]) -> dict[str, object]:
    return {n: value for n, value in facts.items() if not isinstance(value, list)}


def steps(events: Sequence[Event]) -> list[Point]:
    """Return all steps, reached or not, in the order of the notebook."""
    listed = cast("list[Event]", header(events).get("steps") or [])
    done = ends(events)
    if mode_of(events) == Mode.ROLLBACK:
        listed = []
    names = dict.fromkeys([*(str(entry["step"]) for entry in listed), *done])
    entries = {str(entry["step"]): entry for entry in listed}
    return [
        _point(done[name]) if name in done else _not_reached(entries[name])
        for name in names
    ]


def _point(end: Event) -> Point:
    text = str(end.get("problem") or end.get("advice") or "")
    return Point(str(end["step"]), str(end["title"]), badge(end), text, end)


def _not_reached(entry: Event) -> Point:
    text = "The run ended before this step."
    return Point(str(entry["step"]), str(entry["title"]), NOT_STARTED, text, entry)


def proof(events: Sequence[Event]) -> list[Point]:
    """Return the steps that the notebook names as its proof; a rollback has none."""
    if mode_of(events) == Mode.ROLLBACK:
        return []
    named = cast("list[str]", header(events).get("proof") or [])
    found = {point.step: point for point in steps(events)}
    missing = {"title": "not a step of this run", "outcome": None}
    return [
        found.get(name) or _not_reached({"step": name, **missing}) for name in named
    ]


def open_points(events: Sequence[Event]) -> list[Point]:
    """Return the steps that somebody still has to do something about."""
    missing = {entry["step"] for entry in unreached(events)}
    return [
        point
        for point in steps(events)
        if point.event.get("outcome") in OPEN
        or point.step in missing
        or _skip_matters(point.event)
    ]


def _skip_matters(event: Event) -> bool:
    skipped = event.get("outcome") == Outcome.SKIPPED
    return skipped and event.get("reason") not in HARMLESS


def advice(events: Sequence[Event]) -> list[Point]:
    """Return the steps that work, but should not stay so."""
    return [
        replace(point, text=str(point.event["advice"]))
        for point in steps(events)
        if point.event.get("advice") and point.event["outcome"] != Outcome.REVERTED
    ]


def attested(events: Sequence[Event]) -> list[Event]:
    """Return the evidence that people handed in, oldest first."""
    return [event for event in events if event["event"] == "evidence.attached"]


def measured(events: Sequence[Event]) -> list[Point]:
    """Return the steps whose good outcome this tool read from a service."""
    return [p for p in _good(events) if not _by_word(p.event)]


def stated(events: Sequence[Event]) -> list[Point]:
    """Return the steps whose good outcome rests on a person's word."""
    return [p for p in _good(events) if _by_word(p.event)]


def _good(events: Sequence[Event]) -> list[Point]:
    good = (Outcome.OK, Outcome.CHANGED, Outcome.REVERTED)
    return [p for p in steps(events) if p.event.get("outcome") in good]


def _by_word(event: Event) -> bool:
    """Tell whether a step rests on somebody's word, be it in part."""
    if event.get("kind") == "Attestation":
        return bool(event.get("attested")) or not measured_by(event)
    return is_stated(event)


def counts(events: Sequence[Event]) -> list[Count]:
    """Return how many steps ended how; the steps that were not reached last."""
    found = [
        Count(of_outcome(Outcome(name)), number, MEANINGS[Outcome(name)])
        for name, number in outcomes(events).items()
    ]
    missing = sum("outcome" not in point.event for point in steps(events))
    left = Count(NOT_STARTED, missing, "the run ended before them")
    return [*found, left] if missing else found


def reason_of(point: Point) -> str:
    """Return the sentence of an open point."""
    if point.event.get("outcome") == Outcome.SKIPPED and not point.text:
        return f"Skipped: {reason(point.event)}."
    return point.text


def tenant(events: Sequence[Event]) -> Mapping[str, object]:
    """Return what the header declares of the tenant."""
    return cast("Mapping[str, object]", header(events).get("tenant") or {})


def disclosed(events: Sequence[Event]) -> list[str]:
    """Return the files of the record in which a credential was found."""
    return [str(event["file"]) for event in events if event["event"] == "leak.found"]

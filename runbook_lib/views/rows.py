"""The rows of a card: one property each, compared as the engine compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import AtLeast, Including, OneOf, Present, State, met
from runbook_lib.engine.step import Outcome
from runbook_lib.views.rendering import matcher

SET, CLEARED, MOVED, SAME, DIFFERS, SEEN = "+", "−", "~", "=", "≠", "·"


@dataclass(frozen=True)
class Row:
    """One property: values as recorded, a sign and the word for it.

    `compared` is false for a property that was seen but is not expected to
    have a certain value.
    """

    name: str
    before: object
    expected: object
    now: object
    sign: str
    word: str
    compared: bool = True

    @property
    def differs(self) -> bool:
        """Tell whether a reader should stop at this row."""
        return self.sign not in (SAME, SEEN)


def rows(event: Event) -> list[Row]:
    """Return the rows of a `step.end` event: expected properties first."""
    before, expected, after = (state(event, n) for n in ("before", "expected", "after"))
    others = sorted({*before, *after} - {*expected})
    compared = [_row(event, name, before, expected, after) for name in expected]
    return compared + [
        Row(name, before.get(name), None, after.get(name), SEEN, "seen", False)
        for name in others
    ]


def looked(event: Event) -> bool:
    """Tell whether `after` was observed: an object that is gone has none."""
    seen = (Outcome.OK, Outcome.CHANGED, Outcome.REVERTED)
    return bool(event.get("after")) or event["outcome"] in seen


def state(event: Event, name: str) -> State:
    """Return a field of an event that maps names to values, or {}; names in order.

    The lines of a record have their names in order, an event in memory has not:
    a card must not depend on where its event came from.
    """
    found = event.get(name)
    return dict(sorted(found.items())) if isinstance(found, Mapping) else {}


def _row(event: Event, name: str, before: State, expected: State, after: State) -> Row:
    was, wanted, now = before.get(name), expected[name], after.get(name)
    outcome = event["outcome"]
    if outcome == Outcome.PLANNED:
        sign, word = _planned(event, was, wanted)
    elif not looked(event):
        sign, word = SEEN, "not known"
    elif not is_met(wanted, now):
        sign, word = DIFFERS, "differs"
    elif outcome in (Outcome.CHANGED, Outcome.REVERTED):
        sign, word = _written(was, now)
    else:
        sign, word = SAME, "as expected"
    return Row(name, was, wanted, now, sign, word)


def _planned(event: Event, was: object, wanted: object) -> tuple[str, str]:
    if event.get("kind") != "Change":
        return SEEN, "not known yet"
    if is_met(wanted, was):
        return SAME, "stays"
    if was is None:
        return SET, "will be set"
    return (CLEARED, "will be cleared") if wanted is None else (MOVED, "will change")


def _written(was: object, now: object) -> tuple[str, str]:
    if was == now:
        return SAME, "stayed"
    if was is None:
        return SET, "set"
    return (CLEARED, "cleared") if now is None else (MOVED, "changed")


def is_met(wanted: object, seen: object) -> bool:
    """Tell whether a recorded value meets a recorded expectation."""
    known = matcher(wanted)
    if known is None:
        return met({"value": wanted}, {"value": seen})
    name, argument = known
    return name in _READ and met({"value": _READ[name](argument)}, {"value": seen})


_READ: dict[str, Callable[[object], object]] = {
    "one of": lambda argument: OneOf(tuple(cast("list[object]", argument))),
    "including": lambda argument: Including(tuple(cast("list[object]", argument))),
    "present": lambda argument: Present(),
    "at least": lambda argument: AtLeast(cast("int | str", argument)),
}

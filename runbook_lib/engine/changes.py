"""How a Change is planned, applied, verified and rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from runbook_lib.engine.attempt import Attempt, Ending, settle, write
from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import Difference, State, differences, met, plain
from runbook_lib.engine.history import unsettled
from runbook_lib.engine.step import Action, Change, Mode, Observation, Outcome, Step


def perform_change(attempt: Attempt, step: Change, resolved: Change) -> Ending:
    """Plan, apply or verify a change, as the attempt's mode says."""
    if attempt.mode is Mode.APPLY:
        return _apply(attempt, step, resolved)
    seen = resolved.observe(attempt.session)
    expected = resolved.expect()
    attempt.begin(step, resolved, seen.properties, _action(seen, expected))
    if met(expected, seen.properties):
        return _as_expected(resolved, seen)
    if attempt.mode is Mode.PLAN:
        action = _action(seen, expected)
        return Ending.of(Outcome.PLANNED, resolved, seen, after={}, action=action)
    return unmet(resolved, seen)


def _action(seen: Observation, expected: State) -> Action:
    if met(expected, seen.properties):
        return "adopt" if seen.adopt else "no-op"
    return "update" if seen.exists else "create"


def _as_expected(step: Step, seen: Observation) -> Ending:
    action = "adopt" if seen.adopt else "no-op"
    return Ending.of(Outcome.OK, step, seen, action=action)


def unmet(step: Step, seen: Observation, **fields: object) -> Ending:
    """Return the ending `failed`, with the differences and the remedy."""
    found = differences(step.expect(), seen.properties)
    return Ending.of(
        Outcome.FAILED,
        step,
        seen,
        problem=sentence(found),
        remedy_id=step.remedy(found[0].property, seen),
        **fields,
    )


def sentence(found: list[Difference]) -> str:
    """Return differences as one line: property, observed, expected."""
    return "; ".join(
        f"{d.property} is {_shown(d.observed)}, expected {_shown(d.expected)}"
        for d in found
    )


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value) or "nothing"
    return str(value)


def _apply(attempt: Attempt, step: Change, resolved: Change) -> Ending:
    begun = unsettled(attempt.record.events, step.id)
    expected = resolved.expect()
    seen = (
        settle(attempt, resolved, expected)
        if begun
        else resolved.observe(attempt.session)
    )
    before = cast("State", begun["before"]) if begun else seen.properties
    if begun and _of_a_stranger(begun.get("action"), seen):
        return _drift(resolved, seen, before)
    action = _action(seen, expected)
    if met(expected, seen.properties):
        return _interrupted(resolved, seen, begun) or _as_expected(resolved, seen)
    attempt.begin(step, resolved, before, action)
    confirmed = write(
        attempt, resolved, lambda: resolved.apply(attempt.session), expected
    )
    after = settle(attempt, resolved, expected)
    if _of_a_stranger(action, after):
        return _drift(resolved, after, before)
    if not met(expected, after.properties):
        return unmet(resolved, after, before=before, action=action)
    return Ending.of(
        Outcome.CHANGED,
        resolved,
        after,
        before=before,
        action=action,
        confirmed=confirmed,
    )


def _of_a_stranger(action: object, seen: Observation) -> bool:
    """Tell whether what was to be made bears nobody's mark of ours."""
    return action == "create" and seen.adopt


def _drift(step: Change, seen: Observation, before: State) -> Ending:
    """Refuse to take a stranger's object for the one that this run made."""
    return Ending.of(
        Outcome.FAILED,
        step,
        seen,
        before=before,
        problem="somebody else made an object of this name since this run looked",
        remedy="It was left alone: run plan again, which shows what is there.",
        remedy_id=step.id,
    )


def _interrupted(step: Change, seen: Observation, begun: Event | None) -> Ending | None:
    """Return the end of a change that an earlier attempt began and did not see."""
    if begun is None:
        return None
    return Ending.of(
        Outcome.CHANGED,
        step,
        seen,
        before=begun["before"],
        action=begun["action"],
        confirmed="observed",
    )


def as_changed(attempt: Attempt, resolved: Change, begin: Event) -> Event | None:
    """Return a begun change as one that was made, if the tenant shows it; else None.

    What was written right before the run ended may show later.
    """
    expected, left = resolved.expect(), attempt.still_to_show(begin)
    seen = settle(attempt, resolved, expected, left)
    if not met(expected, seen.properties):
        return None
    return {**begin, "after": plain(seen.properties)}


def unfinished(attempt: Attempt, resolved: Change, run: str) -> Ending:
    """Clear away what a change that never came to its end may have left."""
    cleared = resolved.clear(attempt.session, run)
    removed = f" Removed: {', '.join(cleared)}." if cleared else ""
    return Ending(
        Outcome.REVERTED if cleared else Outcome.SKIPPED,
        resolved.expect(),
        reason=None if cleared else "nothing_changed",
        problem="The run that is rolled back began this and did not see it; "
        f"the tenant does not show it as expected.{removed}",
    )


def roll_back(attempt: Attempt, resolved: Change, change: Event) -> Ending:
    """Undo a recorded change, only where the tenant still shows its after-value.

    A property that is as before needs no undoing: an earlier rollback may have
    been interrupted between two writes.
    """
    before = cast("State", change["before"])
    after = cast("State", change["after"])
    owned = list(resolved.expect())
    as_before = {name: before.get(name) for name in owned}
    seen = resolved.observe(attempt.session)
    now = {name: plain(seen.properties.get(name)) for name in owned}
    if now == as_before:
        resolved.tidy(attempt.session, after)
        return Ending.of(Outcome.REVERTED, resolved, seen, expected=as_before)
    if _of_a_stranger(change.get("action"), seen):
        return _not_ours(resolved, seen, as_before, "it bears no mark of this project")
    left = {name: after.get(name) for name in owned if now[name] != as_before[name]}
    foreign = differences(left, now)
    if foreign:
        return _not_ours(resolved, seen, as_before, sentence(foreign))
    attempt.begin(resolved, resolved, seen.properties, _back(change))
    confirmed = write(
        attempt,
        resolved,
        lambda: resolved.revert(attempt.session, before, after),
        as_before,
    )
    ending = _reverted(attempt, resolved, seen, as_before, confirmed, _back(change))
    if ending.outcome is Outcome.REVERTED:
        resolved.tidy(attempt.session, after)
    return ending


def _back(change: Event) -> Action:
    return "delete" if change.get("action") == "create" else "update"


def _reverted(
    attempt: Attempt,
    step: Change,
    was: Observation,
    as_before: State,
    confirmed: str | None,
    action: Action,
) -> Ending:
    seen = settle(attempt, step, as_before)
    found = differences(as_before, seen.properties)
    return Ending.of(
        Outcome.FAILED if found else Outcome.REVERTED,
        step,
        seen,
        before=was.properties,
        expected=as_before,
        confirmed=confirmed,
        action=action,
        problem=f"not restored: {sentence(found)}" if found else None,
        remedy_id=step.id if found else None,
    )


def _not_ours(
    step: Change, seen: Observation, as_before: State, difference: str
) -> Ending:
    return Ending.of(
        Outcome.BLOCKED,
        step,
        seen,
        expected=as_before,
        problem=f"changed by someone else since: {difference}",
        remedy="Decide by hand; this tool reverts only what it still finds as it left.",
        remedy_id=step.id,
    )

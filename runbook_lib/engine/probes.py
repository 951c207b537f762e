"""How a Check and a Probe are performed, with the wait for replication."""

from __future__ import annotations

from runbook_lib.engine import history
from runbook_lib.engine.attempt import NOTHING_WRITTEN, Attempt, Ending
from runbook_lib.engine.borrowing import (
    BORROWED,
    RETURNED,
    give_back,
    give_back_left,
    outstanding,
)
from runbook_lib.engine.changes import unmet
from runbook_lib.engine.effects import CredentialProbe, MessageProbe
from runbook_lib.engine.expect import met
from runbook_lib.engine.messages import perform_messages, sent_already
from runbook_lib.engine.step import (
    Action,
    Awaited,
    Check,
    Mode,
    Observation,
    Outcome,
    Probe,
)
from runbook_lib.engine.waiting import effect_ends, until_met
from runbook_lib.errors import OutcomeUnknown
from runbook_lib.secret import Secret


def perform_check(attempt: Attempt, step: Check, resolved: Check) -> Ending:
    """Read a prerequisite; every mode does the same."""
    seen = _observed(attempt, resolved)
    attempt.begin(step, resolved, seen.properties, None)
    if met(resolved.expect(), seen.properties):
        return Ending.of(Outcome.OK, resolved, seen)
    if seen.awaits is not None:
        return _awaiting(attempt, resolved, seen, seen.awaits)
    return unmet(resolved, seen)


def _observed(attempt: Attempt, step: Check) -> Observation:
    """Read; again for a while where a person's act is due to show."""
    pauses = attempt.pauses(attempt.wait)
    while True:
        seen = step.observe(attempt.session)
        due = seen.awaits is not None and seen.awaits.due
        if not due or attempt.mode is Mode.PLAN or met(step.expect(), seen.properties):
            return seen
        if not pauses.again():
            return seen


def _awaiting(
    attempt: Attempt, step: Check, seen: Observation, awaited: Awaited
) -> Ending:
    """Return the ending of a check that waits for a person."""
    planned = attempt.mode is Mode.PLAN
    return Ending.of(
        Outcome.PLANNED if planned else Outcome.PENDING,
        step,
        seen,
        action="manual",
        problem=(planned and awaited.planned) or awaited.sentence,
        remedy_id=step.id,
    )


def perform_probe(attempt: Attempt, step: Probe, resolved: Probe) -> Ending:
    """Do the real thing once, where the mode and the run's changes allow it."""
    changed = _changes(attempt)
    if attempt.mode is Mode.PLAN and changed:
        return planned_probe(resolved)
    if isinstance(resolved, MessageProbe) and sent_already(attempt, resolved):
        return perform_messages(attempt, step, resolved)
    if resolved.effect != "none" and not (attempt.mode is Mode.APPLY and changed):
        return _nothing_changed(resolved)
    if isinstance(resolved, MessageProbe):
        return perform_messages(attempt, step, resolved)
    if isinstance(resolved, CredentialProbe):
        return _with_borrowed(attempt, step, resolved)
    attempt.begin(step, resolved, {}, None)
    return until_met(
        attempt,
        resolved,
        lambda: resolved.observe(attempt.session),
        attempt.wait,
        effect_ends(attempt),
    )


def planned_probe(step: Probe) -> Ending:
    """Return how a probe is planned: it creates what its effect leaves behind."""
    action: Action = "no-op" if step.effect == "none" else "create"
    return Ending(Outcome.PLANNED, step.expect(), action=action)


def _changes(attempt: Attempt) -> bool:
    """Tell whether a Change of this run is planned (plan) or was written (apply)."""
    events = attempt.record.events
    if attempt.mode is Mode.APPLY:
        return bool(history.written(events))
    return any(
        end["kind"] == "Change" and end["outcome"] == Outcome.PLANNED
        for end in history.ends(events).values()
    )


def _nothing_changed(step: Probe) -> Ending:
    return Ending(
        Outcome.SKIPPED,
        step.expect(),
        reason="nothing_changed",
        problem="Left out: only an apply run that changed something does this.",
    )


def _with_borrowed(attempt: Attempt, step: Probe, resolved: CredentialProbe) -> Ending:
    """Borrow a credential, look, and give it back whatever happens."""
    record, session = attempt.record, attempt.session
    known = {str(one[0]["step"]): one for one in outstanding(record.events)}
    if step.id in known:
        give_back_left(attempt, resolved, known[step.id], session.run)
    attempt.begin(step, resolved, {}, "create")
    key_id, secret = _borrowed(attempt, step, resolved)
    try:
        record.append(BORROWED, mode=attempt.mode, step=step.id, key_id=key_id)
        return until_met(
            attempt,
            resolved,
            lambda: resolved.observe_with(session, secret),
            attempt.wait,
            effect_ends(attempt),
        )
    finally:
        give_back(attempt, resolved, key_id)
        record.append(RETURNED, mode=attempt.mode, step=step.id, key_id=key_id)


def _borrowed(
    attempt: Attempt, step: Probe, resolved: CredentialProbe
) -> tuple[str, Secret]:
    """Borrow; what may have been made without an answer is removed at once."""
    try:
        return resolved.borrow(attempt.session)
    except NOTHING_WRITTEN as error:
        attempt.refused(step, error)
        raise
    except OutcomeUnknown:
        begin = attempt.record.events[-1]
        give_back_left(attempt, resolved, (begin, []), attempt.session.run)
        raise

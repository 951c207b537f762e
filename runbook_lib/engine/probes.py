"""How a Check and a Probe are performed, with the wait for replication."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from runbook_lib.engine import history
from runbook_lib.engine.attempt import NOTHING_WRITTEN, Attempt, Ending
from runbook_lib.engine.borrowing import (
    BORROWED,
    RETURNED,
    give_back,
    give_back_left,
    outstanding,
)
from runbook_lib.engine.chain import Event
from runbook_lib.engine.changes import unmet
from runbook_lib.engine.effects import CredentialProbe, MessageProbe
from runbook_lib.engine.expect import State, differences, met
from runbook_lib.engine.record import timestamp
from runbook_lib.engine.step import (
    Action,
    Awaited,
    Check,
    Mode,
    NothingToDo,
    Observation,
    Outcome,
    Probe,
    Step,
)
from runbook_lib.errors import OutcomeUnknown, ServiceRefused
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
    sent = history.acted(attempt.record.events, step.id) is not None
    if isinstance(resolved, MessageProbe) and sent:
        return _send_once(attempt, step, resolved)
    if resolved.effect != "none" and not (attempt.mode is Mode.APPLY and changed):
        return _nothing_changed(resolved)
    if isinstance(resolved, MessageProbe):
        return _send_once(attempt, step, resolved)
    if isinstance(resolved, CredentialProbe):
        return _with_borrowed(attempt, step, resolved)
    attempt.begin(step, resolved, {}, None)
    return _until(
        attempt,
        resolved,
        lambda: resolved.observe(attempt.session),
        attempt.wait,
        _effect_ends(attempt),
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


def _send_once(attempt: Attempt, step: Probe, resolved: MessageProbe) -> Ending:
    """Send the message unless an earlier attempt did or may have done so."""
    record = attempt.record
    sent = history.acted(record.events, step.id)
    if sent is None:
        attempt.begin(step, resolved, {}, "create")
        facts = _acted(attempt, step, resolved)
        sent = record.append("step.acted", mode=attempt.mode, step=step.id, facts=facts)
    elif sent["event"] == "step.act" and attempt.mode is Mode.APPLY:
        sent = _rest_sent(attempt, step, resolved) or sent
    known = cast("State", sent.get("facts") or {})
    window = attempt.session.tenant.windows.trace
    until = datetime.fromisoformat(str(sent["time"])) + timedelta(seconds=window)
    wait = min(attempt.wait, window)
    return _until(
        attempt,
        resolved,
        lambda: resolved.follow(attempt.session, known),
        wait,
        until,
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
        return _until(
            attempt,
            resolved,
            lambda: resolved.observe_with(session, secret),
            attempt.wait,
            _effect_ends(attempt),
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


def _acted(attempt: Attempt, step: Probe, resolved: MessageProbe) -> State:
    """Send the message; what was surely not sent may be sent in a later attempt.

    That the message goes out next is on disk before it does.
    """
    try:
        return resolved.act(attempt.session, _sending(attempt, step))
    except (*NOTHING_WRITTEN, NothingToDo) as error:
        attempt.refused(step, error)
        raise


def _rest_sent(attempt: Attempt, step: Probe, resolved: MessageProbe) -> Event | None:
    """Send what an interrupted attempt did not begin, if there is more of it."""
    begun = history.begun_messages(attempt.record.events, step.id)
    facts = resolved.rest(attempt.session, begun, _sending(attempt, step))
    if facts is None:
        return None
    return attempt.record.append(
        "step.acted", mode=attempt.mode, step=step.id, facts=facts
    )


def _sending(attempt: Attempt, step: Probe) -> Callable[..., None]:
    """Return what puts on disk that a message goes out next; it may have a name."""

    def sending(name: str = "") -> None:
        named = {"message": name} if name else {}
        attempt.record.append("step.act", mode=attempt.mode, step=step.id, **named)

    return sending


def _effect_ends(attempt: Attempt) -> datetime | None:
    """Return until when a refusal may be replication: None if nothing changed."""
    written = history.written(attempt.record.events)
    if not written:
        return None
    last = datetime.fromisoformat(str(written[-1]["time"]))
    return last + timedelta(seconds=attempt.session.tenant.windows.effect)


def _until(
    attempt: Attempt,
    step: Probe,
    look: Callable[[], Observation],
    wait: float,
    until: datetime | None,
) -> Ending:
    """Look until it is as expected, or until what is seen is not replication."""
    pauses = attempt.pauses(wait)
    while True:
        ending, lagging = _look(step, look)
        if not lagging or until is None:
            return ending
        if attempt.session.now() >= until:
            return ending
        if not pauses.again():
            return _pending(step, ending, until)


def _look(step: Probe, look: Callable[[], Observation]) -> tuple[Ending, bool]:
    """Return how the step would end now, and whether replication explains it."""
    try:
        seen = look()
    except ServiceRefused as refusal:
        return refused(step, refusal), step.explains(refusal)
    if met(step.expect(), seen.properties):
        return Ending.of(Outcome.OK, step, seen), False
    return unmet(step, seen), _lagging(step, seen)


def _lagging(step: Step, seen: Observation) -> bool:
    names = {d.property for d in differences(step.expect(), seen.properties)}
    return names <= step.replication_symptoms


def refused(step: Step, refusal: ServiceRefused) -> Ending:
    """Return the ending of a probe whose real thing was refused: `failed`."""
    return Ending(
        Outcome.FAILED,
        step.expect(),
        problem=refusal.message,
        remedy=refusal.remedy,
        remedy_id=step.remedies.get(refusal.code, step.id),
        facts={"code": refusal.code, **refusal.facts},
    )


def _pending(step: Step, ending: Ending, until: datetime) -> Ending:
    return Ending(
        Outcome.PENDING,
        step.expect(),
        after=ending.after,
        context=ending.context,
        problem=f"Waiting for replication: {ending.problem}",
        remedy="Run verify once the time given has passed.",
        remedy_id="replication",
        until=timestamp(until),
        facts=ending.facts,
    )

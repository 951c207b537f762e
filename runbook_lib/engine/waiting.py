"""Waiting for what a probe looks for, as long as replication may explain it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runbook_lib.engine import history
from runbook_lib.engine.attempt import Attempt, Ending
from runbook_lib.engine.changes import unmet
from runbook_lib.engine.expect import differences, met
from runbook_lib.engine.record import timestamp
from runbook_lib.engine.step import Observation, Outcome, Probe, Step
from runbook_lib.errors import ServiceRefused


def effect_ends(attempt: Attempt) -> datetime | None:
    """Return until when a refusal may be replication: None if nothing changed."""
    written = history.written(attempt.record.events)
    if not written:
        return None
    last = datetime.fromisoformat(str(written[-1]["time"]))
    return last + timedelta(seconds=attempt.session.tenant.windows.effect)


def until_met(
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

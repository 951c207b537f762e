"""How a step ends that raised."""

from __future__ import annotations

import traceback

from runbook_lib.engine import remedies
from runbook_lib.engine.attempt import Ending
from runbook_lib.engine.expect import State
from runbook_lib.engine.step import (
    NotAsExpected,
    NothingToDo,
    Outcome,
    Probe,
    Step,
    Waits,
)
from runbook_lib.engine.waiting import refused
from runbook_lib.errors import CannotLook, RunbookError, ServiceRefused


def expected(step: Step) -> State:
    """Return what a step expects, or nothing where its inputs are wrong."""
    try:
        return step.expect()
    except Exception:
        return {}


def fault(step: Step, error: Exception) -> Ending:
    """Return the ending of a step that raised."""
    wanted = expected(step)
    if isinstance(error, NothingToDo):
        return Ending(
            Outcome.SKIPPED, wanted, reason=error.reason, problem=error.message
        )
    if isinstance(error, Waits):
        return Ending(
            Outcome.PENDING,
            wanted,
            action="manual",
            problem=error.message,
            remedy=error.remedy,
            remedy_id=error.remedy_id,
        )
    if isinstance(error, NotAsExpected):
        return Ending(
            Outcome.FAILED,
            wanted,
            problem=error.message,
            remedy=error.remedy,
            remedy_id=error.remedy_id,
            facts=error.facts,
        )
    if isinstance(step, Probe) and isinstance(error, ServiceRefused):
        return refused(step, error)
    if isinstance(error, RunbookError):
        return _could_not_look(step, error)
    return _defect(step, error)


def _could_not_look(step: Step, error: RunbookError) -> Ending:
    facts = error.facts if isinstance(error, CannotLook) else {}
    name = type(error).__name__
    code = error.code if isinstance(error, ServiceRefused) else name
    return Ending(
        Outcome.ERROR,
        expected(step),
        problem=error.message,
        remedy=error.remedy,
        remedy_id=step.remedies.get(code)
        or remedies.CAUSES.get(code)
        or remedies.CAUSES.get(name, step.id),
        facts={"code": code, **facts},
    )


def _defect(step: Step, error: Exception) -> Ending:
    """Return `error` for a fault that nobody foresaw; its stack goes to the record."""
    return Ending(
        Outcome.ERROR,
        expected(step),
        problem=f"unforeseen fault in this step: {type(error).__name__}",
        remedy="This is a defect of the runbook: report it with the record.",
        remedy_id="unknown-reply",
        facts={"traceback": "".join(traceback.format_exception(error))},
    )

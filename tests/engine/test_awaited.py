"""A Check that waits for a person: pending, planned in plan mode, never a pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Awaited, Check, Mode, Observation, Outcome
from runbook_lib.session import Session
from tests.engine.world import Bench, world_of

ASKED = "Waiting for the test mail."
TO_ASK = "A person sends a test mail."


@dataclass(frozen=True)
class Mail(Check):
    """A message that a person sends; `due` after they said so."""

    title: ClassVar[str] = "Mail"
    guide: ClassVar[str] = "mail"
    due: bool = False

    def expect(self) -> State:
        """Return that it arrived."""
        return {"Status": "Delivered"}

    def observe(self, session: Session) -> Observation:
        """Look for it."""
        status = world_of(session).read("mail")
        awaits = None if status == "Failed" else Awaited(ASKED, TO_ASK, self.due)
        return Observation({"Status": status}, awaits=awaits)


@pytest.mark.parametrize(
    ("mode", "outcome", "said"),
    [
        (Mode.PLAN, Outcome.PLANNED, TO_ASK),
        (Mode.APPLY, Outcome.PENDING, ASKED),
        (Mode.VERIFY, Outcome.PENDING, ASKED),
    ],
)
def test_what_was_not_done_is_awaited(
    bench: Bench, mode: Mode, outcome: Outcome, said: str
) -> None:
    """The person is told what to do, and nobody waits for it meanwhile."""
    result = bench.run(Mail(), mode)
    assert (result.outcome, result.problem) == (outcome, said)
    assert (result.event["action"], result.event["remedy_id"]) == ("manual", "mail")
    assert bench.world.seconds == 0


def test_what_was_done_is_waited_for(bench: Bench) -> None:
    """Within the time given, the service's delay is no reason to stop."""
    bench.world.values["mail"] = "Delivered"
    bench.world.lag = 0
    assert bench.run(Mail(due=True), Mode.VERIFY).outcome is Outcome.OK
    del bench.world.values["mail"]
    assert bench.run(Mail(due=True), Mode.VERIFY).outcome is Outcome.PENDING
    assert bench.world.seconds > 0


def test_a_plan_waits_for_nothing(bench: Bench) -> None:
    """What is due is not waited for where nothing is done."""
    assert bench.run(Mail(due=True), Mode.PLAN).outcome is Outcome.PLANNED
    assert bench.world.seconds == 0


def test_what_went_wrong_is_failed(bench: Bench) -> None:
    """Where no waiting helps the step has failed."""
    bench.world.values["mail"] = "Failed"
    assert bench.run(Mail(), Mode.VERIFY).outcome is Outcome.FAILED

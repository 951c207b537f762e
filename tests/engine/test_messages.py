"""A message is sent exactly once in a run, and then followed by reading."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from runbook_lib.engine.record import timestamp
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.errors import NotPermitted, OutcomeUnknown, Unreachable
from tests.engine.world import (
    Bench,
    Fault,
    Make,
    Message,
    Messages,
    killed,
    lost,
    refusal,
)


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """Return a bench on which something was changed, so a message may go."""
    bench.run(Make("a"))
    bench.world.sent.clear()
    return bench


def arrive(bench: Bench) -> None:
    """Let the message reach its recipient."""
    bench.world.values["message"] = "Delivered"


def test_no_message_where_nothing_changed(bench: Bench) -> None:
    """Running apply again does not write to anybody."""
    bench.world.values["a"] = "new"
    bench.run(Make("a"))
    result = bench.run(Message())
    assert (result.outcome, result.event["reason"]) == (
        Outcome.SKIPPED,
        "nothing_changed",
    )
    assert bench.world.messages == []


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY])
def test_no_message_outside_apply(ready: Bench, mode: Mode) -> None:
    """Even in a run that changed something."""
    ready.run(Message(), mode)
    assert ready.world.sent == []


def test_a_plan_says_that_a_message_will_go(bench: Bench) -> None:
    """It leaves something behind, so it is a create."""
    bench.run(Make("a"), Mode.PLAN)
    result = bench.run(Message(), Mode.PLAN)
    assert (result.outcome, result.event["action"]) == (Outcome.PLANNED, "create")


def test_sent_and_delivered(ready: Bench) -> None:
    """Begin, act and acted are on disk, in this order, around the sending."""
    arrive(ready)
    kinds: list[list[str]] = []
    ready.world.before_write = lambda: kinds.append(ready.kinds()[-2:])
    result = ready.run(Message())
    assert result.outcome is Outcome.OK
    assert kinds == [["step.begin", "step.act"]]
    assert ready.kinds()[-2:] == ["step.acted", "step.end"]
    assert ready.world.messages == ["message"]
    assert result.event["facts"] == {"known": "message"}


def test_followed_until_the_window_ends_then_failed(ready: Bench) -> None:
    """Pending with a time; in a later attempt, after that time, failed."""
    until = ready.world.now() + timedelta(seconds=ready.world.windows.trace)
    first = ready.run(Message())
    assert first.outcome is Outcome.PENDING
    assert first.event["until"] == timestamp(until)
    ready.world.sleep(ready.world.windows.trace)
    assert ready.run(Message()).outcome is Outcome.FAILED
    assert ready.world.messages == ["message"]


def test_the_wait_is_never_longer_than_the_window(ready: Bench) -> None:
    """A long wait= does not wait for what cannot come any more."""
    ready.wait = 10_000
    ready.run(Message())
    assert ready.world.seconds <= ready.world.windows.trace


@pytest.mark.parametrize("attempts", [1, 3])
def test_one_message_across_attempts(ready: Bench, attempts: int) -> None:
    """However often the cell or the run is started again."""
    for _ in range(attempts):
        assert ready.run(Message()).outcome is Outcome.PENDING
        ready.kill_and_resume()
    arrive(ready)
    assert ready.run(Message()).outcome is Outcome.OK
    assert ready.world.messages == ["message"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("defect")])
def test_killed_before_sending_is_sent_in_the_next_attempt(
    ready: Bench, error: BaseException
) -> None:
    """What ends before the message goes out has sent nothing."""
    arrive(ready)
    ready.world.unready.append(error)
    with suppress(KeyboardInterrupt):
        assert ready.run(Message()).outcome is Outcome.ERROR
    assert "step.act" not in ready.kinds()
    ready.kill_and_resume()
    assert ready.run(Message()).outcome is Outcome.OK
    assert len(ready.world.sent) == 1


@pytest.mark.parametrize("effect", [True, False])
def test_killed_while_sending_is_never_sent_again(ready: Bench, effect: bool) -> None:
    """Whether it left is not known, so it is looked for and not repeated."""
    ready.world.faults.append(killed(effect=effect))
    with pytest.raises(KeyboardInterrupt):
        ready.run(Message())
    assert ready.kinds()[-1] == "step.act"
    ready.kill_and_resume()
    assert ready.run(Message()).outcome is Outcome.PENDING
    arrive(ready)
    result = ready.run(Message())
    assert result.outcome is Outcome.OK
    assert len(ready.world.sent) == 1


def die_at_the_second(ready: Bench) -> None:
    """Let the process end while it sends the second of three, and reopen."""
    ready.world.faults.extend([None, killed(effect=True)])
    with pytest.raises(KeyboardInterrupt):
        ready.run(Messages())
    ready.kill_and_resume()


def test_killed_among_several_only_the_rest_is_sent(ready: Bench) -> None:
    """What was begun may have left; what was not has not."""
    die_at_the_second(ready)
    arrive(ready)
    result = ready.run(Messages())
    assert result.outcome is Outcome.OK
    assert ready.world.sent == [("sent", "a"), ("sent", "b"), ("sent", "c")]
    assert ready.kinds().count("step.act") == 3
    ready.run(Messages())
    assert len(ready.world.sent) == 3


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY])
def test_the_rest_is_sent_in_apply_only(ready: Bench, mode: Mode) -> None:
    """Elsewhere the messages are only looked for."""
    die_at_the_second(ready)
    ready.run(Messages(), mode)
    assert len(ready.world.sent) == 2


def test_each_of_several_is_known_by_its_name(ready: Bench) -> None:
    """The one that may have left is known by nothing else."""
    die_at_the_second(ready)
    arrive(ready)
    event = ready.run(Messages()).event
    assert event["facts"] == {"known": {"a": {"id": "a"}, "b": {}, "c": {"id": "c"}}}


def test_one_refused_keeps_no_other_from_being_tried(ready: Bench) -> None:
    """The step fails for it; in a later attempt only that one is sent again."""
    arrive(ready)
    ready.world.faults.append(refusal("554 5.2.252"))
    result = ready.run(Messages())
    assert result.outcome is Outcome.FAILED
    assert "554 5.2.252" in str(result.problem)
    assert [name for _, name in ready.world.sent] == ["a", "b", "c"]
    assert ready.run(Messages()).outcome is Outcome.OK
    assert [name for _, name in ready.world.sent] == ["a", "b", "c", "a"]


def test_an_unreachable_server_ends_the_sending(ready: Bench) -> None:
    """It is not tried for each; a later attempt sends what is left."""
    arrive(ready)
    ready.world.unready.append(Unreachable("no route"))
    assert ready.run(Messages()).outcome is Outcome.ERROR
    assert ready.world.sent == []
    assert ready.run(Messages()).outcome is Outcome.OK
    assert [name for _, name in ready.world.sent] == ["a", "b", "c"]


def test_an_unknown_outcome_is_never_sent_again(ready: Bench) -> None:
    """The connection broke after DATA: the trace tells what became of it."""
    ready.world.faults.append(lost(effect=True))
    assert ready.run(Message()).outcome is Outcome.ERROR
    arrive(ready)
    assert ready.run(Message()).outcome is Outcome.OK
    assert len(ready.world.sent) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (refusal("535 5.7.3"), Outcome.FAILED),
        (Fault(Unreachable("no route")), Outcome.ERROR),
        (Fault(NotPermitted("no")), Outcome.ERROR),
    ],
)
def test_what_was_surely_not_sent_may_be_sent_again(
    ready: Bench, fault: Fault, outcome: Outcome
) -> None:
    """A refusal is no message; after it was repaired, the run sends one."""
    ready.world.faults.append(fault)
    assert ready.run(Message()).outcome is outcome
    assert ready.world.messages == []
    arrive(ready)
    assert ready.run(Message()).outcome is Outcome.OK
    assert ready.world.messages == ["message"]


def test_an_unknown_outcome_is_not_forgotten_by_a_later_refusal(ready: Bench) -> None:
    """Looking fails; the message is still not sent a second time."""
    ready.world.faults.append(Fault(OutcomeUnknown("reset"), effect=True))
    ready.run(Message())
    ready.world.blind.append(refusal("Throttled").error)  # type: ignore[arg-type]
    assert ready.run(Message()).outcome is Outcome.FAILED
    ready.run(Message())
    assert len(ready.world.sent) == 1

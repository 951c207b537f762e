"""Rule 4: a write that may have happened is never blindly repeated."""

from __future__ import annotations

import pytest

from runbook_lib.engine import history
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.errors import Unreachable
from tests.engine.world import LAGGING, Bench, Make, lost, refusal

OLD = {"value": None, "made": None}


@pytest.mark.parametrize("lag", [0, 3])
def test_lost_after_its_effect_is_confirmed_by_looking(bench: Bench, lag: int) -> None:
    """One write; the tenant shows it, though perhaps late."""
    bench.world.lag = lag
    bench.world.faults.append(lost(effect=True))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert result.event["confirmed"] == "observed"
    assert result.event["before"] == OLD
    assert len(bench.world.sent) == 1


def test_lost_and_made_by_a_stranger_is_not_claimed(bench: Bench) -> None:
    """What is found after a lost answer has to bear our mark."""

    def made_by_another() -> None:
        bench.world.values["a"], bench.world.adopt = "new", True

    bench.world.before_write = made_by_another
    bench.world.faults.append(lost(effect=False))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.FAILED
    assert history.changes(bench.record.events) == []


def test_lost_before_its_effect_is_written_again(bench: Bench) -> None:
    """After the whole window without effect the write surely did not happen."""
    bench.world.faults.append(lost(effect=False))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert "confirmed" not in result.event
    assert len(bench.world.sent) == 2
    assert bench.world.seconds >= bench.world.windows.visibility


def test_lost_three_times_is_an_error(bench: Bench) -> None:
    """Never more than three writes."""
    bench.world.faults.extend(lost(effect=False) for _ in range(5))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.ERROR
    assert len(bench.world.sent) == 3


@pytest.mark.parametrize("times", [1, 2, 4])
def test_symptoms_of_replication_are_tried_again(bench: Bench, times: int) -> None:
    """A refusal wrote nothing, so it may be sent again within the window."""
    bench.world.faults.extend(refusal(LAGGING) for _ in range(times))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert len(bench.world.sent) == times + 1


def test_symptoms_of_replication_end_with_the_window(bench: Bench) -> None:
    """After the window it is an error, not a loop."""
    bench.world.faults.extend(refusal(LAGGING) for _ in range(1000))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.ERROR
    assert bench.world.seconds == bench.world.windows.visibility


def test_symptoms_of_replication_while_reading_back(bench: Bench) -> None:
    """What was just made may not be found for a while."""
    bench.world.blind.extend([None, refusal(LAGGING).error, refusal(LAGGING).error])  # type: ignore[list-item]
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert len(bench.world.sent) == 1


def test_a_change_that_could_not_be_read_back_is_not_forgotten(bench: Bench) -> None:
    """Run again, it ends changed with the old before, so rollback knows it."""
    bench.world.blind.extend([None, Unreachable("no route")])
    first = bench.run(Make("a"))
    assert first.outcome is Outcome.ERROR
    again = bench.run(Make("a"))
    assert again.outcome is Outcome.CHANGED
    assert again.event["before"] == OLD
    assert again.event["action"] == "create"
    assert again.event["confirmed"] == "observed"
    assert len(bench.world.sent) == 1
    assert len(history.changes(bench.record.events)) == 1


def test_a_lost_change_that_could_not_be_looked_for_is_not_forgotten(
    bench: Bench,
) -> None:
    """Its outcome is still unknown in the next attempt of the same run."""
    bench.world.faults.append(lost(effect=True))
    bench.world.blind.extend([None, Unreachable("no route")])
    assert bench.run(Make("a")).outcome is Outcome.ERROR
    bench.kill_and_resume()
    again = bench.run(Make("a"))
    assert (again.outcome, again.event["before"]) == (Outcome.CHANGED, OLD)
    assert len(bench.world.sent) == 1


def test_a_change_seen_after_its_window_is_not_forgotten(bench: Bench) -> None:
    """Failed, because it was not seen in time; seen later, it is ours."""
    bench.world.lag = 1000
    assert bench.run(Make("a")).outcome is Outcome.FAILED
    bench.world.lag, bench.world._stale = 0, 0
    assert bench.run(Make("a"), Mode.VERIFY).outcome is Outcome.OK
    again = bench.run(Make("a"))
    assert (again.outcome, again.event["before"]) == (Outcome.CHANGED, OLD)
    assert len(bench.world.sent) == 1


def test_what_was_refused_is_not_claimed_later(bench: Bench) -> None:
    """Nothing was written; if somebody else did it since, it is theirs."""
    bench.world.faults.append(refusal("Forbidden"))
    assert bench.run(Make("a")).outcome is Outcome.ERROR
    bench.world.values["a"] = "new"
    assert bench.run(Make("a")).outcome is Outcome.OK
    assert history.changes(bench.record.events) == []


def test_refused_after_a_lost_write_may_still_be_ours(bench: Bench) -> None:
    """The second refusal says nothing about the first write."""
    bench.world.faults.extend([lost(effect=False), refusal("Conflict")])
    assert bench.run(Make("a")).outcome is Outcome.ERROR
    bench.world.values["a"] = "new"
    again = bench.run(Make("a"))
    assert (again.outcome, again.event["before"]) == (Outcome.CHANGED, OLD)


def test_a_refusal_after_a_lost_answer_has_a_window_of_its_own(bench: Bench) -> None:
    """Looking whether it happened took all of the first one."""
    bench.world.faults.extend([lost(effect=False), refusal(LAGGING), None])
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert len(bench.world.sent) == 3
    assert bench.world.seconds > bench.world.windows.visibility

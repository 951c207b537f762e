"""A killed run goes on: what it began is known, what it did is not repeated."""

from __future__ import annotations

import pytest

from runbook_lib.engine.history import changes, open_begin, unsettled
from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.step import Mode, Outcome
from tests.engine.world import Bench, Make, killed

OLD = {"value": "old", "made": "id-of-a"}


def kill(bench: Bench, *, effect: bool) -> None:
    """Kill the run in the middle of a write, and resume it."""
    bench.world.values["a"] = "old"
    bench.world.faults.append(killed(effect=effect))
    with pytest.raises(KeyboardInterrupt):
        bench.run(Make("a"))
    assert bench.kinds()[-1] == "step.begin"
    bench.kill_and_resume()


@pytest.mark.parametrize("lag", [0, 3])
def test_killed_after_the_effect(bench: Bench, lag: int) -> None:
    """Begun, not ended, and now as expected: changed, with the old before."""
    bench.world.lag = lag
    kill(bench, effect=True)
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert result.event["before"] == OLD
    assert result.event["action"] == "update"
    assert result.event["confirmed"] == "observed"
    assert len(bench.world.sent) == 1


def test_killed_before_the_effect(bench: Bench) -> None:
    """It is written now; the window is waited for first."""
    kill(bench, effect=False)
    result = bench.run(Make("a"))
    assert (result.outcome, result.event["before"]) == (Outcome.CHANGED, OLD)
    assert "confirmed" not in result.event
    assert len(bench.world.sent) == 2
    assert bench.world.seconds >= bench.world.windows.visibility


def test_what_a_stranger_made_meanwhile_is_not_ours(bench: Bench) -> None:
    """Killed before the effect; then somebody made an object of that name."""
    bench.world.faults.append(killed(effect=False))
    with pytest.raises(KeyboardInterrupt):
        bench.run(Make("a"))
    bench.kill_and_resume()
    bench.world.values["a"], bench.world.adopt = "new", True
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.FAILED
    assert "somebody else" in str(result.problem)
    assert changes(bench.record.events) == []
    assert bench.run(Make("a")).outcome is Outcome.FAILED
    assert len(bench.world.sent) == 1


def test_what_this_run_made_is_ours_although_it_was_killed(bench: Bench) -> None:
    """The mark tells the two apart."""
    bench.world.faults.append(killed(effect=True))
    with pytest.raises(KeyboardInterrupt):
        bench.run(Make("a"))
    bench.kill_and_resume()
    assert bench.run(Make("a")).event["action"] == "create"
    assert len(changes(bench.record.events)) == 1


def test_killed_while_the_line_was_written(bench: Bench) -> None:
    """A torn line is kept; the run goes on behind it."""
    kill(bench, effect=True)
    path = bench.record.folder / EVENTS
    bench.record.close()
    path.write_bytes(path.read_bytes() + b'{"action":"up')
    bench.kill_and_resume()
    assert bench.run(Make("a")).outcome is Outcome.CHANGED
    assert b'\n{"action":"up\n' in path.read_bytes()


def test_killed_twice_keeps_the_first_before(bench: Bench) -> None:
    """The second attempt begins with the same before as the first."""
    kill(bench, effect=False)
    bench.world.faults.append(killed(effect=True))
    with pytest.raises(KeyboardInterrupt):
        bench.run(Make("a"))
    bench.kill_and_resume()
    result = bench.run(Make("a"))
    assert (result.outcome, result.event["before"]) == (Outcome.CHANGED, OLD)
    assert len(bench.world.sent) == 2


def test_looking_at_a_killed_step_does_not_end_it(bench: Bench) -> None:
    """Plan and verify say what they see; only apply settles what apply began."""
    kill(bench, effect=True)
    assert bench.run(Make("a"), Mode.VERIFY).outcome is Outcome.OK
    assert bench.run(Make("a"), Mode.PLAN).outcome is Outcome.OK
    assert open_begin(bench.record.events, "make:a", Mode.APPLY)
    assert bench.run(Make("a")).outcome is Outcome.CHANGED


def test_a_step_that_ended_is_not_settled_again(bench: Bench) -> None:
    """After changed, the next attempt finds nothing open."""
    kill(bench, effect=True)
    bench.run(Make("a"))
    assert unsettled(bench.record.events, "make:a") is None
    assert bench.run(Make("a")).outcome is Outcome.OK


def test_one_step_does_not_settle_another(bench: Bench) -> None:
    """Steps of one class are told apart by their key."""
    kill(bench, effect=True)
    bench.world.values["b"] = "new"
    assert bench.run(Make("b")).outcome is Outcome.OK
    assert unsettled(bench.record.events, "make:a")

"""Probes: the real thing once, and the wait for replication."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runbook_lib.engine.record import timestamp
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.errors import NotPermitted, ServiceRefused
from tests.engine.world import LAGGING, Bench, Make, TemporaryCredential, Works, refusal

LAGS = ServiceRefused("not there yet", code=LAGGING)
NO = ServiceRefused("no", code="Denied")


def test_in_a_plan_with_changes_it_is_planned(bench: Bench) -> None:
    """What does not exist yet cannot be tried; nothing is asked."""
    bench.run(Make("a"), Mode.PLAN)
    reads = bench.world.reads
    result = bench.run(Works(), Mode.PLAN)
    assert (result.outcome, result.event["action"]) == (Outcome.PLANNED, "no-op")
    assert bench.world.reads == reads


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY, Mode.APPLY])
def test_where_nothing_changes_it_is_tried(bench: Bench, mode: Mode) -> None:
    """Everything stands, so the proof is possible in every mode."""
    bench.world.values |= {"a": "new", "works": "yes"}
    bench.run(Make("a"), mode)
    assert bench.run(Works(), mode).outcome is Outcome.OK


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY, Mode.APPLY])
def test_a_refusal_where_nothing_changed_is_failed_at_once(
    bench: Bench, mode: Mode
) -> None:
    """Without a change of this run there is no replication to wait for."""
    bench.world.blind.append(LAGS)
    result = bench.run(Works(), mode)
    assert result.outcome is Outcome.FAILED
    assert result.event["remedy_id"] == "replication"
    assert bench.world.seconds == 0


def test_a_refusal_that_is_no_symptom_is_failed_at_once(bench: Bench) -> None:
    """Waiting would not help; code and sentence are the service's own."""
    bench.run(Make("a"))
    bench.world.blind.append(NO)
    result = bench.run(Works())
    assert (result.outcome, result.problem) == (Outcome.FAILED, "no")
    assert result.event["facts"] == {"code": "Denied"}
    assert bench.world.seconds == 0


def test_what_cannot_be_looked_at_is_an_error(bench: Bench) -> None:
    """Only a refusal of the real thing is failed."""
    bench.run(Make("a"))
    bench.world.blind.append(NotPermitted("no"))
    assert bench.run(Works()).outcome is Outcome.ERROR


@pytest.mark.parametrize("times", [1, 3])
def test_a_symptom_that_passes_within_the_wait_is_ok(bench: Bench, times: int) -> None:
    """A headless run waits a while."""
    bench.run(Make("a"))
    bench.world.values["works"] = "yes"
    bench.world.blind.extend([LAGS] * times)
    assert bench.run(Works()).outcome is Outcome.OK
    assert 0 < bench.world.seconds < bench.wait


def test_a_symptom_that_stays_is_pending_until_the_window_ends(bench: Bench) -> None:
    """Not a pass and not a failure: a time until which to wait."""
    bench.run(Make("a"))
    until = bench.world.now() + timedelta(seconds=bench.world.windows.effect)
    bench.world.blind.extend([LAGS] * 100)
    result = bench.run(Works())
    assert result.outcome is Outcome.PENDING
    assert result.event["until"] == timestamp(until)
    assert result.problem == "Waiting for replication: not there yet"
    assert bench.world.seconds == bench.wait


def test_an_unmet_property_may_be_a_symptom_as_well(bench: Bench) -> None:
    """A token without its role yet, a trace that is not there yet."""
    bench.run(Make("a"))
    result = bench.run(Works())
    assert result.outcome is Outcome.PENDING
    assert result.after == {"answer": None, "against": None}


def test_a_symptom_beside_a_real_difference_is_failed_at_once(bench: Bench) -> None:
    """Waiting would mend only one of the two."""
    bench.run(Make("a"))
    bench.world.values["against"] = "a policy"
    result = bench.run(Works())
    assert result.outcome is Outcome.FAILED
    assert "against is a policy" in str(result.problem)
    assert bench.world.seconds == 0


@pytest.mark.parametrize("mode", [Mode.APPLY, Mode.VERIFY])
def test_after_the_window_a_symptom_is_failed(bench: Bench, mode: Mode) -> None:
    """Two hours later replication explains nothing any more."""
    bench.run(Make("a"))
    bench.world.sleep(bench.world.windows.effect)
    bench.world.blind.append(LAGS)
    result = bench.run(Works(), mode)
    assert (result.outcome, result.problem) == (Outcome.FAILED, "not there yet")


def test_the_window_ends_while_a_run_waits(bench: Bench) -> None:
    """A wait that is longer than the window ends with the window."""
    bench.wait = 10_000
    bench.run(Make("a"))
    bench.world.blind.extend([LAGS] * 1000)
    assert bench.run(Works()).outcome is Outcome.FAILED
    window = bench.world.windows.effect
    assert window <= bench.world.seconds < window + 10


def test_verify_in_the_same_run_still_waits_for_its_change(bench: Bench) -> None:
    """Looking again before the time that was stated is not a failure."""
    bench.run(Make("a"))
    bench.world.blind.extend([LAGS] * 1000)
    assert bench.run(Works(), Mode.VERIFY).outcome is Outcome.PENDING


def test_the_window_counts_from_the_last_change(bench: Bench) -> None:
    """Of several changes the last one replicates last."""
    bench.run(Make("a"))
    bench.world.sleep(bench.world.windows.effect)
    bench.run(Make("b"))
    bench.world.blind.extend([LAGS] * 1000)
    assert bench.run(Works()).outcome is Outcome.PENDING


def test_waiting_no_time_looks_once(bench: Bench) -> None:
    """A wait of 0 seconds is a look without a pause."""
    bench.wait = 0
    bench.run(Make("a"))
    reads = bench.world.reads
    assert bench.run(Works()).outcome is Outcome.PENDING
    assert bench.world.reads == reads + 1


def test_pending_is_looked_at_again_in_the_next_attempt(bench: Bench) -> None:
    """A resumed run does not repeat what it changed, only the look."""
    bench.run(Make("a"))
    bench.run(Works())
    bench.kill_and_resume()
    bench.world.values["works"] = "yes"
    assert bench.run(Works()).outcome is Outcome.OK
    assert len(bench.world.sent) == 1


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY])
@pytest.mark.parametrize("value", [None, "new"])
def test_what_leaves_something_behind_runs_in_apply_only(
    bench: Bench, mode: Mode, value: object
) -> None:
    """Plan and verify send no write, whatever kind of effect a probe declares."""
    bench.world.values["a"] = value
    bench.run(Make("a"), mode)
    bench.run(TemporaryCredential(), mode)
    assert bench.world.sent == []


def test_what_leaves_something_behind_needs_a_change(bench: Bench) -> None:
    """Where this run changed nothing there is nothing to prove by it."""
    result = bench.run(TemporaryCredential())
    assert result.outcome is Outcome.SKIPPED
    assert result.event["reason"] == "nothing_changed"
    bench.run(Make("a"))
    assert bench.run(TemporaryCredential()).outcome is Outcome.OK
    assert ("credential", "made") in bench.world.sent


def test_what_leaves_something_behind_is_planned_as_create(bench: Bench) -> None:
    """The plan says that something will be made."""
    bench.run(Make("a"), Mode.PLAN)
    result = bench.run(TemporaryCredential(), Mode.PLAN)
    assert (result.outcome, result.event["action"]) == (Outcome.PLANNED, "create")


def test_a_probe_with_an_effect_stops_after_a_failure(bench: Bench) -> None:
    """It counts as a write."""
    bench.run(Make("a"))
    bench.world.faults.append(refusal("Forbidden"))
    bench.run(Make("b"))
    assert bench.run(TemporaryCredential()).outcome is Outcome.BLOCKED

"""Changes: planned, applied, verified; and what stands on disk when."""

from __future__ import annotations

import json

import pytest

from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.errors import RecordBroken, UnknownReply, Unreachable
from tests.engine.world import Bench, Empty, Make, refusal

LOOKING = (Mode.PLAN, Mode.VERIFY)


def test_plan_says_create_where_nothing_exists(bench: Bench) -> None:
    """The row shows before and expected; after is not known yet."""
    result = bench.run(Make("a"), Mode.PLAN)
    assert result.outcome is Outcome.PLANNED
    assert result.event["action"] == "create"
    assert result.event["before"] == {"value": None, "made": None}
    assert result.event["expected"] == {"value": "new"}
    assert result.after == {}
    assert result.event["context"] == {"neighbour": None}


def test_plan_says_update_where_it_differs(bench: Bench) -> None:
    """An object that exists is updated."""
    bench.world.values["a"] = "old"
    result = bench.run(Make("a"), Mode.PLAN)
    assert (result.outcome, result.event["action"]) == (Outcome.PLANNED, "update")


@pytest.mark.parametrize(("adopt", "action"), [(False, "no-op"), (True, "adopt")])
@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY, Mode.APPLY])
def test_what_is_as_expected_is_left_alone(
    bench: Bench, mode: Mode, adopt: bool, action: str
) -> None:
    """In every mode; a stranger's object is its own action, adopt."""
    bench.world.values["a"] = "new"
    bench.world.adopt = adopt
    result = bench.run(Make("a"), mode)
    assert (result.outcome, result.event["action"]) == (Outcome.OK, action)
    assert bench.world.sent == []


def test_verify_fails_with_the_difference(bench: Bench) -> None:
    """One line: property, observed, expected; and where to read on."""
    bench.world.values["a"] = "old"
    result = bench.run(Make("a"), Mode.VERIFY)
    assert result.outcome is Outcome.FAILED
    assert result.problem == "value is old, expected new"
    assert result.event["remedy_id"] == "make:a"


@pytest.mark.parametrize("mode", LOOKING)
@pytest.mark.parametrize("value", [None, "old", "new"])
def test_plan_and_verify_never_write(bench: Bench, mode: Mode, value: object) -> None:
    """Whatever stands there."""
    bench.world.values["a"] = value
    bench.run(Make("a"), mode)
    assert bench.world.sent == []


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY, Mode.APPLY])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unreachable("no route"), "Unreachable"),
        (UnknownReply("what?"), "UnknownReply"),
        (refusal("Throttled").error, "Throttled"),
        (RuntimeError("a defect"), None),
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_raised(
    bench: Bench, mode: Mode, error: Exception, code: str | None
) -> None:
    """We could not look: that is never failed, and nothing is written."""
    bench.world.blind.append(error)
    result = bench.run(Make("a"), mode)
    assert result.outcome is Outcome.ERROR
    facts = result.event["facts"]
    assert isinstance(facts, dict)
    assert facts.get("code") == code
    assert bench.world.sent == []


def test_a_defect_keeps_its_stack_in_the_record(bench: Bench) -> None:
    """The notebook shows two lines; the record has what a developer needs."""
    bench.world.blind.append(RuntimeError("a defect"))
    result = bench.run(Make("a"))
    assert result.problem == "unforeseen fault in this step: RuntimeError"
    assert "RuntimeError: a defect" in str(result.event["facts"])
    assert result.event["remedy"]


def test_begin_is_on_disk_before_the_write(bench: Bench) -> None:
    """While apply() runs, the file already says what is under way."""
    bench.world.values["a"] = "old"
    seen: list[bytes] = []
    path = bench.record.folder / EVENTS
    bench.world.before_write = lambda: seen.append(path.read_bytes())
    bench.run(Make("a"))
    (data,) = seen
    assert data.endswith(b"\n")
    begin = json.loads(data.splitlines()[-1])
    assert (begin["event"], begin["mode"], begin["step"]) == (
        "step.begin",
        "apply",
        "make:a",
    )
    assert begin["before"] == {"value": "old", "made": "id-of-a"}
    assert begin["expected"] == {"value": "new"}
    assert begin["inputs"] == begin["resolved"] == {"name": "a", "value": "new"}
    assert (begin["class"], begin["version"], begin["action"]) == ("Make", 1, "update")


def test_nothing_is_written_if_begin_cannot_be(bench: Bench) -> None:
    """A record that takes no line stops the run, with its own error."""
    bench.record.close()
    with pytest.raises(RecordBroken):
        bench.run(Make("a"))
    assert bench.world.sent == []


def test_apply_writes_once_and_reads_back(bench: Bench) -> None:
    """Changed means written and read back, with before and after."""
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert bench.world.sent == [("a", "new")]
    assert result.event["before"] == {"value": None, "made": None}
    assert result.after == {"value": "new", "made": "id-of-a"}
    assert result.event["action"] == "create"
    assert "confirmed" not in result.event


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_apply_waits_for_what_it_wrote(bench: Bench, lag: int) -> None:
    """A read right after a write may show the old state."""
    bench.world.lag = lag
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.CHANGED
    assert bench.world.sent == [("a", "new")]
    assert 0 < bench.world.seconds <= bench.world.windows.visibility


def test_apply_fails_if_it_is_never_seen(bench: Bench) -> None:
    """We looked until the window ended and it is not so; it is not sent again."""
    bench.world.lag = 1000
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.FAILED
    assert result.event["before"] == {"value": None, "made": None}
    assert bench.world.sent == [("a", "new")]
    assert bench.world.seconds == bench.world.windows.visibility


def test_a_second_apply_changes_nothing(bench: Bench) -> None:
    """Every step observes first, so any cell can be run again."""
    bench.run(Make("a"))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.OK
    assert len(bench.world.sent) == 1


def test_a_refused_write_is_an_error(bench: Bench) -> None:
    """The service's code, and no second write."""
    bench.world.faults.append(refusal("Forbidden"))
    result = bench.run(Make("a"))
    assert result.outcome is Outcome.ERROR
    assert result.problem == "refused with Forbidden"
    assert len(bench.world.sent) == 1


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY, Mode.APPLY])
def test_a_step_that_expects_nothing_is_an_error(bench: Bench, mode: Mode) -> None:
    """Vacuous success is refused, in every mode, before anything is written."""
    result = bench.run(Empty(), mode)
    assert result.outcome is Outcome.ERROR
    assert "ValueError" in str(result.problem)
    assert bench.world.sent == []

"""Rollback: backwards, only what is still as we left it, nothing under a dependant."""

from __future__ import annotations

import pytest

from runbook_lib.engine import history
from runbook_lib.engine.chain import Event
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.errors import NotPermitted, RecordBroken
from tests.engine.world import (
    Bench,
    BuildOn,
    Make,
    MakeBoth,
    Prerequisite,
    killed,
    lost,
    reference,
    refusal,
)

BASE = Make("base")
UPPER = BuildOn(base=reference("make:base", "made"))
OTHER = Make("other")


def applied(bench: Bench) -> list[Event]:
    """Apply three changes; return them newest first, ready to be rolled back."""
    bench.world.values["other"] = "old"
    for step in (BASE, UPPER, OTHER):
        assert bench.run(step).outcome is Outcome.CHANGED
    changes = history.changes(bench.record.events)
    bench.end_and_roll_back()
    bench.world.sent.clear()
    return list(reversed(changes))


def rolled_back(bench: Bench, changes: list[Event]) -> list[Outcome]:
    """Roll the changes back and return how each ended."""
    return [bench.engine.roll_back(change).outcome for change in changes]


def test_changes_are_undone_newest_first(bench: Bench) -> None:
    """Each value is again what it was; a created one is gone."""
    assert rolled_back(bench, applied(bench)) == [Outcome.REVERTED] * 3
    assert bench.world.sent == [("other", "old"), ("upper", None), ("base", None)]
    assert bench.world.values == {"other": "old", "upper": None, "base": None}


def test_what_the_record_says_of_a_revert(bench: Bench) -> None:
    """Before is what stood, expected what stood once; delete undoes create."""
    changes = applied(bench)
    update = bench.engine.roll_back(changes[0]).event
    assert update["before"] == {"value": "new", "made": "id-of-other"}
    assert update["expected"] == {"value": "old"}
    assert update["after"] == {"value": "old", "made": "id-of-other"}
    assert update["action"] == "update"
    delete = bench.engine.roll_back(changes[1]).event
    assert (delete["action"], delete["expected"]) == ("delete", {"value": None})
    assert {end["mode"] for end in bench.ends()} == {"rollback"}
    inputs, resolved = delete["inputs"], delete["resolved"]
    assert isinstance(inputs, dict)
    assert isinstance(resolved, dict)
    assert inputs["base"] == {"known after apply": "make:base.made"}
    assert resolved["base"] == "id-of-base"


def test_begin_is_on_disk_before_the_revert(bench: Bench) -> None:
    """A killed rollback leaves a line that says what was under way."""
    changes = applied(bench)
    kinds: list[str] = []
    bench.world.before_write = lambda: kinds.append(bench.kinds()[-1])
    rolled_back(bench, changes)
    assert kinds == ["step.begin"] * 3


def test_what_somebody_changed_since_is_blocked(bench: Bench) -> None:
    """The difference stands in the sentence, and nothing is written."""
    changes = applied(bench)
    bench.world.values["other"] = "theirs"
    result = bench.engine.roll_back(changes[0])
    assert result.outcome is Outcome.BLOCKED
    assert result.problem == (
        "changed by someone else since: value is theirs, expected new"
    )
    assert result.event["remedy"]
    assert bench.world.sent == []
    assert bench.world.tidied == []


def test_what_a_stranger_made_in_its_place_is_left(bench: Bench) -> None:
    """It looks as we left it, and does not bear our mark."""
    bench.run(BASE)
    (change,) = history.changes(bench.record.events)
    bench.end_and_roll_back()
    bench.world.adopt = True
    result = bench.engine.roll_back(change)
    assert result.outcome is Outcome.BLOCKED
    assert "no mark" in str(result.problem)
    assert bench.world.values["base"] == "new"


def test_what_stands_on_a_change_blocks_its_revert(bench: Bench) -> None:
    """A base is not taken away from under what could not be reverted."""
    changes = applied(bench)
    bench.world.values["upper"] = "theirs"
    assert rolled_back(bench, changes) == [
        Outcome.REVERTED,
        Outcome.BLOCKED,
        Outcome.BLOCKED,
    ]
    problem = bench.ends()[-1]["problem"]
    assert problem == "Blocked: Build on builds on it and still stands."
    assert bench.world.sent == [("other", "old")]
    assert bench.world.values["base"] == "new"


@pytest.mark.parametrize("fault", [refusal("Forbidden"), lost(effect=False)])
def test_a_failed_revert_blocks_what_is_below(bench: Bench, fault: object) -> None:
    """An error counts like a block: the dependant still stands."""
    changes = applied(bench)[1:]
    bench.world.faults.extend([fault] * 3)  # type: ignore[list-item]
    assert rolled_back(bench, changes) == [Outcome.ERROR, Outcome.BLOCKED]
    assert bench.world.values["base"] == "new"


def test_what_is_gone_already_is_reverted_without_a_write(bench: Bench) -> None:
    """Somebody undid it by hand: the state is what we want."""
    changes = applied(bench)
    bench.world.values |= {"other": "old", "upper": None, "base": None}
    assert rolled_back(bench, changes) == [Outcome.REVERTED] * 3
    assert bench.world.sent == []


@pytest.mark.parametrize("effect", [True, False])
def test_a_revert_of_unknown_outcome_is_looked_for(bench: Bench, effect: bool) -> None:
    """Rule 4 holds in both directions."""
    changes = applied(bench)
    bench.world.faults.append(lost(effect=effect))
    result = bench.engine.roll_back(changes[0])
    assert result.outcome is Outcome.REVERTED
    assert result.event.get("confirmed") == ("observed" if effect else None)
    assert len(bench.world.sent) == (1 if effect else 2)


def test_a_revert_that_does_not_show_is_failed(bench: Bench) -> None:
    """We looked for the whole window, and it is not as it was."""
    changes = applied(bench)
    bench.world.lag = 1000
    result = bench.engine.roll_back(changes[0])
    assert result.outcome is Outcome.FAILED
    assert result.problem == "not restored: value is new, expected old"
    assert result.event["remedy_id"] == "make:other"
    assert len(bench.world.sent) == 1


def test_a_revert_that_cannot_be_looked_at_is_an_error(bench: Bench) -> None:
    """Nothing is undone blindly."""
    changes = applied(bench)
    bench.world.blind.append(NotPermitted("no"))
    assert bench.engine.roll_back(changes[0]).outcome is Outcome.ERROR
    assert bench.world.sent == []


def test_a_killed_rollback_goes_on(bench: Bench) -> None:
    """What was undone before the kill is found undone."""
    changes = applied(bench)
    bench.world.faults.append(killed(effect=True))
    with pytest.raises(KeyboardInterrupt):
        bench.engine.roll_back(changes[0])
    bench.kill_and_resume()
    assert bench.world.tidied == []
    assert rolled_back(bench, changes) == [Outcome.REVERTED] * 3
    assert len(bench.world.sent) == 3
    assert len(bench.world.tidied) == 3


def died(bench: Bench, *, effect: bool) -> Event:
    """Let the run die in a write, close it, and return what it began."""
    bench.world.faults.append(killed(effect=effect))
    with pytest.raises(KeyboardInterrupt):
        bench.run(BASE)
    (begin,) = history.unseen(bench.record.events)
    bench.end_and_roll_back()
    bench.world.sent.clear()
    return begin


@pytest.mark.parametrize("lag", [0, 3])
def test_what_was_made_and_not_seen_is_undone(bench: Bench, lag: int) -> None:
    """Nobody resumed the run; the tenant shows what it began, though perhaps late."""
    bench.world.lag = lag
    begin = died(bench, effect=True)
    result = bench.engine.roll_back_begun(begin)
    assert (result.outcome, result.event["action"]) == (Outcome.REVERTED, "delete")
    assert bench.world.sent == [("base", None)]


def test_what_was_begun_and_not_made_needs_no_undoing(bench: Bench) -> None:
    """It is waited for within the window, and no longer than that."""
    begin = died(bench, effect=False)
    result = bench.engine.roll_back_begun(begin)
    assert (result.outcome, result.event["reason"]) == (
        Outcome.SKIPPED,
        "nothing_changed",
    )
    assert bench.world.sent == []
    assert bench.world.seconds == 30


def test_what_a_stranger_made_after_the_run_died_is_left(bench: Bench) -> None:
    """It does not bear our mark."""
    begin = died(bench, effect=False)
    bench.world.values["base"], bench.world.adopt = "new", True
    assert bench.engine.roll_back_begun(begin).outcome is Outcome.BLOCKED
    assert bench.world.sent == []


def test_what_was_seen_or_refused_is_not_unseen(bench: Bench) -> None:
    """Only a begin without a good end or a refusal, of a step never changed."""
    bench.run(OTHER)
    bench.world.faults.append(refusal())
    bench.run(BASE)
    assert history.unseen(bench.record.events) == []
    bench.world.values["other"] = "drifted"
    bench.world.faults.append(killed(effect=True))
    with pytest.raises(KeyboardInterrupt):
        bench.run(OTHER)
    assert history.unseen(bench.record.events) == []


def both_made(bench: Bench) -> Event:
    """Make two values in one step; return the change, ready to be rolled back."""
    bench.run(MakeBoth())
    (change,) = history.changes(bench.record.events)
    bench.end_and_roll_back()
    bench.world.sent.clear()
    return change


def test_a_rollback_killed_between_two_writes_goes_on(bench: Bench) -> None:
    """What is as before needs no undoing, and the rest is undone."""
    change = both_made(bench)
    bench.world.faults.extend([None, killed(effect=False)])
    with pytest.raises(KeyboardInterrupt):
        bench.engine.roll_back(change)
    assert bench.world.values == {"left": None, "right": "new"}
    bench.kill_and_resume()
    assert rolled_back(bench, [change]) == [Outcome.REVERTED]
    assert bench.world.sent == [("left", None), ("right", None), ("right", None)]


def test_of_two_values_one_of_a_stranger_is_enough(bench: Bench) -> None:
    """Neither as before nor as we left it: nothing of the step is touched."""
    change = both_made(bench)
    bench.world.values.update(left=None, right="of a stranger")
    result = bench.engine.roll_back(change)
    assert result.outcome is Outcome.BLOCKED
    assert "right is of a stranger" in str(result.problem)
    assert "left" not in str(result.problem)
    assert bench.world.sent == []


def test_several_attempts_are_one_change(bench: Bench) -> None:
    """The first before and the last after; a re-created object is deleted."""
    bench.run(BASE)
    bench.world.values["base"] = "drifted"
    bench.run(BASE)
    (change,) = history.changes(bench.record.events)
    assert change["before"] == {"value": None, "made": None}
    assert change["after"] == {"value": "new", "made": "id-of-base"}
    bench.end_and_roll_back()
    result = bench.engine.roll_back(change)
    assert result.outcome is Outcome.REVERTED
    assert result.event["action"] == "delete"
    assert bench.world.values["base"] is None


def test_only_changes_are_rolled_back(bench: Bench) -> None:
    """What was there, planned, refused or only looked at is not ours to undo."""
    bench.world.values |= {"a": "new", "prerequisite": "there"}
    bench.run(Prerequisite())
    bench.run(Make("a"))
    bench.run(Make("b"), Mode.PLAN)
    bench.world.faults.append(refusal("Forbidden"))
    bench.run(Make("c"))
    assert history.changes(bench.record.events) == []


def test_a_change_confirmed_by_looking_is_rolled_back(bench: Bench) -> None:
    """Interrupted changes are known to rollback, with the old before."""
    bench.world.values["a"] = "old"
    bench.world.faults.append(killed(effect=True))
    with pytest.raises(KeyboardInterrupt):
        bench.run(Make("a"))
    bench.kill_and_resume()
    bench.run(Make("a"))
    (change,) = history.changes(bench.record.events)
    bench.end_and_roll_back()
    assert bench.engine.roll_back(change).outcome is Outcome.REVERTED
    assert bench.world.values["a"] == "old"


@pytest.mark.parametrize("field", [{"class": "Gone"}, {"version": 9}])
def test_a_step_that_is_not_known_any_more_stops_it(
    bench: Bench, field: dict[str, object]
) -> None:
    """Another version of the tool does not guess how to undo."""
    (change, *_) = applied(bench)
    with pytest.raises(RecordBroken):
        bench.engine.roll_back({**change, **field})
    assert bench.world.sent == []


def test_untouched_steps_are_skipped(bench: Bench) -> None:
    """The notebook's other cells say that there is nothing to undo."""
    bench.end_and_roll_back()
    result = bench.engine.untouched(Make("a"))
    assert (result.outcome, result.event["reason"]) == (
        Outcome.SKIPPED,
        "nothing_changed",
    )
    assert bench.world.reads == 0

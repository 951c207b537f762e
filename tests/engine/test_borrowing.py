"""A temporary credential: asked for, in apply only, and given back whatever happens."""

from __future__ import annotations

import os

import pytest

from runbook_lib.engine.borrowing import give_back_all, outstanding
from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.errors import NotPermitted, RecordBroken, ServiceRefused
from tests.engine.world import (
    LAGGING,
    Bench,
    Borrowing,
    BuildOn,
    Make,
    NotYet,
    killed,
    lost,
    reference,
    refusal,
)

CATALOGUE = (Borrowing, Make)
KINDS = ["step.begin", "credential.borrowed", "credential.returned", "step.end"]


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """Return a bench on which something was changed and the probe would work."""
    bench.run(Make("a"))
    bench.world.values["answer"] = "yes"
    bench.world.sent.clear()
    return bench


def test_borrowed_used_and_given_back(ready: Bench) -> None:
    """Both ends are in the record, by key ID and without the value."""
    assert ready.run(Borrowing()).outcome is Outcome.OK
    assert ready.kinds()[-4:] == KINDS
    assert ready.world.sent == [("borrowed", "key-1"), ("borrowed", None)]
    text = (ready.record.folder / EVENTS).read_text("utf-8")
    assert '"key_id":"key-1"' in text
    assert "value-of-key-1" not in text


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ServiceRefused("no", code="Denied"), Outcome.FAILED),
        (NotPermitted("no"), Outcome.ERROR),
        (RuntimeError("a defect"), Outcome.ERROR),
    ],
)
def test_given_back_after_a_fault(
    ready: Bench, error: Exception, outcome: Outcome
) -> None:
    """However the probe ends."""
    ready.world.blind.append(error)
    assert ready.run(Borrowing()).outcome is outcome
    assert ready.world.values["borrowed"] is None


def test_given_back_after_waiting_for_replication(ready: Bench) -> None:
    """It is not left there until the time that is stated."""
    ready.world.blind.extend([ServiceRefused("later", code=LAGGING)] * 1000)
    assert ready.run(Borrowing()).outcome is Outcome.PENDING
    assert ready.world.values["borrowed"] is None


def test_given_back_after_an_interrupt(ready: Bench) -> None:
    """Control-C is no reason to leave it."""
    ready.world.blind.append(KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        ready.run(Borrowing())
    assert ready.world.values["borrowed"] is None


def test_given_back_if_the_record_takes_no_line(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk right after it was made."""

    def full_after_the_write() -> None:
        monkeypatch.setattr(os, "fsync", full)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    ready.world.before_write = full_after_the_write
    with pytest.raises(RecordBroken):
        ready.run(Borrowing())
    assert ready.world.values["borrowed"] is None


def die_with_it(ready: Bench, effect: bool) -> None:
    """Let the process end while it borrows, and reopen the record."""
    ready.world.faults.append(killed(effect=effect))
    with pytest.raises(KeyboardInterrupt):
        ready.run(Borrowing())
    ready.kill_and_resume()


def give_back(ready: Bench) -> None:
    """Do what a resumed run does first."""
    attempt = ready.engine.attempt
    give_back_all(attempt, CATALOGUE, ready.record.events, ready.record.run)


def test_left_by_a_killed_attempt_it_goes_before_all_else(ready: Bench) -> None:
    """Found by its mark: no line tells its key ID."""
    die_with_it(ready, effect=True)
    assert ready.world.values["borrowed"] == "key-1"
    give_back(ready)
    assert ready.world.values["borrowed"] is None
    returned = ready.record.events[-1]
    assert returned["event"] == "credential.returned"
    assert (returned["key_id"], returned["left_by"]) == ("key-1", ready.record.run)
    assert ready.run(Borrowing()).outcome is Outcome.OK
    assert ready.world.values["borrowed"] is None


def test_known_by_key_id_it_is_given_back_even_if_no_list_shows_it(
    ready: Bench,
) -> None:
    """A list may lag behind; what the record knows needs none."""
    ready.world.blind.append(KeyboardInterrupt())  # type: ignore[arg-type]
    ready.world.faults.extend([None, killed(effect=False)])
    with pytest.raises(KeyboardInterrupt):
        ready.run(Borrowing())
    ready.kill_and_resume()
    (begin, known) = outstanding(ready.record.events)[0]
    assert (begin["step"], known) == ("borrowing", ["key-1"])
    give_back(ready)
    assert ready.world.values["borrowed"] is None
    assert outstanding(ready.record.events) == []


def test_nothing_left_writes_nothing(ready: Bench) -> None:
    """Neither where it was not made, nor where it was given back."""
    die_with_it(ready, effect=False)
    tried = len(ready.world.sent)
    give_back(ready)
    assert len(ready.world.sent) == tried
    assert ready.run(Borrowing()).outcome is Outcome.OK
    assert outstanding(ready.record.events) == []


def test_made_without_an_answer_it_is_removed_at_once(ready: Bench) -> None:
    """The connection broke; the same attempt looks for what was made."""
    ready.world.faults.append(lost(effect=True))
    assert ready.run(Borrowing()).outcome is Outcome.ERROR
    assert ready.world.values["borrowed"] is None


@pytest.mark.parametrize("lag", [1, 3])
def test_made_without_an_answer_it_is_waited_for(ready: Bench, lag: int) -> None:
    """A list may lag behind: what it does not show yet is not taken for gone."""
    ready.world.list_lag = lag
    ready.world.faults.append(lost(effect=True))
    assert ready.run(Borrowing()).outcome is Outcome.ERROR
    assert ready.world.values["borrowed"] is None
    assert 0 < ready.world.seconds < 30


def test_not_made_and_without_an_answer_it_is_waited_for_and_no_longer(
    ready: Bench,
) -> None:
    """Nothing shows within the visibility window, so nothing was made."""
    ready.world.faults.append(lost(effect=False))
    assert ready.run(Borrowing()).outcome is Outcome.ERROR
    assert ready.world.seconds == 30
    assert outstanding(ready.record.events)


def test_left_by_a_killed_attempt_it_is_waited_for(ready: Bench) -> None:
    """The window counts from the making: long after, nobody waits."""
    die_with_it(ready, effect=True)
    ready.world.list_lag = 2
    ready.world.seconds = 20
    give_back(ready)
    assert ready.world.values["borrowed"] is None
    assert 20 < ready.world.seconds < 30
    die_with_it(ready, effect=False)
    ready.world.seconds = 100
    give_back(ready)
    assert ready.world.seconds == 100


@pytest.mark.parametrize("effect", [True, False])
def test_given_back_without_an_answer_it_is_given_back_again(
    ready: Bench, effect: bool
) -> None:
    """The same attempt, so that nothing stays where nobody resumes the run."""
    ready.world.faults.extend([None, lost(effect=effect)])
    assert ready.run(Borrowing()).outcome is Outcome.OK
    assert ready.world.values["borrowed"] is None
    assert ready.kinds()[-2:] == ["credential.returned", "step.end"]


def test_what_cannot_be_given_back_is_told(ready: Bench) -> None:
    """And stays outstanding, for the run that is resumed."""
    ready.world.faults.extend([None, *[refusal("Forbidden")] * 99])
    assert ready.run(Borrowing()).outcome is Outcome.FAILED
    assert ready.world.values["borrowed"] == "key-1"
    assert outstanding(ready.record.events)[0][1] == ["key-1"]


def test_a_refusal_leaves_nothing(ready: Bench) -> None:
    """The service said no, so there is nothing to look for."""
    ready.world.faults.append(refusal("Forbidden"))
    assert ready.run(Borrowing()).outcome is Outcome.FAILED
    assert outstanding(ready.record.events) == []


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY])
def test_nothing_is_borrowed_outside_apply(ready: Bench, mode: Mode) -> None:
    """Even in a run that changed something."""
    assert ready.run(Borrowing(), mode).outcome is Outcome.SKIPPED
    assert ready.world.sent == []


def test_nothing_is_borrowed_where_nothing_changed(bench: Bench) -> None:
    """There is nothing to prove by it."""
    assert bench.run(Borrowing()).event["reason"] == "nothing_changed"
    assert bench.world.sent == []


def test_a_plan_says_that_it_will_be_made(bench: Bench) -> None:
    """A row of its own."""
    bench.run(Make("a"), Mode.PLAN)
    result = bench.run(Borrowing(), Mode.PLAN)
    assert (result.outcome, result.event["action"]) == (Outcome.PLANNED, "create")


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY, Mode.APPLY])
def test_what_was_not_asked_for_is_skipped_by_choice(ready: Bench, mode: Mode) -> None:
    """Off by default, before anything else is looked at."""
    result = ready.run(Borrowing(wanted="no"), mode)
    assert (result.outcome, result.event["reason"]) == (Outcome.SKIPPED, "user_choice")
    assert ready.world.sent == []


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY, Mode.APPLY])
def test_a_step_that_waits_for_somebody_is_pending(bench: Bench, mode: Mode) -> None:
    """Never a pass; and what builds on it is blocked, naming it."""
    result = bench.run(NotYet(), mode)
    assert (result.outcome, result.event["action"]) == (Outcome.PENDING, "manual")
    assert result.event["remedy_id"] == "not-yet"
    upper = bench.run(BuildOn(base=reference("not-yet", "there")), mode)
    assert upper.problem == "Blocked: Not yet ended pending."

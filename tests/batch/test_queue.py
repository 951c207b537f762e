"""Which tenant begins next: canary, failures, waiting, spacing."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbook_lib.batch.ends import End
from runbook_lib.batch.jobs import Job, Queue, Stagger
from runbook_lib.batch.members import Member
from runbook_lib.batch.outcomes import Outcome, cut_off, ran
from runbook_lib.batch.plan import Limits


def jobs(count: int) -> list[Job]:
    """Return jobs for so many tenants."""
    names = (f"tenant{number}" for number in range(count))
    members = (Member(n, Path(n), "id", Path(n), "run") for n in names)
    return [Job(member) for member in members]


def queue(count: int, **limits: int | None) -> Queue:
    """Return a queue that does not space beginnings."""
    made = Queue.of(jobs(count), Limits(**{"workers": 99, **limits}))  # type: ignore[arg-type]
    made.stagger = Stagger(processors=10**9)
    return made


def good(job: Job) -> Outcome:
    """Return a good outcome."""
    return ran(job.member, End.COMPLETED, 0, "succeeded")


def bad(job: Job) -> Outcome:
    """Return a failure."""
    return cut_off(job.member, End.DIED)


def test_no_more_than_the_workers() -> None:
    """A tenant begins when another one ended."""
    found = queue(5, workers=2)
    first = list(found.startable())
    assert len(first) == 2
    assert list(found.startable()) == []
    found.finish(first[0], good(first[0]))
    assert len(list(found.startable())) == 1


def test_canary_goes_first_alone() -> None:
    """The others begin only once every tenant of the canary has ended well."""
    found = queue(5, canary=2)
    first = list(found.startable())
    assert [job.member.name for job in first] == ["tenant0", "tenant1"]
    found.finish(first[0], good(first[0]))
    assert list(found.startable()) == []
    found.finish(first[1], good(first[1]))
    assert len(list(found.startable())) == 3


def test_failed_canary_stops_the_batch() -> None:
    """Nothing else begins."""
    found = queue(5, canary=2)
    first = list(found.startable())
    found.finish(first[0], bad(first[0]))
    found.finish(first[1], good(first[1]))
    assert list(found.startable()) == []
    assert not found.unfinished
    assert len(found.fresh) == 3


def test_too_many_failures_stop_the_batch() -> None:
    """What runs ends; what has not begun does not begin."""
    found = queue(6, workers=3, stop_after=2)
    first = list(found.startable())
    found.finish(first[0], bad(first[0]))
    (more,) = found.startable()
    found.finish(first[1], bad(first[1]))
    assert list(found.startable()) == []
    assert found.running == {first[2], more}
    assert found.unfinished


def test_a_waiting_tenant_gives_its_worker_back() -> None:
    """Another one begins meanwhile; the one that waited comes before fresh ones."""
    found = queue(3, workers=1)
    (first,) = found.startable()
    found.wait(first, 0.05)
    (second,) = found.startable()
    assert second is not first
    time.sleep(0.06)
    found.finish(second, good(second))
    assert list(found.startable()) == [first]


@pytest.mark.parametrize(
    ("budget", "until", "waits"), [(60, 60, True), (60, -1, False)]
)
def test_waiting_ends_with_its_window(budget: int, until: int, waits: bool) -> None:
    """Past the time until which replication explains it, nobody waits."""
    (job,) = jobs(1)
    end = datetime.now(UTC) + timedelta(seconds=until)
    assert (job.pause_for(end, 60) is not None) is waits


def test_waiting_ends_with_its_budget() -> None:
    """Pauses grow, and none begins once the seconds allowed are used up."""
    (job,) = jobs(1)
    end = datetime.now(UTC) + timedelta(hours=1)
    first, second = job.pause_for(end, 100), job.pause_for(end, 100)
    assert first is not None
    assert second is not None
    assert second > first
    job.waited_since = time.monotonic() - 200
    assert job.pause_for(end, 100) is None


def test_beginnings_are_spaced_by_their_cost() -> None:
    """With one processor, the next tenant begins when the last is through with it."""
    stagger = Stagger(processors=1, cost=10)
    assert stagger.left() == 0
    stagger.begun()
    assert 9 < stagger.left() <= 10
    for _ in range(100):
        stagger.ended(0.2)
    assert stagger.cost == pytest.approx(0.2, abs=0.01)

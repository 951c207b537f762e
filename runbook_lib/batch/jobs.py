"""The tenants of a batch while it runs: which may begin, which wait, which run."""

from __future__ import annotations

import heapq
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runbook_lib.batch.closing import Attempt
from runbook_lib.batch.ends import End
from runbook_lib.batch.members import Member
from runbook_lib.batch.outcomes import Outcome
from runbook_lib.batch.plan import Limits
from runbook_lib.batch.processes import Engine, Process

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
FIRST_COST, MOST_COST = 0.1, 1.0  # processor seconds of one tenant


@dataclass(eq=False)
class Job:
    """One tenant of the batch, its process while it has one, and its waiting.

    `stopped` is why the batch ends it, if it does; `next_signal` is when it is
    signalled the next time, `signals` how often it was.
    """

    member: Member
    number: int = 1
    visits: int = 0
    waited_since: float | None = None
    pause: float = FIRST_PAUSE
    lock: int | None = None
    engine: Engine | None = None
    process: Process | None = None
    attempt: Attempt | None = None
    stopped: End | None = None
    next_signal: float = float("inf")
    signals: int = 0

    def pause_for(self, until: datetime, budget: float) -> float | None:
        """Return the seconds until the next visit, or None: it has waited enough.

        `until` is the end of the window in which replication explains what was
        seen, `budget` how long the tenant may wait in all.
        """
        now = time.monotonic()
        self.waited_since = self.waited_since or now
        left = min(
            budget - (now - self.waited_since),
            (until - datetime.now(UTC)) / timedelta(seconds=1),
        )
        if left <= 0:
            return None
        length, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE)
        return min(length, left)


@dataclass
class Stagger:
    """Spaces the beginnings of tenants by the processor time that one costs.

    Tenants mostly wait for answers, so many run at a time; but two that compute
    at the same time on one processor only slow each other down.
    """

    processors: int = field(default_factory=lambda: os.cpu_count() or 1)
    cost: float = FIRST_COST
    _next: float = 0.0

    def left(self) -> float:
        """Return the seconds until the next tenant may begin."""
        return max(0.0, self._next - time.monotonic())

    def begun(self) -> None:
        """Take in that a tenant begins."""
        self._next = time.monotonic() + self.cost / self.processors

    def ended(self, cpu: float) -> None:
        """Take in the processor seconds of a tenant that ended."""
        self.cost += (min(cpu, MOST_COST) - self.cost) / 8


@dataclass
class Queue:
    """Decides which job begins next.

    Tenants that waited come before those that have not begun. The canary goes
    first, alone; after too many failures nothing new begins.
    """

    limits: Limits
    fresh: deque[Job]
    outcomes: list[Outcome] = field(default_factory=list)
    running: set[Job] = field(default_factory=set)
    closed: bool = False
    failures: int = 0
    stagger: Stagger = field(default_factory=Stagger)
    _waiting: list[tuple[float, int, Job]] = field(default_factory=list)
    _canary: int = 0
    _begun: int = 0
    _order: int = 0

    @classmethod
    def of(cls, jobs: Iterable[Job], limits: Limits) -> Queue:
        """Return a queue of jobs that have not begun."""
        fresh = deque(jobs)
        return cls(limits, fresh, _canary=min(limits.canary, len(fresh)))

    @property
    def unfinished(self) -> bool:
        """Tell whether anything runs, waits or may still begin."""
        return bool(self.running or self._waiting or (self.fresh and not self.closed))

    def startable(self) -> Iterator[Job]:
        """Yield the jobs that may begin now; each counts as running from then on."""
        while len(self.running) < self.limits.workers and not self.stagger.left():
            job = self._next()
            if job is None:
                return
            self.running.add(job)
            self.stagger.begun()
            yield job

    def wait(self, job: Job, seconds: float) -> None:
        """Give a job's worker back, and visit it again after some seconds."""
        self.running.discard(job)
        self._order += 1
        due = time.monotonic() + seconds
        heapq.heappush(self._waiting, (due, self._order, job))

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Take in what became of a job."""
        self.running.discard(job)
        self.outcomes.append(outcome)
        self.failures += outcome.bad
        of_canary = len(self.outcomes) <= self._canary
        limit = self.limits.stop_after
        too_many = limit is not None and self.failures >= limit
        if too_many or (of_canary and self.failures):
            self.closed = True

    def close(self) -> list[Job]:
        """Let nothing begin any more; return the jobs that were waiting."""
        self.closed = True
        waiting = [job for _due, _order, job in self._waiting]
        self._waiting.clear()
        return waiting

    def pause(self) -> float | None:
        """Return the seconds until another job may begin, or None: not by itself."""
        if len(self.running) >= self.limits.workers:
            return None
        if self._may_begin():
            return self.stagger.left()
        if not self._waiting:
            return None
        return max(self._waiting[0][0] - time.monotonic(), self.stagger.left())

    def _next(self) -> Job | None:
        if self._waiting and self._waiting[0][0] <= time.monotonic():
            return heapq.heappop(self._waiting)[2]
        if not self._may_begin():
            return None
        self._begun += 1
        return self.fresh.popleft()

    def _may_begin(self) -> bool:
        """Tell whether a job that has not begun may begin."""
        canary_only = len(self.outcomes) < self._canary <= self._begun
        return bool(self.fresh) and not self.closed and not canary_only

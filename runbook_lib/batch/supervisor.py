"""Runs a batch: one loop, many processes, every end accounted for."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from runbook_lib.batch import closing
from runbook_lib.batch.cells import sources, with_parameters
from runbook_lib.batch.closing import Attempt
from runbook_lib.batch.ends import End
from runbook_lib.batch.engines import Engines
from runbook_lib.batch.jobs import Job, Queue
from runbook_lib.batch.lease import has_ended
from runbook_lib.batch.members import environment_of
from runbook_lib.batch.outcomes import Outcome, cut_off, refused
from runbook_lib.batch.plan import BatchPlan
from runbook_lib.batch.processes import Unavailable
from runbook_lib.batch.progress import Progress
from runbook_lib.batch.record import BatchRecord
from runbook_lib.engine.record import begun
from runbook_lib.engine.step import Mode
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.locking import lock_tenant, taken
from runbook_lib.opening import CLOSER

# First asked, then told, then made to: signal and seconds until the next one.
SIGNALS = ((signal.SIGINT, 5.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
TICK = 1.0
NOTEBOOK_DIGEST = "RUNBOOK_NOTEBOOK_SHA256"
PACE = "RUNBOOK_PACE"
WOKEN = "woken"


class Supervisor:
    """Starts the tenants of a batch, and takes in how each one ended.

    It has one thread. Only it writes to the batch's record and to the ledger.
    """

    def __init__(
        self,
        plan: BatchPlan,
        record: BatchRecord,
        ledger: Ledger,
        progress: Progress,
        jobs: list[Job],
    ) -> None:
        """Prepare to run these jobs."""
        self._plan = plan
        self._record = record
        self._ledger = ledger
        self._progress = progress
        self._queue = Queue.of(jobs, plan.limits)
        self._selector = selectors.DefaultSelector()
        self._engines = Engines(plan.engine, self._selector, self._new_engine)
        self._asked_to_end = 0  # how often; counted by a signal handler
        self._cancelled = 0
        self._pace = ""  # a folder that the tenants' processes share

    def run(self) -> list[Outcome]:
        """Run until nothing is left to do; return what became of the tenants."""
        shared = TemporaryDirectory(prefix="runbook-pace-")
        with shared as self._pace, self._interruptible(), self._engines:
            while self._queue.unfinished:
                self._start_some()
                self._look(self._pause())
                self._stop_overdue()
                if self._asked_to_end > self._cancelled:
                    self._cancel()
            self._leave(list(self._queue.fresh))
        self._selector.close()
        return self._queue.outcomes

    def _start_some(self) -> None:
        for job in self._queue.startable():
            try:
                self._start(job)
            except OSError as error:  # disk full, too many files: the others go on
                self._finish(job, refused(job.member, error, 1))

    def _start(self, job: Job) -> None:
        member = job.member
        job.lock = lock_tenant(member.folder) if job.lock is None else job.lock
        if job.lock is None:
            error = taken(member.folder)
            self._finish(job, refused(member, error, error.exit_code))
            return
        if not begun(member.record):
            self._ledger.opened(member.run, member.name)
        engine, job.visits = self._engines.current(), job.visits + 1
        values = self._plan.values(member)
        job.attempt = Attempt(member, job.number, values, engine.name, job.visits)
        self._record.started(member, job.number, job.visits, engine.name)
        closing.forget_visit(member)
        try:
            job.process = engine.start(self._request(job.attempt))
        except Unavailable:
            self._take_end(job)
            return
        job.engine = engine
        job.next_signal = time.monotonic() + self._plan.limits.timeout
        self._selector.register(job.process.lease, selectors.EVENT_READ, job)
        self._progress.started(member)

    def _request(self, attempt: Attempt) -> dict[str, Any]:
        member, plan = attempt.member, self._plan
        environment = environment_of(member, plan.secrets, plan.environment)
        return {
            "cells": sources(with_parameters(plan.notebook, attempt.values)),
            "source": str(plan.source),
            "parameters": dict(attempt.values),
            "environment": {**environment, **self._of_run(member.run)},
            "folder": os.getcwd(),
            "journal": str(member.journal),
        }

    def _of_run(self, run: str) -> Mapping[str, str]:
        digest = self._plan.sha256
        return {CLOSER: run, NOTEBOOK_DIGEST: digest, PACE: self._pace}

    def _pause(self) -> float:
        """Return how long to sleep if nothing happens."""
        pause = self._queue.pause()
        return TICK if pause is None else min(TICK, pause)

    def _look(self, pause: float) -> None:
        for key, _events in self._selector.select(pause):
            if isinstance(key.data, Job):
                self._lease_closed(key.data)
            elif key.data == WOKEN:
                os.read(key.fd, 1024)
        self._engines.collect()
        for job in list(self._queue.running):
            self._take_end(job)

    def _lease_closed(self, job: Job) -> None:
        """Take in that nothing is left of a job's process."""
        process = job.process
        assert process is not None  # noqa: S101 - it runs
        assert job.engine is not None  # noqa: S101
        if not has_ended(process.lease):
            return
        self._selector.unregister(process.lease)
        process.lease.close()
        job.engine.ended(process)

    def _take_end(self, job: Job) -> None:
        """Take in how a job ended, once both its lease and its engine say so."""
        if job.process is not None:
            gone = job.engine is not None and job.engine.gone
            if job.process.lease.fileno() >= 0 or not (job.process.exit or gone):
                return
        attempt = job.attempt
        assert attempt is not None  # noqa: S101 - set before a process starts
        if job.process and job.process.exit:
            self._queue.stagger.ended(job.process.exit.cpu)
        job.process, job.next_signal, job.signals = None, float("inf"), 0
        try:
            self._settle(job, attempt)
        except OSError as error:  # nothing is lost: resuming closes it
            problem = f"The record could not be closed: {error}"
            self._finish(job, _unclosed(attempt, problem))

    def _settle(self, job: Job, attempt: Attempt) -> None:
        """Close a job's run, or let it wait for replication."""
        found, end = closing.ended(attempt, self._plan.notebook, job.stopped)
        if pause := self._replication(job, end):
            self._record.waits(job.member, pause)
            self._progress.waits(job.member, pause)
            self._queue.wait(job, pause)
            return
        self._finish(job, closing.settle(attempt, found, end, self._ledger))

    def _replication(self, job: Job, end: End) -> float | None:
        """Return the seconds after which to visit again what waits, or None."""
        plans = self._plan.parameters["mode"] == Mode.PLAN
        if plans or end is not End.COMPLETED or self._cancelled:
            return None
        until = closing.waits_until(job.member.record)
        return job.pause_for(until, self._plan.wait) if until else None

    def _finish(self, job: Job, outcome: Outcome) -> None:
        self._record.ended(outcome)
        self._queue.finish(job, outcome)
        if job.lock is not None:
            os.close(job.lock)
            job.lock = None
        self._progress.ended(outcome)

    def _stop_overdue(self) -> None:
        for job in list(self._queue.running):
            if job.next_signal <= time.monotonic():
                self._stop(job, End.TIMED_OUT)

    def _stop(self, job: Job, why: End) -> None:
        """Signal a job's process, the harder the more often."""
        if job.process is None or job.engine is None:
            return
        number, pause = SIGNALS[min(job.signals, len(SIGNALS) - 1)]
        job.stopped = job.stopped or why
        job.signals += 1
        job.next_signal = time.monotonic() + pause
        job.engine.signal(job.process, number)

    def _cancel(self) -> None:
        """Begin nothing more, and end what runs; what waits stays open."""
        if not self._cancelled:
            self._progress.notice("Cancelled: ending what runs; again to hasten it.")
        self._cancelled += 1
        for job in self._queue.close():
            number, why = str(job.number), End.CANCELLED
            self._ledger.interrupted(job.member.run, job.member.name, number, str(why))
            self._finish(job, cut_off(job.member, why, attempt=job.number))
        for job in list(self._queue.running):
            self._stop(job, End.CANCELLED)

    def _leave(self, jobs: list[Job]) -> None:
        """Report what was never begun."""
        for job in jobs:
            self._finish(job, cut_off(job.member, End.NOT_RUN))

    def _new_engine(self, engine: str, why: str) -> None:
        self._record.changed_engine(engine, why)
        self._progress.notice(f"{why}; going on with the {engine} engine.")

    def _ask(self, *_signal: object) -> None:
        self._asked_to_end += 1

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Turn SIGINT and SIGTERM into a cancellation between two steps."""
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(reading, selectors.EVENT_READ, WOKEN)
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._ask) for number in numbers}
        wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.unregister(reading)
            os.close(reading)
            os.close(writing)


def _unclosed(attempt: Attempt, problem: str) -> Outcome:
    """Return the outcome of a tenant whose record could not be written."""
    return cut_off(attempt.member, End.DIED, problem=problem, **attempt.known())

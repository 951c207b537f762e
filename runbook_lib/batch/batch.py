"""A batch from beginning to end, or from where it was left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from runbook_lib import opening
from runbook_lib.batch import closing
from runbook_lib.batch.closing import Attempt
from runbook_lib.batch.ends import INTERRUPTED, End
from runbook_lib.batch.jobs import Job
from runbook_lib.batch.members import BATCHES, Member
from runbook_lib.batch.outcomes import Outcome
from runbook_lib.batch.plan import BatchPlan
from runbook_lib.batch.progress import Progress
from runbook_lib.batch.record import (
    BatchRecord,
    attempts,
    complete,
    exit_code,
    outcomes,
)
from runbook_lib.batch.supervisor import Supervisor
from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.record import EVENTS, begun, utc_now
from runbook_lib.engine.result import Result, result_of
from runbook_lib.engine.step import Mode
from runbook_lib.errors import InputError, RecordBroken, Refused
from runbook_lib.evidence.close import locked
from runbook_lib.evidence.ledger import LEDGER, Ledger

PATIENCE = 10.0


@dataclass(frozen=True)
class Report:
    """What a batch came to. `finished` is false if resuming it has work to do."""

    folder: Path
    result: Result
    exit_code: int
    outcomes: tuple[Outcome, ...]
    finished: bool


def run_batch(plan: BatchPlan, progress: Progress) -> Report:
    """Run a notebook for every tenant of a plan.

    Raises:
        Unavailable: the direct engine was asked for and cannot run here.
    """
    ledger = Ledger(plan.outputs / LEDGER)
    folder = plan.outputs / BATCHES / opening.new_run_id(utc_now())
    record = BatchRecord.create(folder, plan, ledger)
    return _run(plan, record, ledger, progress, [Job(m) for m in plan.members])


def unfinished_batch(name: str, given: Mapping[str, str], outputs: Path) -> Path:
    """Return the newest batch that was left unfinished and was asked for likewise.

    Raises:
        InputError: there is none.
    """
    for events in sorted(outputs.glob(f"{BATCHES}/*/{EVENTS}"), reverse=True):
        if _was_asked_likewise(events.parent, name, given):
            return events.parent
    raise InputError(
        "--resume: there is no unfinished batch of this notebook, mode and parameters",
        remedy="Leave --resume out to begin a batch.",
    )


def runs_of(folder: Path) -> dict[str, str]:
    """Return the run ids of a batch's tenants, by their names."""
    first = header(read_chain(folder / EVENTS).events)
    return {m["name"]: m["run"] for m in cast("list[dict[str, str]]", first["members"])}


def resume_batch(plan: BatchPlan, folder: Path, progress: Progress) -> Report:
    """Finish a batch that was killed or stopped.

    What is finished is left alone. Every other tenant is a new attempt at the
    same run: it observes first.

    Raises:
        InputError: a tenant of the batch is not among those given.
        Refused: another process runs the batch.
    """
    ledger = Ledger(plan.outputs / LEDGER)
    record = BatchRecord.reopen(folder, ledger)
    members = {member.name: member for member in plan.members}
    missing = sorted(runs_of(folder).keys() - members.keys())
    if missing:
        raise InputError(
            f"--resume: these tenants of the batch are not given: {', '.join(missing)}",
            remedy="Give the same --tenants as before.",
        )
    before = attempts(record.events)
    jobs = []
    for outcome in outcomes(record.events):
        member = members.get(outcome.tenant)
        if outcome.final or member is None:
            continue
        number = before.get(member.name, 0)
        said = End(outcome.end) if outcome.attempt == number else End.DIED
        if not _recovered(plan, record, ledger, member, number, said):
            jobs.append(Job(member, number + 1))
    return _run(plan, record, ledger, progress, jobs)


def _recovered(
    plan: BatchPlan,
    record: BatchRecord,
    ledger: Ledger,
    member: Member,
    number: int,
    said: End,
) -> bool:
    """Complete the closing of a run that had ended; tell whether it had.

    One that had not ended is written down as cut off, if its batch was killed
    before it could do so: `said` is how the record says that the attempt ended.
    """
    if not number:
        return False
    _await_release(member.record)
    attempt = Attempt(member, number, plan.values(member), "direct")
    if closing.is_closed(member.record):
        record.ended(closing.close(attempt, _closed_end(member.record), ledger))
        return True
    found, end = closing.ended(attempt, plan.notebook, None)
    begun_at_all = member.journal.exists()
    if not begun_at_all or (end is End.COMPLETED and _waits(plan, member)):
        ledger.interrupted(member.run, member.name, str(number), str(said))
        return False
    outcome = closing.settle(attempt, found, end, ledger)
    record.ended(outcome)
    return end not in INTERRUPTED


def _waits(plan: BatchPlan, member: Member) -> bool:
    """Tell whether a tenant was to be visited again, once something is replicated."""
    until = closing.waits_until(member.record)
    if until is None or plan.parameters["mode"] == Mode.PLAN:
        return False
    return Job(member).pause_for(until, plan.wait) is not None


def _closed_end(record: Path) -> End:
    """Return how the process of a closed run ended, as its record says."""
    event = cast("Event", closed(read_chain(record / EVENTS).events))
    kernel = cast("dict[str, str]", event["kernel"])
    ends = {said: end for end, said in closing.KERNEL_ENDED.items()}
    return ends.get(kernel["ended"], End.FAILED)


def _await_release(record: Path) -> None:
    """Wait until a process that is being killed has let go of its record."""
    deadline = time.monotonic() + PATIENCE
    while begun(record):
        try:
            with locked(record):
                return
        except Refused:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _run(
    plan: BatchPlan,
    record: BatchRecord,
    ledger: Ledger,
    progress: Progress,
    jobs: list[Job],
) -> Report:
    Supervisor(plan, record, ledger, progress, jobs).run()
    found = outcomes(record.events)
    finished = all(outcome.final for outcome in found)
    code = exit_code(record.events)
    if finished:
        record.close()
    else:
        record.release()
    return Report(record.folder, result_of(code), code, tuple(found), finished)


def _was_asked_likewise(folder: Path, name: str, given: Mapping[str, str]) -> bool:
    try:
        events = read_chain(folder / EVENTS).events
    except RecordBroken:
        return False
    first = header(events)
    if closed(events):
        _complete_closing(folder, Ledger(folder.parent.parent / LEDGER))
        return False
    return (first["notebook"], first["parameters"]) == (name, dict(given))


def _complete_closing(folder: Path, ledger: Ledger) -> None:
    """Complete a closing that was interrupted after `run.closed`."""
    if not (folder / "SHA256SUMS").exists():
        complete(folder, ledger)

"""What the batch does once a tenant's process has ended: notebook, record, ledger."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from runbook_lib.batch.cells import Notebook, with_parameters, write_notebook
from runbook_lib.batch.ends import INTERRUPTED, End
from runbook_lib.batch.fold import Fold, fold
from runbook_lib.batch.journal import read_journal
from runbook_lib.batch.members import Member
from runbook_lib.batch.outcomes import Outcome, cut_off, ran, refused
from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.history import closed, ends
from runbook_lib.engine.record import EVENTS, begun
from runbook_lib.engine.result import outcomes_of_attempts
from runbook_lib.errors import InputError, Refused, RunbookError
from runbook_lib.evidence.archive import archived
from runbook_lib.evidence.close import Closed, close_run
from runbook_lib.evidence.files import sha256_of, write_whole
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.evidence.plan import PLAN
from runbook_lib.evidence.sums import SUMS

CLOSER = "runbook batch"
KERNEL_ENDED = {End.COMPLETED: "finished", End.FAILED: "raised"}


@dataclass(frozen=True)
class Attempt:
    """One attempt at one tenant: its number, visits included, and its values."""

    member: Member
    number: int
    values: Mapping[str, str]
    engine: str
    visits: int = 1

    def known(self) -> dict[str, object]:
        """Return what an outcome says about the attempt."""
        return {
            "attempt": self.number,
            "visits": self.visits,
            "engine": self.engine,
        }


def ended(
    attempt: Attempt, notebook: Notebook, stopped: End | None
) -> tuple[Fold, End]:
    """Fold the journal of an attempt; return how it ended as well.

    `stopped` is why the batch ended it, or None.
    """
    made = with_parameters(notebook, attempt.values)
    found = fold(made, read_journal(attempt.member.journal))
    end = found.ended()
    if stopped is not None and end is not End.COMPLETED:
        end = stopped
    found.finish(end)
    return found, end


def waits_until(record: Path) -> datetime | None:
    """Return until when a run that has ended waits for replication, or None."""
    if not begun(record):
        return None
    waiting = [
        str(end["until"])
        for end in ends(read_chain(record / EVENTS).events).values()
        if end["outcome"] == "pending" and end.get("until")
    ]
    return max(map(datetime.fromisoformat, waiting), default=None)


def settle(attempt: Attempt, found: Fold, end: End, ledger: Ledger) -> Outcome:
    """Write notebook, record and ledger of an attempt that has ended.

    An attempt that was cut off leaves its record open, so that the run can be
    resumed; the ledger says so. Every other one closes its record.
    """
    member = attempt.member
    try:
        if end in INTERRUPTED:
            return _interrupted(attempt, found, end, ledger)
        if not begun(member.record):
            return _not_opened(attempt, found)
        write_notebook(member.notebook, found.notebook)
        return close(attempt, end, ledger, raised=_raised(found))
    finally:
        member.journal.unlink(missing_ok=True)


def close(
    attempt: Attempt, end: End, ledger: Ledger, raised: str | None = None
) -> Outcome:
    """Close the record of a run that has ended, or complete its closing.

    `raised` is what the notebook raised, if it did.
    """
    member = attempt.member
    try:
        done = close_run(
            member.record,
            ledger=ledger,
            kernel_ended=KERNEL_ENDED[end],
            notebook=member.notebook if member.notebook.exists() else None,
            closer=CLOSER,
        )
    except RunbookError as error:
        return refused(member, error, error.exit_code, **attempt.known())
    return ran(
        member,
        end,
        done.exit_code,
        str(done.result),
        outcomes=outcomes_of_attempts(done.events),
        sums=sha256_of(member.record / SUMS),
        problem=raised or _first_problem(done),
        **_plan(member.record),
        **attempt.known(),
    )


def is_closed(record: Path) -> bool:
    """Tell whether a record has its `run.closed`."""
    return begun(record) and closed(read_chain(record / EVENTS).events) is not None


def _interrupted(attempt: Attempt, found: Fold, end: End, ledger: Ledger) -> Outcome:
    member = attempt.member
    ledger.interrupted(member.run, member.name, str(attempt.number), str(end))
    if begun(member.record):
        path = member.record / f"notebook-attempt-{attempt.number}.ipynb"
        write_notebook(path, found.notebook)
        data = archived(path.read_bytes(), path.name, member.run, proven=True)
        write_whole(path, data)  # run again, it only looks
    return cut_off(member, end, problem=_where(found, end), **attempt.known())


def _where(found: Fold, end: End) -> str:
    place = found.failed if found.running is None else found.running
    if place is None:
        where = "between two cells" if found.begun else "before the first cell"
        return f"The process {_said(end)} {where}."
    return f"The process {_said(end)} in cell {place + 1} of the notebook."


def _said(end: End) -> str:
    return "died" if end is End.DIED else f"was ended ({end})"


def _not_opened(attempt: Attempt, found: Fold) -> Outcome:
    """Return the outcome of an opening cell that raised before there was a record."""
    name, text = _error(found) or ("", "nothing was opened")
    codes = {kind.__name__: kind.exit_code for kind in (InputError, Refused)}
    code = codes.get(name, RunbookError.exit_code)
    return refused(attempt.member, RunbookError(text), code, **attempt.known())


def _raised(found: Fold) -> str | None:
    """Return what the notebook raised, or None."""
    error = _error(found)
    return error[1] if error else None


def _error(found: Fold) -> tuple[str, str] | None:
    """Return class and text of the error that ended the notebook, or None."""
    for cell in found.notebook["cells"]:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                return str(output["ename"]), str(output["evalue"])
    return None


def _first_problem(done: Closed) -> str | None:
    """Return the first sentence that says what stands in the way, if any."""
    for end in ends(done.events).values():
        if end["outcome"] in ("failed", "error", "blocked", "pending"):
            return f"{end['title']}: {end['outcome']}: {end.get('problem') or ''}"
    return None


def _plan(record: Path) -> dict[str, Any]:
    """Return digest and actions of a plan; nothing for other modes."""
    try:
        plan = json.loads((record / PLAN).read_bytes())
    except FileNotFoundError:
        return {}
    rows = cast("list[dict[str, str]]", plan["rows"])
    actions = Counter(row["action"] for row in rows if row.get("action"))
    return {"plan_digest": plan["digest"], "actions": dict(sorted(actions.items()))}


def forget_visit(member: Member) -> None:
    """Remove the journal of the visit before.

    A process that is killed before it has begun one of its own must not be taken
    for what an earlier one did.
    """
    member.journal.unlink(missing_ok=True)

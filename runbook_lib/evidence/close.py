"""Closing a run outside its kernel: the record becomes complete and is listed.

In this order, so that a closing that is killed can be run again:

1. the notebook takes its place
2. the leak search over what the kernel left
3. steps that did not end, and `run.closed`
4. plan.json, report.html, handover.html and handover.md (later: change.md)
5. VERIFY.md; what is made here is searched as well before it is written
6. SHA256SUMS (later: seal.dsse.json and seal.tsr)
7. the ledger line
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.record import EVENTS, Clock, Record, utc_now
from runbook_lib.engine.result import Result, exit_code, mode_of, outcomes, result
from runbook_lib.engine.step import Mode
from runbook_lib.errors import RecordBroken, Refused
from runbook_lib.evidence.archive import archived
from runbook_lib.evidence.endings import end_open_steps
from runbook_lib.evidence.files import UNFINISHED, sha256_of, write_all, write_whole
from runbook_lib.evidence.finding import Finding
from runbook_lib.evidence.instructions import VERIFY, verify_md
from runbook_lib.evidence.leaks import holds_credential
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.evidence.plan import PLAN, plan_text
from runbook_lib.evidence.quarantine import DISCLOSED, search_record
from runbook_lib.evidence.sums import SUMS, check_sums, write_sums
from runbook_lib.secret import Mask
from runbook_lib.views.handover import handover_documents
from runbook_lib.views.report import report_html
from runbook_lib.views.story import disclosed

NOTEBOOK = "notebook.ipynb"
REPORT = "report.html"


@dataclass(frozen=True)
class Closed:
    """A closed run, and its events.

    `disclosed` names the files that went into quarantine.
    """

    result: Result
    exit_code: int
    outcomes: dict[str, int]
    folder: Path
    report: Path
    events: tuple[Event, ...]
    disclosed: tuple[str, ...] = ()


def close_run(
    folder: Path,
    *,
    ledger: Ledger,
    kernel_ended: str,
    notebook: Path | None,
    closer: str,
    notebook_facts: Mapping[str, object] | None = None,
    clock: Clock = utc_now,
) -> Closed:
    """Close a run whose kernel has ended; return what became of it.

    `kernel_ended` is finished, raised, died or unknown; `notebook` the executed
    notebook, which is moved into the record, or None if there is none; `closer`
    names the command that closes. `notebook_facts` go into `run.closed` beside
    the notebook's digest.

    A closing that was interrupted is completed; closing again changes nothing.

    Raises:
        Refused: another process has the record.
        RecordBroken: the chain does not hold, or files were changed since.
    """
    if closed(read_chain(folder / EVENTS).events) is None:
        record = Record.reopen(folder, mask=Mask(), clock=clock)
        try:
            place_notebook(record, notebook)
            record = search_record(record, mode=mode_of(record.events), clock=clock)
            end_open_steps(record, closer=closer)
            _end(record, kernel_ended, closer, notebook_facts or {})
        finally:
            record.close()
    with locked(folder):
        return _complete(folder, ledger)


def place_notebook(record: Record, notebook: Path | None) -> None:
    """Move the executed notebook into the record, whole or not at all.

    Its digest as it was executed is written first. Then it is made an archive,
    which only looks when it is run again.
    """
    target = record.folder.resolve() / NOTEBOOK
    target.with_name(NOTEBOOK + UNFINISHED).unlink(missing_ok=True)
    if notebook is None or not notebook.exists() or notebook.resolve() == target:
        return
    data = notebook.read_bytes()
    mode = mode_of(record.events)
    executed = hashlib.sha256(data).hexdigest()
    record.append("notebook.executed", mode=mode, sha256=executed)
    write_whole(target, archived(data, notebook.name, record.run, proven=True))
    notebook.unlink()


def _end(
    record: Record, kernel_ended: str, closer: str, facts: Mapping[str, object]
) -> None:
    path, notebook = record.folder / NOTEBOOK, None
    if path.exists():
        found = [e for e in record.events if e["event"] == "notebook.executed"]
        executed = {"executed_sha256": found[-1]["sha256"]} if found else {}
        digest = sha256_of(path)
        notebook = {"name": NOTEBOOK, "sha256": digest, **executed, **facts}
    record.append(
        "run.closed",
        mode=mode_of(record.events),
        result=str(result(record.events)),
        exit_code=exit_code(record.events),
        outcomes=outcomes(record.events),
        kernel={"ended": kernel_ended},
        notebook=notebook,
        closer=closer,
        leak_search="patterns",
        disclosed=disclosed(record.events),
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the record's lock.

    Raises:
        Refused: another process has it.
    """
    with (folder / EVENTS).open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"{folder}: another process writes to this record",
                remedy="Shut the notebook's kernel down, or wait until the run ends.",
            ) from None
        yield


def _complete(folder: Path, ledger: Ledger) -> Closed:
    chain = read_chain(folder / EVENTS)
    events = chain.events
    if (folder / SUMS).exists():
        _still_whole(folder, check_sums(folder))
    else:
        _write_documents(folder, events, chain.head)
        _only_owner(folder)
        write_sums(folder)
    end = cast("Event", closed(events))
    ledger.closed(
        str(end["run"]),
        tenant_of(events),
        sha256_of(folder / SUMS),
        str(end["result"]),
    )
    return Closed(
        result=Result(str(end["result"])),
        exit_code=int(str(end["exit_code"])),
        outcomes=cast("dict[str, int]", end["outcomes"]),
        folder=folder,
        report=folder / REPORT,
        events=events,
        disclosed=tuple(disclosed(events)),
    )


def tenant_of(events: Sequence[Event]) -> str:
    """Return the name of the tenant as the ledger has it."""
    return str(cast("Event", header(events)["tenant"])["name"])


def _still_whole(folder: Path, found: list[Finding]) -> None:
    if found:
        raise RecordBroken(
            f"{folder}: files were changed since the run was closed: {found[0]}",
            remedy="Do not use this record as evidence; find out who changed it.",
        )


def _write_documents(folder: Path, events: Sequence[Event], head: str) -> None:
    made = {
        REPORT: report_html(events, folder=folder),
        VERIFY: verify_md(events, head=head),
        **handover_documents(events, folder=folder),
    }
    if mode_of(events) == Mode.PLAN:
        made[PLAN] = plan_text(events)
    written = {name: text.encode() for name, text in made.items()}
    for name, data in written.items():
        _check_clean(folder, name, data)
    write_all(folder, written)


def _check_clean(folder: Path, name: str, data: bytes) -> None:
    """Search again: what is drawn from clean events must be clean as well."""
    if holds_credential(data):
        raise RecordBroken(
            f"{folder}: {name} would hold what looks like a credential",
            remedy=f"{DISCLOSED}. The run stays open; report this as a defect.",
        )


def _only_owner(folder: Path) -> None:
    """Let only the owner read the record."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)

"""`runbook seal`: close a run of JupyterLab or plain papermill.

Nothing was attached to such a run that closes it. Its last cell printed the
head of the chain; that head, in the saved notebook, ties notebook and record
to each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from runbook_lib.engine.chain import (
    Event,
    digest,
    parse_line,
    read_chain,
    split_lines,
)
from runbook_lib.engine.history import closed, finished, header
from runbook_lib.engine.record import EVENTS, Clock, utc_now
from runbook_lib.errors import InputError, RecordBroken, Refused
from runbook_lib.evidence.archive import archived, raised, read_notebook, shown_head
from runbook_lib.evidence.audit_batch import BATCH
from runbook_lib.evidence.close import NOTEBOOK, Closed, close_run, locked, tenant_of
from runbook_lib.evidence.files import write_whole
from runbook_lib.evidence.ledger import Ledger, read_ledger

CLOSER = "runbook seal"


def seal_record(
    folder: Path, *, ledger: Ledger, notebook: Path | None, clock: Clock = utc_now
) -> Closed:
    """Close an open record, and archive the saved notebook with it.

    The archived copy names its run in the cell tagged `injected-parameters`,
    where it did not before: one line is added, because a notebook that names a
    closed run only looks when it is run again, and never applies. `run.closed`
    keeps the digest of the file as it was executed, which stays where it is.

    A closing that was interrupted is completed.

    Raises:
        Refused: another process has the record, it is closed, or the notebook
            was saved before the record's last event.
        RecordBroken: the chain does not hold, or lacks the head that the
            notebook shows.
        InputError: there is no record, or no notebook, at the path.
    """
    if not (folder / EVENTS).exists():
        raise InputError(
            f"{folder}: no record", remedy="Give the folder that holds events.ndjson."
        )
    with locked(folder):
        events = read_chain(folder / EVENTS).events
        _of_one_run(folder, events)
        _not_closed(events, ledger)
        data = _read(notebook) if notebook else None
        facts = _facts(folder, events, notebook, data)
        if notebook and data and closed(events) is None:
            run, proven = str(header(events)["run"]), bool(facts["shows_chain_head"])
            archive = archived(data, notebook.name, run, proven=proven)
            write_whole(folder / NOTEBOOK, archive)
    return close_run(
        folder,
        ledger=ledger,
        kernel_ended=_ended(events, notebook, data),
        notebook=None,
        closer=CLOSER,
        notebook_facts=facts,
        clock=clock,
    )


def _of_one_run(folder: Path, events: Sequence[Event]) -> None:
    if header(events).get("kind") == BATCH:
        raise Refused(
            f"{folder}: this is the record of a batch",
            remedy="Run the same runbook batch with --resume: it closes the record.",
        )


def _read(notebook: Path) -> bytes:
    try:
        return notebook.read_bytes()
    except OSError as error:
        raise InputError(
            f"{notebook}: the notebook cannot be read: {error.strerror}",
            remedy="Give the file that JupyterLab or papermill saved.",
        ) from None


def _not_closed(events: Sequence[Event], ledger: Ledger) -> None:
    """Refuse a run whose ledger line, the last thing of a closing, is written."""
    run = str(header(events)["run"])
    if closed(events) is None or not ledger.path.exists():
        return
    if read_ledger(ledger.path).of(tenant_of(events), run, "closed"):
        raise Refused(
            f"{run}: the run is closed",
            remedy="There is nothing to do; check it with runbook audit.",
        )


def _facts(
    folder: Path, events: Sequence[Event], notebook: Path | None, data: bytes | None
) -> dict[str, object]:
    if notebook is None or data is None:
        return {}
    head = shown_head(read_notebook(data, notebook.name))
    if head is not None:
        _check_head(folder, notebook.name, head)
    elif finished(events) and header(events).get("closer") == "none":
        raise Refused(
            f"{notebook.name}: the notebook shows no chain head, although its last "
            "cell ran",
            remedy="Save the notebook after its last cell, then seal again.",
        )
    executed = hashlib.sha256(data).hexdigest()
    return {"executed_sha256": executed, "shows_chain_head": head is not None}


def _check_head(folder: Path, name: str, head: str) -> None:
    """Compare the head that the notebook shows with the record's.

    After it may stand only what an interrupted closing wrote.
    """
    lines = split_lines((folder / EVENTS).read_bytes())
    digests = [digest(line) for line in lines]
    if head not in digests:
        raise RecordBroken(
            f"{name}: the notebook shows a chain head that is not in this record",
            remedy="Give the notebook of this run. If it is, the events were changed.",
        )
    later = [parse_line(line) for line in lines[digests.index(head) + 1 :]]
    if not all(event and _by_closer(event) for event in later):
        raise Refused(
            f"{name}: the run went on after the notebook was saved",
            remedy="Run the last cell again, save the notebook, then seal again.",
        )


def _by_closer(event: Event) -> bool:
    """Tell whether a closing wrote the event."""
    return event["event"] in ("leak.found", "notebook.executed") or (
        event["event"] in ("step.end", "run.closed") and bool(event.get("closer"))
    )


def _ended(events: Sequence[Event], notebook: Path | None, data: bytes | None) -> str:
    """Return how the kernel ended, as far as record and notebook tell."""
    if finished(events):
        return "finished"
    if notebook and data and raised(read_notebook(data, notebook.name)):
        return "raised"
    return "unknown"

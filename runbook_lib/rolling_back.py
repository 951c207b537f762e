"""Rollback of a closed run: what it changed, backwards, into a record of its own."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from runbook_lib.engine import history
from runbook_lib.engine.borrowing import give_back_all
from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.run import Engine
from runbook_lib.engine.step import Mode
from runbook_lib.errors import Refused, RunbookError
from runbook_lib.evidence.sums import check_sums


def roll_back_run(engine: Engine, run: str) -> None:
    """Undo what a closed run of the same tenant changed, newest change first.

    What it began and did not see is undone too where the tenant shows it.

    Every refusal is written to the record of the rollback.

    Raises:
        Refused: there is no such run, it is open, broken, another tenant's, or
            it changed nothing.
    """
    record = engine.attempt.record
    try:
        events = _closed_run(record.folder.parent / run if run else None, engine)
    except RunbookError as error:
        record.append(
            "run.refused",
            mode=Mode.ROLLBACK,
            problem=error.message,
            remedy=error.remedy,
        )
        raise
    record.append("run.rolls_back", mode=Mode.ROLLBACK, record=run)
    give_back_all(engine.attempt, engine.catalogue, events, run)
    done = history.ends(record.events)
    for begin in reversed(history.unseen(events)):
        if begin["step"] not in done:
            engine.roll_back_begun(begin)
    for change in reversed(history.changes(events)):
        if change["step"] not in done:
            engine.roll_back(change)


def _closed_run(folder: Path | None, engine: Engine) -> tuple[Event, ...]:
    if folder is None or not (folder / EVENTS).exists():
        raise Refused(
            f"record: there is no run {folder.name if folder else ''!r} to roll back",
            remedy="Give the run id of a closed apply run of this tenant.",
        )
    events = read_chain(folder / EVENTS).events
    if history.closed(events) is None:
        raise Refused(
            f"{folder.name} is still open", remedy="Close it with runbook seal first."
        )
    broken = check_sums(folder)
    if broken:
        raise Refused(
            f"{folder.name}: the record was changed since it was closed: {broken[0]}",
            remedy="Do not use it; undo the changes by hand.",
        )
    _same_tenant(events, engine)
    if not history.changes(events) and not history.unseen(events):
        raise Refused(
            f"{folder.name} changed nothing", remedy="There is nothing to roll back."
        )
    return events


def _same_tenant(events: tuple[Event, ...], engine: Engine) -> None:
    tenant = cast("Event", history.header(events)["tenant"])
    ours = str(engine.attempt.session.tenant.tenant_id)
    if tenant["tenant_id"] != ours:
        raise Refused(
            f"the run to roll back belongs to tenant {tenant['tenant_id']}, "
            f"this file to {ours}",
            remedy="Use the tenant file of that run.",
        )

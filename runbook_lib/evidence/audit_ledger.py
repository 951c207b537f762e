"""Do ledger and records know each other?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.record import EVENTS
from runbook_lib.evidence.audit_record import Checked
from runbook_lib.evidence.files import sha256_of
from runbook_lib.evidence.finding import Finding, broken, note, warning
from runbook_lib.evidence.ledger import LEDGER, LedgerChain, LedgerLine
from runbook_lib.evidence.sums import SUMS


def check_ledger(path: Path, ledger: LedgerChain) -> Iterator[Finding]:
    """Find what a ledger says twice, or in the wrong order."""
    if ledger.torn:
        yield note(
            str(path.parent), LEDGER, f"{ledger.torn} lines left unfinished by a kill"
        )
    for (tenant, run), lines in ledger.owners.items():
        kinds = [str(line.fields["line"]) for line in lines]
        kinds = [kind for kind in kinds if kind != "interrupted"] or ["interrupted"]
        if len(set(kinds)) != len(kinds):
            why = f"{tenant}/{run} was opened or closed more than once"
            yield broken(str(path.parent), LEDGER, why)
        elif kinds[0] != "opened":
            why = f"{tenant}/{run} was closed without having been opened"
            yield warning(str(path.parent), LEDGER, why)


def check_missing(
    outputs: Path, ledger: LedgerChain, owners: Iterable[tuple[str, str]]
) -> Iterator[Finding]:
    """Find runs of the ledger whose record is not on disk."""
    for tenant, run in owners:
        folder = outputs / tenant / run
        if (folder / EVENTS).exists():
            continue
        if ledger.of(tenant, run, "closed"):
            yield broken(str(folder), "", "the record is missing, the ledger knows it")
        else:
            yield warning(
                str(folder),
                "",
                "opened, never closed, and there is no record: the opening failed, "
                "or the record was removed",
            )


def check_against(record: Checked, ledger: LedgerChain) -> Iterator[Finding]:
    """Compare a record with its lines in the ledger."""
    if record.events is None:
        return
    where, first = str(record.folder), header(record.events)
    tenant = str(cast("Event", first["tenant"])["name"])
    run = str(first["run"])
    if (record.folder.parent.name, record.folder.name) != (tenant, run):
        yield broken(where, EVENTS, f"this is the record of {tenant}/{run}")
    if (tenant, run) not in ledger.owners:
        yield broken(where, "", "the ledger does not know this run")
        return
    lines = ledger.of(tenant, run, "closed")
    yield from _closing(record, closed(record.events), lines)
    yield from _head_before(where, first, ledger, lines)


def _closing(
    record: Checked, end: Event | None, lines: list[LedgerLine]
) -> Iterator[Finding]:
    where = str(record.folder)
    if end is None and lines:
        yield broken(where, EVENTS, "the ledger says closed; the end was cut")
    if end is not None and not lines:
        yield broken(
            where,
            "",
            "closed, but the ledger has no closing line: the closing was interrupted "
            "(run runbook seal), or the ledger was cut",
        )
    if end is None or not lines:
        return
    fields = lines[0].fields
    if fields.get("result") != end["result"]:
        yield broken(where, EVENTS, "the ledger has another result")
    sums = record.folder / SUMS
    if sums.exists() and sha256_of(sums) != fields.get("digest"):
        yield broken(where, SUMS, "it is not the list whose digest the ledger holds")


def _head_before(
    where: str, first: Event, ledger: LedgerChain, lines: list[LedgerLine]
) -> Iterator[Finding]:
    """Find the ledger head that the run saw: it must still be in the ledger."""
    head = first.get("ledger_head")
    if head is None:
        return
    place = ledger.place_of(str(head))
    if place is None:
        yield broken(
            where,
            EVENTS,
            f"the run saw the ledger head {str(head)[:12]}…, which the ledger does not "
            "contain: the ledger was rewritten",
        )
    elif lines and place >= lines[0].place:
        yield broken(where, EVENTS, "the run saw a ledger head later than its closing")


def check_head(ledgers: dict[Path, LedgerChain], head: str | None) -> Iterator[Finding]:
    """Compare the ledgers with a head that was kept outside."""
    if head is None:
        for path in ledgers:
            yield note(
                str(path.parent),
                LEDGER,
                "the end of the ledger is unproven: give the head that the change "
                "ticket keeps",
            )
        return
    found = {path: ledger.place_of(head) for path, ledger in ledgers.items()}
    places = {path: place for path, place in found.items() if place is not None}
    for path, place in places.items():
        later = len(ledgers[path].digests) - 1 - place
        where = "is its last line" if not later else f"is in it; later lines: {later}"
        yield note(str(path.parent), LEDGER, f"the head given {where}")
    if not places:
        where = str(next(iter(ledgers)).parent) if ledgers else ""
        yield broken(
            where,
            LEDGER,
            "no line has the head that was given: lines were removed or rewritten",
        )

"""Does the record of a batch hold together, with the records of its tenants?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import header
from runbook_lib.engine.result import result_of, worst
from runbook_lib.evidence.files import is_plain, sha256_of
from runbook_lib.evidence.finding import Finding, broken
from runbook_lib.evidence.sums import SUMS, check_sums

BATCH = "batch"
SUMMARIES = ("summary.html", "summary.csv")


def check_batch(folder: Path, events: Sequence[Event]) -> Iterator[Finding]:
    """Check sums, summaries and result of a closed batch, and each tenant's record."""
    where = str(folder)
    if not (folder / SUMS).exists():
        why = "missing: the closing was interrupted; run runbook batch --resume"
        yield broken(where, SUMS, why)
        return
    yield from check_sums(folder)
    for name in SUMMARIES:
        if not is_plain(folder / name):
            yield broken(where, name, "a closed batch has this file")
    said = last_said(events)
    yield from _judged(where, events, said)
    for end in said.values():
        yield from _tenant(folder, end)


def last_said(events: Sequence[Event]) -> dict[str, Event]:
    """Return the last `tenant.ended` of each tenant."""
    return {str(e["tenant"]): e for e in events if e["event"] == "tenant.ended"}


def _judged(
    where: str, events: Sequence[Event], said: dict[str, Event]
) -> Iterator[Finding]:
    """Judge the batch again, from what its events say of the tenants."""
    members = cast("list[dict[str, str]]", header(events)["members"])
    for name in {member["name"] for member in members} - said.keys():
        yield broken(where, "", f"closed, and nothing is said of {name}")
    code = worst(int(str(end["exit_code"])) for end in said.values())
    for field, value in (("exit_code", code), ("result", str(result_of(code)))):
        if events[-1][field] != value:
            found = events[-1][field]
            why = f"run.closed says {field} {found!r}, the tenants say {value!r}"
            yield broken(where, "events.ndjson", why)


def _tenant(folder: Path, end: Event) -> Iterator[Finding]:
    """Compare a tenant's record with the digest that the batch noted."""
    if end["sums"] is None:
        return
    name, run = str(end["tenant"]), str(end["tenant_run"])
    sums = folder.parent.parent / name / run / SUMS
    if not sums.exists():
        yield broken(str(folder), "", f"the record {name}/{run} is missing")
    elif sha256_of(sums) != end["sums"]:
        yield broken(str(folder), "", f"{name}/{run} is not the record of this batch")

"""Does one record hold together, by itself?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast

from runbook_lib.engine.chain import Chain, Event, read_chain
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.result import exit_code, mode_of, outcomes, result
from runbook_lib.engine.step import Mode
from runbook_lib.errors import RecordBroken
from runbook_lib.evidence.audit_batch import BATCH, check_batch
from runbook_lib.evidence.files import is_plain, sha256_of
from runbook_lib.evidence.finding import Finding, broken, note, warning
from runbook_lib.evidence.instructions import VERIFY
from runbook_lib.evidence.plan import PLAN, plan_text
from runbook_lib.evidence.quarantine import DISCLOSED
from runbook_lib.evidence.sums import SUMS, check_sums

REPORT = "report.html"


@dataclass(frozen=True)
class Checked:
    """A record that was checked: its events, or None if they cannot be trusted."""

    folder: Path
    findings: tuple[Finding, ...]
    events: tuple[Event, ...] | None


def check_record(folder: Path) -> Checked:
    """Check chain, sums and result of a record, and what the events refer to."""
    try:
        chain = read_chain(folder / EVENTS)
    except RecordBroken as error:
        found = [broken(str(folder), EVENTS, error.message), *_sums(folder)]
        return Checked(folder, tuple(found), None)
    misshapen = list(_shape(folder, chain.events))
    if misshapen:
        return Checked(folder, (*misshapen, *_sums(folder)), None)
    try:
        found = [*_torn(folder, chain), *_contents(folder, chain.events)]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Only a record that something else wrote has events of another form.
        why = f"an event is not of the form that it should have: {error!r}"
        return Checked(folder, (broken(str(folder), EVENTS, why),), None)
    return Checked(folder, tuple(found), chain.events)


def _sums(folder: Path) -> list[Finding]:
    return check_sums(folder) if (folder / SUMS).exists() else []


def _shape(folder: Path, events: Sequence[Event]) -> Iterator[Finding]:
    """Find what makes the events no run: no header, other runs' events, a tail."""
    kinds = [event.get("event") for event in events]
    if kinds[0] != "run.opened" or kinds.count("run.opened") != 1:
        yield broken(str(folder), EVENTS, "the first event alone must be run.opened")
    if len({event.get("run") for event in events}) != 1:
        yield broken(str(folder), EVENTS, "there are events of another run")
    if "run.closed" in kinds[:-1]:
        yield broken(str(folder), EVENTS, "there are events after run.closed")


def _torn(folder: Path, chain: Chain) -> Iterator[Finding]:
    if chain.torn:
        lines = "1 line" if chain.torn == 1 else f"{chain.torn} lines"
        yield note(
            str(folder), EVENTS, f"{lines} left unfinished by a process that was killed"
        )


def _contents(folder: Path, events: Sequence[Event]) -> Iterator[Finding]:
    yield from _attachments(folder, events)
    end = closed(events)
    if end is None:
        yield from _open(folder)
        return
    if header(events).get("kind") == BATCH:
        yield from check_batch(folder, events)
        return
    yield from _closed_files(folder, events)
    yield from _judged(folder, events[:-1], end)
    yield from _notebook(folder, end)
    for file in cast("list[str]", end.get("disclosed") or []):
        yield warning(str(folder), file, f"in quarantine: {DISCLOSED}")


def _open(folder: Path) -> Iterator[Finding]:
    yield note(str(folder), "", "the run is open: nothing proves yet that it is whole")
    if (folder / SUMS).exists():
        yield broken(str(folder), EVENTS, "the end was cut: run.closed is missing")


def _closed_files(folder: Path, events: Sequence[Event]) -> Iterator[Finding]:
    if not (folder / SUMS).exists():
        yield broken(
            str(folder), SUMS, "missing: the closing was interrupted; run runbook seal"
        )
        return
    yield from check_sums(folder)
    planned = mode_of(events) == Mode.PLAN
    for name in (REPORT, VERIFY, PLAN) if planned else (REPORT, VERIFY):
        if not is_plain(folder / name):
            yield broken(str(folder), name, "a closed run has this file")
        elif name == PLAN and (folder / PLAN).read_text("utf-8") != plan_text(events):
            yield broken(str(folder), PLAN, "the plan is not what the events say")


def _judged(folder: Path, events: Sequence[Event], end: Event) -> Iterator[Finding]:
    """Judge the run again, from its events."""
    judged = {
        "result": str(result(events)),
        "exit_code": exit_code(events),
        "outcomes": outcomes(events),
    }
    for name, value in judged.items():
        if end[name] != value:
            yield broken(
                str(folder),
                EVENTS,
                f"run.closed says {name} {end[name]!r}, the events say {value!r}",
            )


def _notebook(folder: Path, end: Event) -> Iterator[Finding]:
    notebook = cast("dict[str, str] | None", end["notebook"])
    if notebook is not None:
        yield from _same(folder, notebook["name"], notebook["sha256"], "run.closed")


def _attachments(folder: Path, events: Sequence[Event]) -> Iterator[Finding]:
    """Compare what people handed in with the digests taken when they did."""
    away = {event["file"] for event in events if event["event"] == "leak.found"}
    for event in events:
        if event["event"] != "evidence.attached":
            continue
        files = [event["text"], *cast("list[object]", event["files"])]
        for file in cast("list[dict[str, str]]", files):
            if file["path"] not in away:
                yield from _same(
                    folder, file["path"], file["sha256"], "evidence.attached"
                )


def _same(folder: Path, name: str, digest: str, source: str) -> Iterator[Finding]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        yield broken(str(folder), EVENTS, f"{source} names a path outside: {name}")
    elif not is_plain(folder / name):
        yield broken(str(folder), name, f"missing, although {source} names it")
    elif sha256_of(folder / name) != digest:
        yield broken(str(folder), name, f"not the file whose digest {source} holds")

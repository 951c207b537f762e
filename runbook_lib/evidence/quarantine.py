"""What is done with a file in which a credential was found.

The file leaves the record for `quarantine/<tenant>/<run>/`, a folder of mode
0700 beside the outputs, so that the record can be handed on. What was found is
written to the record first: a closing that is killed in between fails the run
all the same.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, cast

from runbook_lib.clients.private_files import sync_folder
from runbook_lib.engine.chain import Event, encode
from runbook_lib.engine.record import EVENTS, Clock, Record
from runbook_lib.errors import RecordBroken
from runbook_lib.evidence.files import UNFINISHED, move, sha256_of
from runbook_lib.evidence.leaks import Leak, find_patterns, holds_credential
from runbook_lib.secret import MASKED, Mask

QUARANTINE = "quarantine"
DISCLOSED = "credential disclosed: rotate"
REMEDY = "Revoke the credential and make a new one; then delete the file in quarantine."
LINKS = frozenset(
    {"schema", "seq", "prev", "run", "event", "mode", "before_torn"}  # made anew
)


def quarantine_of(folder: Path) -> Path:
    """Return where files of this record go: beside the outputs folder."""
    folder = folder.resolve()
    outputs = folder.parent.parent
    return outputs.parent / QUARANTINE / folder.parent.name / folder.name


def search_record(record: Record, *, mode: str, clock: Clock) -> Record:
    """Search the record for what looks like a credential; return the record.

    Files with a hit go into quarantine. Where the events themselves have one,
    the chain is written anew with the texts in question masked, and the
    original goes into quarantine: the record returned is the new one.
    """
    leaks = find_patterns(record.folder)
    for file, found in groupby(leaks, key=lambda leak: leak.file):
        if not _noted(record, file):
            _note(record, file, list(found), mode)
        if file != EVENTS:
            put_away(record.folder, file)
    if any(leak.file == EVENTS for leak in leaks):
        return _masked_anew(record, clock)
    return record


def _noted(record: Record, file: str) -> bool:
    return any(
        event["event"] == "leak.found" and event["file"] == file
        for event in record.events
    )


def _note(record: Record, file: str, found: list[Leak], mode: str) -> None:
    place = quarantine_of(record.folder)
    record.append(
        "leak.found",
        mode=mode,
        file=file,
        **_digest(record, file),
        found=[{"what": leak.what, "form": leak.form} for leak in found],
        quarantine=f"{QUARANTINE}/{place.parent.name}/{place.name}/{file}",
        problem=DISCLOSED,
        remedy=REMEDY,
    )


def _digest(record: Record, file: str) -> dict[str, str]:
    """Tell which file it was; the events are known by their last line so far."""
    if file == EVENTS:
        return {"head": record.head}
    return {"sha256": sha256_of(record.folder / file)}


def put_away(folder: Path, file: str) -> None:
    """Move a file of a record into quarantine."""
    target = _place(folder, file)
    try:
        move(folder / file, target)
    except OSError:  # another file system
        _copy(folder / file, target)
        (folder / file).unlink()
    target.chmod(0o600)


def _place(folder: Path, file: str) -> Path:
    """Return the path in quarantine, its folders made for the owner only."""
    root = quarantine_of(folder)
    target = root / file
    above = [p for p in target.parents if p.is_relative_to(root.parent.parent)]
    try:
        for parent in reversed(above):
            parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise RecordBroken(
            f"{root}: a credential was found, and there is no quarantine for it: "
            f"{error.strerror}",
            remedy="Make that folder with mode 0700, then close the run again.",
        ) from None
    return target


def _copy(source: Path, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
    sync_folder(target.parent)


def _masked_anew(record: Record, clock: Clock) -> Record:
    """Write the chain again without the credential; keep the original away."""
    folder, new = record.folder, record.folder / (EVENTS + UNFINISHED)
    _copy(folder / EVENTS, _place(folder, EVENTS))
    with ExitStack() as undone:
        stream = undone.enter_context(_new_and_locked(new))
        masked = Record(folder, record.run, stream, Mask(), clock)
        for event in record.events:
            _repeat(masked, event)
        if holds_credential(new.read_bytes()):
            raise RecordBroken(
                f"{folder}: the events hold a credential that could not be taken out",
                remedy=f"{DISCLOSED}. Do not hand the record on.",
            )
        move(new, folder / EVENTS)
        undone.pop_all()
    record.close()
    return masked


def _new_and_locked(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fdopen(descriptor, "ab", buffering=0)


def _repeat(record: Record, event: Event) -> None:
    """Append an event as it was, with its time, and without a credential."""
    fields = {k: _without_credential(v) for k, v in event.items() if k not in LINKS}
    record.append(str(event["event"]), mode=str(event["mode"]), **fields)


def _without_credential(value: object) -> object:
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {str(_without_credential(k)): _value_of(k, v) for k, v in items}
    if isinstance(value, list | tuple):
        return [_without_credential(item) for item in value]
    if isinstance(value, str) and holds_credential(value.encode("utf-8", "replace")):
        return MASKED
    return value


def _value_of(key: str, value: object) -> object:
    """Return a value without credential; some are known by their key only."""
    value = _without_credential(value)
    return MASKED if holds_credential(encode({key: value})) else value

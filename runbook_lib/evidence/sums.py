"""SHA256SUMS: the digest of every file of a record, as `sha256sum` writes it.

Source: GNU coreutils manual, "cksum output modes" (escaped file names).
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from runbook_lib.errors import RecordBroken
from runbook_lib.evidence.files import (
    UNFINISHED,
    entries,
    is_plain,
    sha256_of,
    write_whole,
)
from runbook_lib.evidence.finding import Finding, broken

SUMS = "SHA256SUMS"

_LINE = re.compile(rb"(\\?)([0-9a-f]{64})  (.+)", re.DOTALL)
_ESCAPES = {b"\\": rb"\\", b"\n": rb"\n", b"\r": rb"\r"}
_UNESCAPES = {escaped: plain for plain, escaped in _ESCAPES.items()}


def write_sums(folder: Path) -> str:
    """Write SHA256SUMS over every other file; return its own SHA-256.

    Raises:
        RecordBroken: something in the folder is not a regular file, so that
            its digest would not be that of the record.
    """
    (folder / (SUMS + UNFINISHED)).unlink(missing_ok=True)
    names = [name for name in entries(folder) if name != SUMS]
    strange = [name for name in names if not is_plain(folder / name)]
    if strange:
        raise RecordBroken(
            f"{folder}: not a regular file: {', '.join(strange)}",
            remedy="Remove it, then close the run again.",
        )
    data = b"".join(_line(name, sha256_of(folder / name)) for name in names)
    write_whole(folder / SUMS, data)
    return hashlib.sha256(data).hexdigest()


def _line(name: str, digest: str) -> bytes:
    raw = os.fsencode(name)
    escaped = re.sub(rb"[\\\n\r]", lambda match: _ESCAPES[match[0]], raw)
    mark = b"\\" if escaped != raw else b""
    return mark + digest.encode() + b"  " + escaped + b"\n"


def check_sums(folder: Path) -> list[Finding]:
    """List the files that were changed, are missing or are not listed.

    Links are never followed: a link, or a listed path that leaves the folder,
    is a finding.
    """
    record = str(folder)
    if not is_plain(folder / SUMS):
        return [broken(record, SUMS, "the list of digests is missing")]
    listed = _read(folder / SUMS)
    if listed is None:
        return [broken(record, SUMS, "it is not a list as sha256sum writes it")]
    present = [name for name in entries(folder) if name != SUMS]
    checked = [_check(folder, name, digest) for name, digest in listed.items()]
    unlisted = [_unlisted(record, name) for name in present if name not in listed]
    return [finding for finding in checked if finding] + unlisted


def _read(path: Path) -> dict[str, str] | None:
    """Return digest by name, or None if a line is malformed or a name stands twice."""
    *lines, rest = path.read_bytes().split(b"\n")
    matches = [_LINE.fullmatch(line) for line in lines]
    found = {_name(match): match[2].decode() for match in matches if match}
    return found if not rest and len(found) == len(lines) else None


def _name(match: re.Match[bytes]) -> str:
    raw = match[3]
    if match[1]:
        raw = re.sub(rb"\\[\\nr]", lambda escape: _UNESCAPES[escape[0]], raw)
    return os.fsdecode(raw)


def _check(folder: Path, name: str, digest: str) -> Finding | None:
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return broken(str(folder), SUMS, f"it names a path outside the record: {name}")
    if not path.exists() and not path.is_symlink():
        return broken(str(folder), name, "the file is missing")
    if not is_plain(path):
        return broken(str(folder), name, "it is not a regular file")
    if sha256_of(path) != digest:
        return broken(str(folder), name, "the file was changed after closing")
    return None


def _unlisted(record: str, name: str) -> Finding:
    return broken(record, name, "the file was added after closing")

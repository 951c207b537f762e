"""The ledger: hash-linked lines for each run, so that a missing run shows.

`ledger.ndjson` lies beside the tenants' folders. Each line is RFC 8785 JSON:

    schema, seq, prev, time, run, tenant, line: opened | interrupted | closed
    closed only: digest (SHA-256 of SHA256SUMS), result
    interrupted only: attempt (1, 2, …), ended (died | timed out | cancelled)
    after a line that a killed process left: before_torn

`prev` is the SHA-256 of the bytes of the line before, 64 zeros in the first
one; `before_torn` that of the last whole line. An outside copy of the last
line's digest (the head), as in a change ticket, proves the end of the ledger.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from runbook_lib.clients.private_files import sync_folder
from runbook_lib.engine.chain import (
    GENESIS,
    SCHEMA,
    Event,
    check_chain,
    digest,
    encode,
    parse_line,
    split_lines,
)
from runbook_lib.engine.record import Clock, timestamp, utc_now
from runbook_lib.errors import RecordBroken

LEDGER = "ledger.ndjson"
KINDS = frozenset({"opened", "interrupted", "closed"})
SAME = ("run", "tenant", "line", "attempt")  # what makes a line the same one


@dataclass(frozen=True)
class LedgerLine:
    """One line: its fields, and its place in the file, torn lines counted."""

    fields: Event
    place: int

    @property
    def owner(self) -> tuple[str, str]:
        """Return tenant and run."""
        return str(self.fields["tenant"]), str(self.fields["run"])


@dataclass(frozen=True)
class LedgerChain:
    """A ledger that holds together: its lines, and the digest of each.

    `digests` has one entry per line of the file, torn ones included, so that
    any head ever shown is found in it.
    """

    lines: tuple[LedgerLine, ...] = ()
    digests: tuple[str, ...] = ()
    torn: int = 0

    @property
    def head(self) -> str | None:
        """Return the digest of the last line, or None for an empty ledger."""
        return self.digests[-1] if self.digests else None

    @cached_property
    def owners(self) -> dict[tuple[str, str], list[LedgerLine]]:
        """Return the lines of each run, by tenant and run."""
        found: dict[tuple[str, str], list[LedgerLine]] = {}
        for line in self.lines:
            found.setdefault(line.owner, []).append(line)
        return found

    def of(self, tenant: str, run: str, kind: str) -> list[LedgerLine]:
        """Return the lines of one kind that a run has."""
        lines = self.owners.get((tenant, run), [])
        return [line for line in lines if line.fields["line"] == kind]

    def place_of(self, head: str) -> int | None:
        """Return the place of the line with this digest, or None."""
        return self.digests.index(head) if head in self.digests else None


def read_ledger(path: Path) -> LedgerChain:
    """Read and check a ledger.

    Raises:
        RecordBroken: missing, not linked, or a line that no version wrote.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordBroken(
            f"{path}: the ledger cannot be read: {error.strerror}",
            remedy="Check the path; the ledger lies beside the tenants' folders.",
        ) from None
    if not data:
        return LedgerChain()
    chain = check_chain(path, data)
    for entry in chain.events:
        _check_kind(path, entry)
    lines = split_lines(data)
    whole = [place for place, line in enumerate(lines) if parse_line(line)]
    return LedgerChain(
        lines=tuple(map(LedgerLine, chain.events, whole)),
        digests=tuple(map(digest, lines)),
        torn=chain.torn,
    )


def _check_kind(path: Path, entry: Event) -> None:
    known = entry.get("line") in KINDS
    if not known or not all(isinstance(entry.get(k), str) for k in ("tenant", "run")):
        raise RecordBroken(
            f"{path}: line {entry.get('seq')} is not one of {', '.join(sorted(KINDS))}",
            remedy="Read the ledger with the version of this tool that wrote it.",
        )


class Ledger:
    """Appends to a ledger, under a lock and on disk before it returns.

    Appending reads only the last lines: what stands before is for `audit` to
    check, and a fault in it must not keep a run from being closed.
    """

    def __init__(self, path: Path, *, clock: Clock = utc_now) -> None:
        """Use the ledger at this path; it is made with the first line."""
        self.path = path
        self._clock = clock

    def head(self) -> str | None:
        """Return the digest of the last line, or None where there is none."""
        if not self.path.exists():
            return None
        with self._locked():
            lines = split_lines(self.path.read_bytes())
        return digest(lines[-1]) if lines else None

    def opened(self, run: str, tenant: str) -> None:
        """Write that a run was opened, once."""
        self._append({"run": run, "tenant": tenant, "line": "opened"})

    def interrupted(self, run: str, tenant: str, attempt: str, ended: str) -> None:
        """Write that an attempt of a run was cut off, once; the run stays open.

        What was written first of how it ended stands: a batch that is killed after
        this line and before its own record's finds an attempt that `died`.
        """
        fields = {"run": run, "tenant": tenant, "line": "interrupted"}
        self._append({**fields, "attempt": attempt, "ended": ended})

    def closed(self, run: str, tenant: str, digest: str, result: str) -> None:
        """Write that a run was closed, once: digest of its sums, and result.

        Raises:
            RecordBroken: the ledger says that it was closed otherwise.
        """
        fields = {"run": run, "tenant": tenant, "line": "closed"}
        self._append({**fields, "digest": digest, "result": result})

    def _append(self, fields: dict[str, str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            data = self.path.read_bytes() if self.path.exists() else b""
            if self._written(data, fields):
                return
            links = _links(split_lines(data))
            entry = {
                "schema": SCHEMA,
                "time": timestamp(self._clock()),
                **links,
                **fields,
            }
            ending = b"\n" if data and not data.endswith(b"\n") else b""
            self._write(ending + encode(entry) + b"\n")

    def _written(self, data: bytes, fields: dict[str, str]) -> bool:
        """Tell whether the line is there already: a closing may be repeated."""
        for line in split_lines(data):
            entry = parse_line(line) if fields["run"].encode() in line else None
            if entry and all(entry.get(name) == fields.get(name) for name in SAME):
                if fields["line"] != "interrupted":
                    self._check_same(entry, fields)
                return True
        return False

    def _check_same(self, entry: Event, fields: dict[str, str]) -> None:
        if any(entry.get(name) != value for name, value in fields.items()):
            raise RecordBroken(
                f"{self.path}: run {fields['run']} of {fields['tenant']} was closed "
                "with another digest or result",
                remedy="Find out who changed the record after it was closed.",
            )

    def _write(self, data: bytes) -> None:
        is_new = not self.path.exists()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.path, flags, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as stream:
            if stream.write(data) != len(data):
                raise OSError(f"{self.path}: the file system took only a part")
            os.fsync(descriptor)
        if is_new:
            sync_folder(self.path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock file beside the ledger."""
        lock = self.path.with_suffix(".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _links(lines: list[bytes]) -> dict[str, object]:
    """Return number and digests that link the next line to the last ones."""
    torn = 0
    while torn < len(lines) and parse_line(lines[-1 - torn]) is None:
        torn += 1
    whole = lines[: len(lines) - torn]
    last = parse_line(whole[-1]) if whole else None
    links: dict[str, object] = {
        "seq": int(str(last["seq"])) + 1 if last else 0,
        "prev": digest(lines[-1]) if lines else GENESIS,
    }
    if torn:
        links["before_torn"] = digest(whole[-1]) if whole else GENESIS
    return links

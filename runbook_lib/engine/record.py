"""The record: append only, on disk before anything else happens."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from runbook_lib.engine.chain import (
    GENESIS,
    SCHEMA,
    Chain,
    Event,
    digest,
    encode_json,
    json_value,
    parse_line,
    read_chain,
)
from runbook_lib.errors import RecordBroken, Refused, RunbookError
from runbook_lib.secret import Mask

Clock = Callable[[], datetime]

EVENTS = "events.ndjson"
TRAFFIC = "traffic.ndjson"


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def timestamp(time: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


class Record:
    """One run's folder: events, traffic and evidence.

    Every value is masked before it is written. The record is locked while it
    is open, so two processes never write to one run.
    """

    def __init__(
        self, folder: Path, run: str, stream: BinaryIO, mask: Mask, clock: Clock
    ) -> None:
        """Take over an open, locked stream; use `create` or `reopen`."""
        self.folder = folder
        self.run = run
        self._stream = stream
        self._mask = mask
        self._clock = clock
        self._head = GENESIS
        self._events: list[Event] = []
        self._ending = b""  # what ends an unfinished line, with the next event
        self._before_torn: str | None = None

    @classmethod
    def create(cls, folder: Path, *, mask: Mask, clock: Clock = utc_now) -> Self:
        """Make the folder (mode 0700) and an empty record; its name is the run id.

        What a process left that was killed in its first write is kept and linked.

        Raises:
            Refused: there is a record already.
        """
        for place in (folder.parent.parent, folder.parent, folder):
            place.mkdir(parents=True, mode=0o700, exist_ok=True)
        stream = _locked(folder / EVENTS)
        if begun(folder):
            stream.close()
            raise Refused(
                f"{folder}: there is a record of this run already",
                remedy="Use another run_id, or resume the run while it is open.",
            )
        record = cls(folder, folder.name, stream, mask, clock)
        if left := (folder / EVENTS).read_bytes():
            record._head, record._ending = digest(left), b"\n"
            record._before_torn = GENESIS
        return record

    @classmethod
    def reopen(cls, folder: Path, *, mask: Mask, clock: Clock = utc_now) -> Self:
        """Open a record that was not closed; a torn last line is kept.

        The next event ends it, in the same write: a process killed between two
        writes would leave a line that nothing explains.

        Raises:
            Refused: another process writes to it, or the run is closed.
            RecordBroken: the chain does not hold.
        """
        if not (folder / EVENTS).exists():
            read_chain(folder / EVENTS)  # says so; a lock would make the file
        stream = _locked(folder / EVENTS)
        try:
            chain = _open_chain(folder)
        except RunbookError:
            stream.close()
            raise
        record = cls(folder, folder.name, stream, mask, clock)
        record._head, record._events = chain.head, list(chain.events)
        record._ending = b"\n" if chain.unfinished else b""
        record._before_torn = chain.whole if chain.head != chain.whole else None
        return record

    @property
    def head(self) -> str:
        """Return the digest of the last line: 64 hex digits."""
        return self._head

    @property
    def events(self) -> tuple[Event, ...]:
        """Return the events so far, oldest first."""
        return tuple(self._events)

    def append(self, event: str, *, mode: str, **fields: object) -> Event:
        """Write one event, and return it once it is on disk.

        Raises:
            RecordBroken: it could not be written whole; the record takes no
                further event, and resuming the run repairs it.
        """
        body: dict[str, object] = {
            "schema": SCHEMA,
            "seq": len(self._events),
            "prev": self._head,
            "run": self.run,
            "time": timestamp(self._clock()),
            "mode": mode,
            "event": event,
            **({"before_torn": self._before_torn} if self._before_torn else {}),
            **fields,
        }
        masked = self._masked(body)
        line = encode_json(masked)
        self._write(line)
        self._head, self._ending, self._before_torn = digest(line), b"", None
        self._events.append(masked)
        return masked

    def _masked(self, body: Mapping[str, object]) -> dict[str, object]:
        """Return JSON values without secrets: made texts first, then masked."""
        masked = self._mask.value(json_value(body))
        assert isinstance(masked, dict)  # noqa: S101 - a mapping stays a mapping
        return masked

    def _write(self, line: bytes) -> None:
        data = self._ending + line + b"\n"
        try:
            written = self._stream.write(data)
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._unwritten(str(error.strerror)) from None
        except ValueError:  # the stream is closed
            raise self._unwritten("it is closed, or an earlier write failed") from None
        if written != len(data):
            raise self._unwritten("the file system took only a part")

    def _unwritten(self, why: str) -> RecordBroken:
        """Stop writing: after a torn line every further link would be wrong."""
        self._stream.close()
        return RecordBroken(
            f"{self.folder}: the record cannot be written: {why}",
            remedy="Make room on the disk, then run again: the run is resumed.",
        )

    def traffic(self, exchange: Mapping[str, object]) -> None:
        """Write one exchange with a service to `traffic.ndjson`, masked."""
        line = encode_json(self._masked({"time": timestamp(self._clock()), **exchange}))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.folder / TRAFFIC, flags, 0o600)
        with os.fdopen(descriptor, "ab") as stream:
            stream.write(line + b"\n")

    def close(self) -> None:
        """Release the lock. The run itself is closed outside the kernel."""
        self._stream.close()


def begun(folder: Path) -> bool:
    """Tell whether a folder has a record with at least one whole line."""
    try:
        data = (folder / EVENTS).read_bytes()
    except FileNotFoundError:
        return False
    return b"\n" in data or parse_line(data) is not None


def _open_chain(folder: Path) -> Chain:
    chain = read_chain(folder / EVENTS)
    if any(event["event"] == "run.closed" for event in chain.events):
        raise Refused(
            f"{folder}: the run is closed",
            remedy="Start a new run; a closed record is never reopened.",
        )
    return chain


def _locked(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    stream = os.fdopen(descriptor, "ab", buffering=0)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        raise Refused(
            f"{path.parent}: another process writes to this record",
            remedy="End the other run, or wait until it ends.",
        ) from None
    return stream

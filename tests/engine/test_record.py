"""The record: on disk first, masked, locked, and whole after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from runbook_lib.engine.chain import digest, read_chain
from runbook_lib.engine.record import EVENTS, TRAFFIC, Record, timestamp
from runbook_lib.errors import RecordBroken, Refused
from runbook_lib.secret import MASKED, Mask, Secret, forms

SECRET = 'K8~q"päss\\word.Value'


@pytest.fixture
def mask() -> Mask:
    """Return a mask that knows the secret."""
    made = Mask()
    made.add(Secret(SECRET))
    return made


@pytest.fixture
def record(tmp_path: Path, mask: Mask) -> Iterator[Record]:
    """Yield an open record."""
    made = Record.create(tmp_path / "example", mask=mask)
    yield made
    made.close()


def on_disk(record: Record) -> list[dict[str, object]]:
    """Return the events as another process reads them now."""
    data = (record.folder / EVENTS).read_bytes()
    return [json.loads(line) for line in data.splitlines()]


def test_an_event_is_on_disk_when_append_returns(record: Record) -> None:
    """Nothing is buffered: what is returned is what the file holds."""
    first = record.append("note", mode="plan", value=1)
    second = record.append("note", mode="plan", value=2)
    assert on_disk(record) == [first, second] == list(record.events)
    assert read_chain(record.folder / EVENTS).head == record.head


def test_fields_of_every_event(record: Record) -> None:
    """Each line says schema, number, link, run, time and mode."""
    event = record.append("note", mode="verify")
    assert event["schema"] == 1
    assert (event["seq"], event["prev"]) == (0, "0" * 64)
    assert (event["run"], event["mode"]) == ("example", "verify")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 25, 10, tzinfo=UTC), "2026-11-25T10:00:00.000Z"),
        (
            datetime(
                2026, 11, 25, 10, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=1))
            ),
            "2026-11-25T09:00:00.123Z",
        ),
    ],
)
def test_times_are_utc_with_milliseconds(moment: datetime, expected: str) -> None:
    """RFC 3339, whatever the time zone of the machine."""
    assert timestamp(moment) == expected


def test_only_the_owner_can_read(record: Record) -> None:
    """Folder 0700, files 0600."""
    record.append("note", mode="plan")
    record.traffic({"host": "graph.microsoft.com"})
    assert record.folder.stat().st_mode & 0o777 == 0o700
    for name in (EVENTS, TRAFFIC):
        assert (record.folder / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"before {SECRET} after",
        [{"deep": (SECRET,)}],
        {SECRET: 1},
        Path(f"/tmp/{SECRET}"),  # noqa: S108 - no file
        ValueError(SECRET),
        {SECRET},
        Secret(SECRET),
        json.dumps({"v": SECRET}),
        *sorted(forms(SECRET)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_event_and_no_exchange_holds_a_secret(record: Record, value: object) -> None:
    """Values are masked in every form, also those that become texts only here."""
    record.append("note", mode="plan", value=value)
    record.traffic({"body": value})
    for name in (EVENTS, TRAFFIC):
        text = (record.folder / name).read_text("utf-8")
        plain = json.loads(text.splitlines()[-1])
        for form in forms(SECRET):
            assert form not in text
            assert form not in str(plain)
        assert MASKED in text


def test_what_is_kept_in_memory_is_what_was_written(record: Record) -> None:
    """A resumed run and one that goes on see the same values."""
    record.append("note", mode="plan", big=2**60, pair=(1, 2), where=Path("/a"))
    assert list(record.events) == on_disk(record)


def test_a_second_process_cannot_write(record: Record) -> None:
    """The record is locked while it is open, for this and for other processes."""
    record.append("note", mode="plan")
    with pytest.raises(Refused, match="another process"):
        Record.reopen(record.folder, mask=Mask())
    code = (
        "import sys; from pathlib import Path\n"
        "from runbook_lib.engine.record import Record\n"
        "from runbook_lib.errors import Refused\n"
        "from runbook_lib.secret import Mask\n"
        "try: Record.reopen(Path(sys.argv[1]), mask=Mask())\n"
        "except Refused: sys.exit(5)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(record.folder)], check=False
    )
    assert ended.returncode == 5


def test_an_existing_record_is_not_created_again(record: Record) -> None:
    """Two runs never share a folder."""
    record.append("note", mode="plan")
    record.close()
    with pytest.raises(Refused, match="already"):
        Record.create(record.folder, mask=Mask())


@pytest.mark.parametrize("left", [b"", b'{"schema":1,"se'])
def test_a_run_killed_before_its_first_event_begins_again(
    tmp_path: Path, left: bytes
) -> None:
    """A file that holds no whole line is no record that stands in the way."""
    folder = tmp_path / "example"
    folder.mkdir()
    (folder / EVENTS).write_bytes(left)
    record = Record.create(folder, mask=Mask())
    record.append("run.opened", mode="plan")
    record.close()
    chain = read_chain(folder / EVENTS)
    assert (len(chain.events), chain.torn) == (1, 1 if left else 0)
    assert (folder / EVENTS).read_bytes().startswith(left)


def test_a_torn_line_is_kept_and_the_chain_goes_on(record: Record) -> None:
    """The next event ends the torn line and links to it and to the one before."""
    whole = record.append("note", mode="apply")
    record.close()
    path = record.folder / EVENTS
    before = path.read_bytes()
    path.write_bytes(before + b'{"schema":1,"torn')
    resumed = Record.reopen(record.folder, mask=Mask())
    event = resumed.append("run.resumed", mode="apply")
    resumed.append("note", mode="apply")
    resumed.close()
    assert event["prev"] == digest(b'{"schema":1,"torn')
    assert event["before_torn"] == digest(before.rstrip(b"\n"))
    chain = read_chain(path)
    assert (chain.events[0], chain.torn) == (whole, 1)
    assert "before_torn" not in chain.events[2]
    assert path.read_bytes().startswith(before + b'{"schema":1,"torn\n')


def test_reopening_alone_changes_no_byte(record: Record) -> None:
    """A process killed right after it reopened leaves what it found."""
    record.append("note", mode="apply")
    record.close()
    path = record.folder / EVENTS
    path.write_bytes(path.read_bytes() + b"torn")
    before = path.read_bytes()
    Record.reopen(record.folder, mask=Mask()).close()
    assert path.read_bytes() == before


def test_a_closed_run_is_never_reopened(record: Record) -> None:
    """A closed record takes no event, and its lock is free again."""
    record.append("run.closed", mode="apply")
    record.close()
    for _ in range(2):
        with pytest.raises(Refused, match="closed"):
            Record.reopen(record.folder, mask=Mask())


def test_a_broken_record_is_not_resumed(record: Record) -> None:
    """What somebody changed is no base for further writes."""
    record.append("note", mode="apply")
    record.append("note", mode="apply")
    record.close()
    path = record.folder / EVENTS
    path.write_bytes(path.read_bytes().replace(b"apply", b"Apply", 1))
    with pytest.raises(RecordBroken):
        Record.reopen(record.folder, mask=Mask())


def test_a_full_disk_stops_the_record_for_good(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed write every further one is refused with our own error."""
    record.append("note", mode="apply")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for _ in range(2):
        with pytest.raises(RecordBroken, match="cannot be written"):
            record.append("note", mode="apply")

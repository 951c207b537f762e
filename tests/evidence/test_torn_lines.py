"""A line that a killed process left: kept, ended and linked across."""

import json
from pathlib import Path

import pytest

from runbook_lib.engine.chain import digest, read_chain
from runbook_lib.engine.record import EVENTS, Record
from runbook_lib.errors import RecordBroken
from runbook_lib.secret import Mask
from tests.evidence.sample import end, fill, open_record, ticking


def torn_record(folder: Path) -> Path:
    """Return a record whose last line a kill cut short."""
    record = fill(open_record(folder), finished=False)
    record.close()
    events = record.folder / EVENTS
    with events.open("ab") as stream:
        stream.write(b'{"event":"step.be')
    return record.folder


def reopened(folder: Path) -> Record:
    """Reopen a record with a fixed clock."""
    return Record.reopen(folder, mask=Mask(), clock=ticking(11))


def test_torn_line_is_kept_and_linked_on_both_sides(tmp_path: Path) -> None:
    """The next event carries the digests of the torn and of the last whole line."""
    folder = torn_record(tmp_path)
    *_, whole, torn = (folder / EVENTS).read_bytes().split(b"\n")
    record = reopened(folder)
    event = record.append("run.resumed", mode="apply")
    record.close()
    assert event["prev"] == digest(torn)
    assert event["before_torn"] == digest(whole)
    chain = read_chain(folder / EVENTS)
    assert (chain.torn, chain.unfinished) == (1, False)
    assert chain.events[-1]["event"] == "run.resumed"


def test_only_the_first_event_after_a_torn_line_says_so(tmp_path: Path) -> None:
    """Later events are linked as ever."""
    record = reopened(torn_record(tmp_path))
    record.append("run.resumed", mode="apply")
    assert "before_torn" not in record.append("run.finished", mode="apply")
    record.close()


def test_reopening_alone_writes_nothing(tmp_path: Path) -> None:
    """A process killed right after it reopened leaves a record that still opens."""
    folder = torn_record(tmp_path)
    before = (folder / EVENTS).read_bytes()
    reopened(folder).close()
    assert (folder / EVENTS).read_bytes() == before
    reopened(folder).close()


def test_events_before_a_torn_line_stay_protected(tmp_path: Path) -> None:
    """Changing the last whole line before a torn one breaks the chain."""
    folder = torn_record(tmp_path)
    record = reopened(folder)
    record.append("run.resumed", mode="apply")
    record.close()
    data = (folder / EVENTS).read_bytes()
    assert data.count(b"CHG0031877") > 1
    head, _, tail = data.rpartition(b"CHG0031877")
    (folder / EVENTS).write_bytes(head + b"CHG9999999" + tail)
    with pytest.raises(RecordBroken, match="not an event"):
        read_chain(folder / EVENTS)


def test_whole_line_without_newline_is_no_torn_line(tmp_path: Path) -> None:
    """A kill between the line and its newline loses nothing."""
    record = fill(open_record(tmp_path), finished=False)
    record.close()
    events = record.folder / EVENTS
    events.write_bytes(events.read_bytes().removesuffix(b"\n"))
    again = reopened(record.folder)
    event = again.append("run.resumed", mode="apply")
    again.close()
    assert "before_torn" not in event
    assert read_chain(events).torn == 0


def test_garbage_with_a_newline_at_the_end_is_broken(tmp_path: Path) -> None:
    """A torn line has no newline; a line that has one was put there."""
    folder = torn_record(tmp_path)
    with (folder / EVENTS).open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(RecordBroken, match="not an event"):
        read_chain(folder / EVENTS)


@pytest.mark.parametrize(
    "value", [float("nan"), float("-inf"), "half a pair \ud800", 2**60, {"\udcff": 1}]
)
def test_no_value_of_a_service_can_lose_an_event(tmp_path: Path, value: object) -> None:
    """What canonical JSON cannot hold is written as text."""
    record = open_record(tmp_path)
    end(record, "sender-mailbox", "ok", facts={"seen": value})
    record.close()
    assert len(read_chain(record.folder / EVENTS).events) == 3


def test_full_disk_ends_the_record_instead_of_breaking_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a short write no further event is written; resuming repairs it."""
    record = open_record(tmp_path)
    stream = record._stream

    class Full:
        """A stream that takes only a part of a line."""

        def write(self, data: bytes) -> int:
            """Take ten bytes."""
            return stream.write(data[:10])

        def fileno(self) -> int:
            """Return the descriptor of the real stream."""
            return stream.fileno()

        def close(self) -> None:
            """Close the real stream."""
            stream.close()

    monkeypatch.setattr(record, "_stream", Full())
    with pytest.raises(RecordBroken, match="only a part"):
        record.append("run.finished", mode="apply")
    again = reopened(record.folder)
    again.append("run.resumed", mode="apply")
    again.close()
    lines = (record.folder / EVENTS).read_bytes().splitlines()
    assert json.loads(lines[-1])["event"] == "run.resumed"
    assert read_chain(record.folder / EVENTS).torn == 1

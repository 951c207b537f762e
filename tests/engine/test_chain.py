"""The chain of lines: what it proves, and what breaks it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from runbook_lib.engine.chain import (
    GENESIS,
    Event,
    digest,
    encode,
    encode_json,
    json_value,
    read_chain,
    split_lines,
)
from runbook_lib.errors import RecordBroken


def lines(count: int) -> list[bytes]:
    """Return the lines of a whole chain."""
    made: list[bytes] = []
    for seq in range(count):
        prev = digest(made[-1]) if made else GENESIS
        made.append(encode({"schema": 1, "seq": seq, "prev": prev, "event": "note"}))
    return made


def written(folder: Path, parts: Sequence[bytes], *, end: bytes = b"\n") -> Path:
    """Write lines to a file and return its path."""
    path = folder / "events.ndjson"
    path.write_bytes(b"\n".join(parts) + end)
    return path


def changed(line: bytes, **fields: object) -> bytes:
    """Return a line with some fields replaced."""
    event: Event = json.loads(line)
    return encode({**event, **fields})


def test_a_whole_chain_is_read(tmp_path: Path) -> None:
    """Events come back in order; the head is the digest of the last line."""
    made = lines(3)
    chain = read_chain(written(tmp_path, made))
    assert [event["seq"] for event in chain.events] == [0, 1, 2]
    assert chain.head == chain.whole == digest(made[-1])
    assert (chain.torn, chain.unfinished) == (0, False)


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda made: [changed(made[0], event="other"), *made[1:]], 2),
        (lambda made: [made[0], made[2]], 2),
        (lambda made: [made[1], made[0], made[2]], 1),
        (lambda made: made[1:], 1),
        (lambda made: [*made, made[2]], 4),
        (lambda made: [made[0], b"torn", *made[1:]], 2),
        (lambda made: [*made, b"torn"], 4),
        (lambda made: [*made, b""], 4),
        (lambda made: [*made, b"[1]"], 4),
        (lambda made: [changed(made[0], schema=2), *made[1:]], 1),
        (lambda made: [changed(made[0], schema=[1]), *made[1:]], 1),
        (lambda made: [changed(made[0], seq=1), *made[1:]], 1),
        (lambda made: [b"torn"], 1),
        (lambda made: [b"[" * 100_000], 1),
    ],
)
def test_damage_is_found_with_its_line(
    tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]], line: int
) -> None:
    """A changed, lost, doubled, swapped or foreign line breaks the chain."""
    path = written(tmp_path, damage(lines(3)))
    with pytest.raises(RecordBroken, match=rf"events\.ndjson:{line}: "):
        read_chain(path)


def test_a_cut_end_is_not_seen_by_the_chain_alone(tmp_path: Path) -> None:
    """That is why the head stands in the ledger and in the change ticket."""
    assert len(read_chain(written(tmp_path, lines(3)[:2])).events) == 2


def test_no_file_and_no_event_break_the_record(tmp_path: Path) -> None:
    """A record without events is none."""
    with pytest.raises(RecordBroken, match="no events"):
        read_chain(tmp_path / "events.ndjson")
    (tmp_path / "events.ndjson").touch()
    with pytest.raises(RecordBroken, match="no event"):
        read_chain(tmp_path / "events.ndjson")


def test_a_torn_end_is_kept_and_counted(tmp_path: Path) -> None:
    """A killed process leaves half a line; the head is then its digest."""
    made = lines(2)
    chain = read_chain(written(tmp_path, [*made, b'{"schema":1,"se'], end=b""))
    assert (chain.torn, chain.unfinished) == (1, True)
    assert chain.head == digest(b'{"schema":1,"se')
    assert chain.whole == digest(made[-1])


def test_a_missing_newline_is_no_torn_line(tmp_path: Path) -> None:
    """An event that is whole but for its newline counts."""
    chain = read_chain(written(tmp_path, lines(2), end=b""))
    assert (len(chain.events), chain.torn, chain.unfinished) == (2, 0, True)


@pytest.mark.parametrize("before_torn", [None, "0" * 64])
def test_a_resumption_must_link_across_the_torn_line(
    tmp_path: Path, before_torn: str | None
) -> None:
    """Without both digests whole lines before a torn one could be dropped."""
    made = lines(2)
    after = changed(made[1], seq=2, prev=digest(b"torn"), before_torn=before_torn)
    with pytest.raises(RecordBroken):
        read_chain(written(tmp_path, [*made, b"torn", after]))
    linked = changed(after, before_torn=digest(made[1]))
    assert read_chain(written(tmp_path, [*made, b"torn", linked])).torn == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53 - 1, 2**53 - 1),
        (-(2**53) + 1, -(2**53) + 1),
        (2**53, "9007199254740992"),
        (10**30, "1" + "0" * 30),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1.5, 1.5),
        (True, True),
        (None, None),
        ("\ud800", "?"),
        ({1: {"\udcff": Path("/a")}}, {"1": {"?": "/a"}}),
        ((1, [2]), [1, [2]]),
        (b"raw", "b'raw'"),
    ],
)
def test_no_value_can_stop_an_event(value: object, expected: object) -> None:
    """Whatever a service answers, the event is written; what is lost is shown."""
    assert json_value(value) == expected
    assert json.loads(encode({"v": value})) == {"v": expected}


def test_lines_are_canonical() -> None:
    """RFC 8785: sorted keys, no spaces, UTF-8 as it is."""
    assert encode({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", []), (b"a", [b"a"]), (b"a\n", [b"a"]), (b"a\nb", [b"a", b"b"])],
)
def test_lines_are_split_at_newlines_only(data: bytes, expected: list[bytes]) -> None:
    """Other line ends may stand inside a text."""
    assert split_lines(data) == expected


CHARACTERS = [
    *'ab19.eE-+:,[]{}"\\\n\t\0\x7f\u2028é',
    "\ud7ff",
    "\ue000",
    "\uffff",
    "😀",
]
NUMBERS = [0, -5, 999_999_999_999_999, 2**53 - 1, 1 - 2**53]
FLOATS = [0.5, 1.0, 1e21, 1e-7, -0.0, 1e16, 123456.789]


def some_text(chance: random.Random) -> str:
    """Return a short text of awkward characters."""
    return "".join(chance.choices(CHARACTERS, k=chance.randint(0, 6)))


def some_value(chance: random.Random, depth: int = 0) -> Any:
    """Return a JSON value, nested at most four deep."""
    kind = chance.randint(0, 6 if depth < 4 else 3)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind == 1:
        return chance.choice(NUMBERS if chance.random() < 0.9 else FLOATS)
    if kind < 4:
        return some_text(chance)
    count = range(chance.randint(0, 4))
    if kind == 4:
        return [some_value(chance, depth + 1) for _ in count]
    return {some_text(chance): some_value(chance, depth + 1) for _ in count}


@pytest.mark.parametrize("seed", range(10))
def test_lines_are_those_of_rfc_8785(seed: int) -> None:
    """Whatever the value, the quick way writes the bytes of the reference."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    for _ in range(300):
        value = some_value(chance)
        assert encode_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, 2**60, float("nan")])
def test_what_rfc_8785_cannot_write_is_refused(value: object) -> None:
    """Such values are made texts before; written as they are they would differ."""
    with pytest.raises(ValueError, match=r"."):
        encode_json(value)
    assert json.loads(encode({"value": value}))

"""The event chain of a record: lines, digests, and what makes one broken."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import rfc8785

from runbook_lib.errors import RecordBroken

GENESIS = "0" * 64
SCHEMA = 1
READABLE_SCHEMAS = frozenset({1})

Event = Mapping[str, object]

# The standard library writes the same bytes as RFC 8785, many times as quickly,
# but for numbers that are not small integers and for the order of names beyond
# the Basic Multilingual Plane. What looks like either is left to rfc8785.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)
_OTHER_NUMBER = re.compile(r'[\[,:](?:(?<=[\[,])|(?<=":))-?(?:\d+[.e]|\d{16})')
_OTHER_PLANE = re.compile(r"[\ud800-\udfff\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Chain:
    """The events of a record, the digest of its last line, and torn lines.

    `torn` counts lines that a killed process left unfinished. The event after
    one carries two digests: `prev` of the torn bytes, and `before_torn` of the
    last whole line, so that what stands before a torn line stays linked.
    `whole` is the digest of the last whole line: the head, unless the last line
    is torn. `unfinished` tells that the last line has no newline yet.
    """

    events: tuple[Event, ...]
    head: str
    whole: str
    torn: int = 0
    unfinished: bool = False


def encode(event: Event) -> bytes:
    """Return the canonical line of an event, without newline (RFC 8785)."""
    return encode_json(json_value(event))


def encode_json(value: object) -> bytes:
    """Return the canonical line of what is a JSON value already."""
    text = _ENCODER.encode(value)
    if _OTHER_NUMBER.search(f",{text}") or _OTHER_PLANE.search(text):
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    return text.encode()


def json_value(value: object) -> object:
    """Return a value that RFC 8785 can write.

    Big integers, NaN and infinities become texts, sets sorted lists; half of a
    surrogate pair, as in a file name that is not UTF-8, becomes a question mark.
    An event must never be lost because of what a service or a file name holds.
    """
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (dict, Mapping)):
        return {_text(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((json_value(item) for item in value), key=_text)
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _text(value)


def _text(value: object) -> str:
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def digest(line: bytes) -> str:
    """Return the SHA-256 of a line's bytes, in hex."""
    return hashlib.sha256(line).hexdigest()


def read_chain(path: Path) -> Chain:
    """Read and check `events.ndjson`.

    Raises:
        RecordBroken: missing, a line that is not linked to the one before, a
            gap in the numbers, an unreadable line that no resumption explains,
            or a schema number that this version does not know.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordBroken(
            f"{path}: the record has no events: {error.strerror}",
            remedy="Check the path; a record folder holds events.ndjson.",
        ) from None
    return check_chain(path, data)


def split_lines(data: bytes) -> list[bytes]:
    """Return the lines of a chain, the unfinished last one included."""
    *whole, rest = data.split(b"\n")
    return [*whole, rest] if rest else whole


def check_chain(path: Path, data: bytes) -> Chain:
    """Check linked lines that were read from `path`: events, or a ledger.

    Raises:
        RecordBroken: as `read_chain`.
    """
    lines, unfinished = split_lines(data), not data.endswith(b"\n")
    events: list[Event] = []
    head, whole, torn = GENESIS, GENESIS, 0
    for number, line in enumerate(lines, start=1):
        event = parse_line(line)
        if event is None:
            torn, head = torn + 1, digest(line)
        else:
            _check_link(path, number, event, head, whole)
            _check_number(path, number, event, len(events))
            events.append(event)
            head = whole = digest(line)
    if head != whole and not unfinished:
        raise _broken(path, len(lines), "the line is not an event")
    if not events:
        raise _broken(path, 1, "there is no event")
    return Chain(tuple(events), head, whole, torn, unfinished)


def parse_line(line: bytes) -> Event | None:
    """Return the event of a line, or None for a torn one."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _check_link(path: Path, number: int, event: Event, head: str, whole: str) -> None:
    if head != whole and event.get("before_torn") != whole:
        raise _broken(path, number - 1, "the line is not an event")
    if event.get("prev") != head:
        raise _broken(path, number, "it does not carry the digest of the line before")


def _check_number(path: Path, number: int, event: Event, count: int) -> None:
    if event.get("schema") not in tuple(READABLE_SCHEMAS):
        raise _broken(path, number, f"unknown schema {event.get('schema')!r}")
    if event.get("seq") != count:
        raise _broken(path, number, f"its number is {event.get('seq')}, not {count}")


def _broken(path: Path, number: int, why: str) -> RecordBroken:
    return RecordBroken(
        f"{path}:{number}: the chain of lines is broken: {why}",
        remedy="Do not use this record as evidence; find out who changed it.",
    )

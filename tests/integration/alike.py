"""Two tenants compared but for ids, times and key material."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import ends

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ID = re.compile(r"[0-9A-Za-z_-]{36,}")  # a GUID, or the id of a role assignment
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
SID = re.compile(r"S-1-5-21-[0-9-]+")
HINT = re.compile(r'"hint": ?"[^"]*"')


def alike(dump: bytes, start: bytes, events: Iterable[Event], run: str) -> Any:
    """Return a dump with names in place of what no two runs have in common.

    `start` is the dump from before the run: what stands there is kept. An id
    that the record names gets the name of its step and property, so that ids
    in each other's places are found.
    """
    old, text = start.decode(), dump.decode()
    for value, name in _named(events).items():
        text = text.replace(value, name)
    text = text.replace(run, "<run>")
    for pattern, name in ((GUID, "<id>"), (TIME, "<time>"), (SID, "<sid>")):
        text = _replaced(text, pattern, name, old)
    text = HINT.sub('"hint": "<hint>"', text)
    return _sorted(json.loads(text, object_pairs_hook=_unique))


def _replaced(text: str, pattern: re.Pattern[str], name: str, kept: str) -> str:
    return pattern.sub(lambda match: match[0] if match[0] in kept else name, text)


def _named(events: Iterable[Event]) -> dict[str, str]:
    """Return the ids that the steps of a record show, with a name for each."""
    found: dict[str, str] = {}
    for step, end in ends(events).items():
        after = end["after"]
        assert isinstance(after, dict)
        for name, value in after.items():
            if isinstance(value, str) and ID.fullmatch(value):
                found.setdefault(value, f"<{step} {name}>")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), "two objects under one name"
    return found


def _sorted(value: Any) -> Any:
    """Return a value whose lists have an order that no id decides."""
    if isinstance(value, dict):
        return {name: _sorted(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda item: json.dumps(item))
    return value


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two values differ, a line for each place."""
    if one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(set(one) | set(other))
        return [
            line
            for name in names
            for line in differing(one.get(name), other.get(name), f"{path}/{name}")
        ]
    return [f"{path}: {json.dumps(one)[:300]} is not {json.dumps(other)[:300]}"]


def marked(dump: bytes, run: str) -> dict[str, int]:
    """Count the objects that bear a run's mark, per kind of object."""
    tenant = json.loads(dump)["tenant"]
    counts: dict[str, int] = {}
    for kind in ("applications", "service_principals"):
        for one in tenant[kind].values():
            counts[kind] = counts.get(kind, 0) + (run in str(one["notes"]))
            for credentials in ("passwordCredentials", "keyCredentials"):
                ours = [c for c in one[credentials] if run in str(c["displayName"])]
                name = f"{kind} {credentials}"
                counts[name] = counts.get(name, 0) + len(ours)
    return counts

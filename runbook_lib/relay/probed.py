"""What `runbook probe --relay` found on a relay's host: one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook_lib.errors import InputError

RELAY_SCHEMA = "relay-1"
PROPERTIES = (
    "TLS",
    "certificate",
    "relaying for a stranger",
    "queue",
    "token",
)


@dataclass(frozen=True)
class RelayView:
    """Properties as a step compares them, what stands beside, and how we know."""

    properties: Mapping[str, object]
    context: Mapping[str, object]
    problems: tuple[str, ...]
    vantage: str


def read_relay_view(path: Path, host: str) -> RelayView:
    """Read the file.

    Raises:
        InputError: it cannot be read, is no such file, or is about another host.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("schema") != RELAY_SCHEMA:
        raise InputError(
            f"probe: {path} is no file of `runbook probe --relay`",
            remedy="Run it on the relay's host and give its file.",
        )
    if found.get("host") != host:
        raise InputError(
            f"probe: {path} is about {found.get('host')}, not about {host}",
            remedy=f"Run it with --host {host}.",
        )
    properties = _mapping(found.get("properties"))
    return RelayView(
        properties={name: properties.get(name) for name in PROPERTIES},
        context=_mapping(found.get("context")),
        problems=tuple(str(p) for p in found.get("problems") or ()),
        vantage=f"{found.get('seen_from')}, {found.get('time')}",
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

"""Typed reads of the JSON objects that services return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

Object = Mapping[str, object]


def text(found: Object, name: str) -> str | None:
    """Return a text member, or None where it is null or absent."""
    value = found.get(name)
    return None if value is None else str(value)


def objects(found: Object, name: str) -> list[dict[str, object]]:
    """Return a collection of objects; absent and null are empty."""
    return list(cast("Sequence[dict[str, object]]", found.get(name) or []))


def texts(found: Object, name: str) -> list[str]:
    """Return a collection of texts; absent and null are empty."""
    return [str(item) for item in cast("Sequence[object]", found.get(name) or [])]

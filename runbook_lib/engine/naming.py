"""How steps are named."""

from __future__ import annotations

import re


def titled(title: str, key: str | None) -> str:
    """Return a title with the key's value in it, where the step has a key."""
    return title.format(key=key) if key else title


def kebab(name: str) -> str:
    """Return a class name in kebab case: `SapNotes` gives `sap-notes`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()

"""papermill with our two engines; importing this first spares a slow import."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def without_slow_import() -> None:
    """Keep nbformat's schema library from building parsers it never uses.

    jsonschema imports rfc3987_syntax for a format that no notebook schema
    names; its import takes more than a second of processor time.
    """
    if find_spec("rfc3987") is None and "jsonschema" not in sys.modules:
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


without_slow_import()

# papermill loads the engines that are installed while it is imported, so it has
# to be there first.
from papermill.engines import papermill_engines as registered  # noqa: E402

from runbook_lib.batch.papermill_plugin import (  # noqa: E402
    PapermillDirect,
    PapermillStock,
)

__all__ = ["PapermillDirect", "PapermillStock", "register"]


def register() -> None:
    """Make both engines known to papermill, also without installed metadata."""
    registered.register("direct", PapermillDirect)
    registered.register("stock", PapermillStock)

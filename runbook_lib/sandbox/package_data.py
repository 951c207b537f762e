"""What stands in the JSON files of `data/`."""

import json
from importlib import resources
from typing import Any

DATA = resources.files("runbook_lib.sandbox") / "data"


def packaged(name: str) -> Any:
    """Return the value that a file of `data/` holds."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))

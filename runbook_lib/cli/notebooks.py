"""Where notebooks are, and what their parameters cell declares."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import runbook_lib
from runbook_lib.errors import InputError
from runbook_lib.parameters import assignments


@dataclass(frozen=True)
class NotebookSource:
    """A notebook file: its name, path, digest and declared parameters."""

    name: str
    path: Path
    sha256: str
    declared: dict[str, str]


def find_notebook(name: str) -> NotebookSource:
    """Find a notebook in ./notebooks first, then in the installed package.

    Raises:
        InputError: there is none, or it has no parameters cell.
    """
    stem = Path(name).name.removesuffix(".ipynb")
    packaged = Path(runbook_lib.__file__).parent / "notebooks"
    folders = [Path("notebooks"), packaged, packaged.parent.parent / "notebooks"]
    for folder in folders:
        path = folder / f"{stem}.ipynb"
        if path.is_file():
            return _source(stem, path)
    raise InputError(
        f"there is no notebook {stem!r}",
        remedy="Look into the notebooks folder for the names.",
    )


def _source(name: str, path: Path) -> NotebookSource:
    data = path.read_bytes()
    cells = json.loads(data)["cells"]
    tagged = [
        "".join(cell["source"])
        for cell in cells
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    if not tagged:
        raise InputError(
            f"{path} has no cell with the tag parameters",
            remedy="Use a runbook notebook of this project.",
        )
    declared = {key: str(value) for key, value in assignments(tagged[0]).items()}
    return NotebookSource(name, path, hashlib.sha256(data).hexdigest(), declared)

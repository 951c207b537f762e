"""A notebook as data: parsed once, given its parameters, written whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook_lib.evidence.archive import INJECTED as INJECTED_TAG
from runbook_lib.evidence.archive import PARAMETERS
from runbook_lib.evidence.files import write_whole
from runbook_lib.parameters import INJECTED

Notebook = dict[str, Any]
Cell = dict[str, Any]

NEVER_EXECUTED = "skip-execution"


def read_cells(path: Path) -> Notebook:
    """Read a notebook file; sources become texts, outputs are dropped."""
    notebook: Notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def with_parameters(notebook: Notebook, values: Mapping[str, str]) -> Notebook:
    """Return a copy with the cell of injected parameters, where papermill puts it.

    Cells, their metadata and their outputs can be changed without the original.
    """
    cells = [_fresh(c) for c in notebook["cells"] if not tagged(c, INJECTED_TAG)]
    place = next((n for n, c in enumerate(cells) if tagged(c, PARAMETERS)), -1)
    cells.insert(place + 1, _injected(values))
    papermill = {"parameters": dict(values), "exception": None}
    metadata = {**notebook["metadata"], "papermill": papermill}
    return {**notebook, "cells": cells, "metadata": metadata}


def _fresh(cell: Cell) -> Cell:
    made = {**cell, "metadata": dict(cell["metadata"])}
    return {**made, "outputs": []} if cell["cell_type"] == "code" else made


def _injected(values: Mapping[str, str]) -> Cell:
    lines = [INJECTED, *(f"{n} = {_literal(v)}" for n, v in values.items()), ""]
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": INJECTED_TAG,
        "metadata": {"tags": [INJECTED_TAG]},
        "outputs": [],
        "source": "\n".join(lines),
    }


def _literal(value: str) -> str:
    """Return a text as Python source, as papermill writes it."""
    escaped = value.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{escaped}"'


def tagged(cell: Cell, tag: str) -> bool:
    """Tell whether a cell has a tag."""
    return tag in cell["metadata"].get("tags", [])


def sources(notebook: Mapping[str, Any]) -> list[str | None]:
    """Return what to execute, cell by cell: None for a cell that is no code."""
    return [_executable(cell) for cell in notebook["cells"]]


def _executable(cell: Cell) -> str | None:
    source = str(cell["source"])
    if cell["cell_type"] != "code" or not source.strip():
        return None
    return None if tagged(cell, NEVER_EXECUTED) else source


def write_notebook(path: Path, notebook: Mapping[str, Any]) -> None:
    """Write a notebook whole or not at all: one line for each cell."""
    cells = ",\n".join(_json(cell) for cell in notebook["cells"])
    rest = {name: value for name, value in notebook.items() if name != "cells"}
    write_whole(path, f'{{"cells":[\n{cells}\n],\n{_json(rest)[1:]}\n'.encode())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

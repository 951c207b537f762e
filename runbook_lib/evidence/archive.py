"""The saved notebook: the chain head that it shows, and its archived copy."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from runbook_lib.errors import InputError, Refused

INJECTED = "injected-parameters"
PARAMETERS = "parameters"
MARK = "# added on closing: this file is an archive"
WRITING = ("apply", "rollback")

_HEAD = re.compile(r"chain head\s+([0-9a-f]{64})\b")

# A notebook is JSON of a published form (nbformat 4); its cells are read and
# written as they are, so that an archive differs from the file in one line.
Notebook = dict[str, Any]


def read_notebook(data: bytes, name: str) -> Notebook:
    """Return a notebook.

    Raises:
        InputError: it is none.
    """
    try:
        notebook = json.loads(data)
    except ValueError:
        notebook = None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise InputError(
            f"{name}: not a notebook",
            remedy="Give the file that JupyterLab or papermill saved.",
        )
    return notebook


def shown_head(notebook: Notebook) -> str | None:
    """Return the chain head that the outputs show last, or None."""
    found = [head for text in _outputs(notebook) for head in _HEAD.findall(text)]
    return found[-1] if found else None


def _outputs(notebook: Notebook) -> Iterator[str]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            yield _joined(output.get("text", ""))
            for value in output.get("data", {}).values():
                yield _joined(value)


def _joined(text: object) -> str:
    """Return a multi-line text, which nbformat allows to be a list of lines."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def raised(notebook: Notebook) -> bool:
    """Tell whether papermill noted that a cell raised (its metadata say so)."""
    metadata = notebook.get("metadata", {}).get("papermill", {})
    return bool(isinstance(metadata, Mapping) and metadata.get("exception"))


def archived(data: bytes, name: str, run: str, *, proven: bool) -> bytes:
    """Return the notebook so that it names its run, and only looks when run again.

    Lines are added to the cell tagged `injected-parameters`, or in a cell of its
    own after the parameters cell: the run id where it is not named, and the mode
    verify where it would apply or roll back. So an archive only looks wherever
    it is run again, with its record beside it or without. `proven` tells that
    the chain head has shown whose notebook it is; then it may name an earlier
    run, of which it was an archive itself.

    Raises:
        InputError: the data is no notebook.
        Refused: the notebook names another run.
    """
    notebook = read_notebook(data, name)
    cell = _tagged(notebook, INJECTED)
    named = _given(cell, "run_id")
    if named and named != run and not proven:
        raise Refused(
            f"{name}: the notebook belongs to the run {named}, not to {run}",
            remedy="Give the notebook of this run.",
        )
    lines = [] if named == run else [f"run_id = {json.dumps(run)}  {MARK}"]
    mode = _given(cell, "mode") or _given(_tagged(notebook, PARAMETERS), "mode")
    if mode in WRITING:
        lines.append(f'mode = "verify"  {MARK}')
    if not lines:
        return data
    if cell:
        cell["source"] = _with_lines(cell["source"], lines)
    else:
        _insert(notebook, lines)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _given(cell: dict[str, Any] | None, name: str) -> str | None:
    return _value_of(_joined(cell["source"]), name) if cell else None


def _tagged(notebook: Notebook, tag: str) -> dict[str, Any] | None:
    for cell in notebook["cells"]:
        if tag in cell.get("metadata", {}).get("tags", []):
            return cast("dict[str, Any]", cell)
    return None


def _value_of(source: str, name: str) -> str | None:
    """Return the text that a cell's source gives to a name last, or None."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return None
    values = [
        statement.value
        for statement in statements
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and any(ast.unparse(target) == name for target in _targets(statement))
    ]
    last = values[-1] if values else None
    return str(last.value) if isinstance(last, ast.Constant) else None


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    if isinstance(statement, ast.AnnAssign):
        return [statement.target]
    return statement.targets


def _with_lines(source: str | list[str], lines: list[str]) -> str | list[str]:
    """Add lines at the end of a source, which stays a text or a list of lines."""
    text = "\n".join(filter(None, [_joined(source).rstrip(), *lines]))
    return text.splitlines(keepends=True) if isinstance(source, list) else text


def _insert(notebook: Notebook, lines: list[str]) -> None:
    """Add a cell of injected parameters where papermill would."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": [INJECTED]},
        "outputs": [],
        "source": "\n".join(lines),
    }
    version = notebook.get("nbformat", 4), notebook.get("nbformat_minor", 0)
    if version >= (4, 5):  # cells have ids from this version on
        cell["id"] = "archived-run"
    before = _tagged(notebook, PARAMETERS)
    place = notebook["cells"].index(before) + 1 if before else 0
    notebook["cells"].insert(place, cell)

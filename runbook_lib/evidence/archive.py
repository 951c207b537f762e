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

    Where it does not name its run, one line is added: to the cell tagged
    `injected-parameters`, or in a cell of its own after the parameters cell.
    `proven` tells that the chain head has shown whose notebook it is; then it
    may name an earlier run, of which it was an archive itself.

    Raises:
        InputError: the data is no notebook.
        Refused: the notebook names another run.
    """
    notebook = read_notebook(data, name)
    cell = _tagged(notebook, INJECTED)
    named = _run_id(_joined(cell["source"])) if cell else None
    if named == run:
        return data
    if named and not proven:
        raise Refused(
            f"{name}: the notebook belongs to the run {named}, not to {run}",
            remedy="Give the notebook of this run.",
        )
    line = (
        f"run_id = {json.dumps(run)}  # added by runbook seal: this file is an archive"
    )
    if cell:
        cell["source"] = _with_line(cell["source"], line)
    else:
        _insert(notebook, line)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _tagged(notebook: Notebook, tag: str) -> dict[str, Any] | None:
    for cell in notebook["cells"]:
        if tag in cell.get("metadata", {}).get("tags", []):
            return cast("dict[str, Any]", cell)
    return None


def _run_id(source: str) -> str | None:
    """Return the text that a cell's source gives to `run_id` last, or None."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return None
    values = [
        statement.value
        for statement in statements
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and any(ast.unparse(target) == "run_id" for target in _targets(statement))
    ]
    last = values[-1] if values else None
    return str(last.value) if isinstance(last, ast.Constant) else None


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    if isinstance(statement, ast.AnnAssign):
        return [statement.target]
    return statement.targets


def _with_line(source: str | list[str], line: str) -> str | list[str]:
    """Add a line at the end of a source, which stays a text or a list of lines."""
    text = _joined(source).rstrip()
    text = f"{text}\n{line}" if text else line
    return text.splitlines(keepends=True) if isinstance(source, list) else text


def _insert(notebook: Notebook, line: str) -> None:
    """Add a cell of injected parameters where papermill would."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": [INJECTED]},
        "outputs": [],
        "source": line,
    }
    version = notebook.get("nbformat", 4), notebook.get("nbformat_minor", 0)
    if version >= (4, 5):  # cells have ids from this version on
        cell["id"] = "archived-run"
    before = _tagged(notebook, PARAMETERS)
    place = notebook["cells"].index(before) + 1 if before else 0
    notebook["cells"].insert(place, cell)

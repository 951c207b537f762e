"""Parameters, journals and folding: a notebook as a function of its journal."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.batch.cells import (
    read_cells,
    sources,
    with_parameters,
    write_notebook,
)
from runbook_lib.batch.ends import End
from runbook_lib.batch.fold import fold
from runbook_lib.batch.journal import Journal, read_journal
from runbook_lib.cli.notebooks import find_notebook

AWKWARD = ['a"b', "back\\slash", "line\nbreak", "é–😀", "'", "{x}", ""]


def shipped() -> Path:
    """Return a notebook of this project."""
    return find_notebook("1-smtp-oauth").path


def test_parameters_stand_where_papermill_puts_them() -> None:
    """The injected cell follows the parameters cell and has papermill's form."""
    from runbook_lib.batch.papermill_engines import register

    register()
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    values = {f"name{n}": text for n, text in enumerate(AWKWARD)}
    theirs = parameterize_notebook(load_notebook_node(str(shipped())), values)
    ours = with_parameters(read_cells(shipped()), values)
    pairs = zip(ours["cells"], theirs.cells, strict=True)
    assert all(o["source"].strip() == t.source.strip() for o, t in pairs)


def test_parameters_are_what_was_given() -> None:
    """Whatever the text, Python reads the same one."""
    values = {f"name{n}": text for n, text in enumerate(AWKWARD)}
    made = with_parameters(read_cells(shipped()), values)
    (source,) = (
        cell["source"]
        for cell in made["cells"]
        if "injected-parameters" in cell["metadata"].get("tags", [])
    )
    found = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in ast.parse(source).body
    }
    assert found == values


def test_original_is_left_alone() -> None:
    """A notebook is parsed once for all tenants, so nothing may change it."""
    notebook = read_cells(shipped())
    before = json.dumps(notebook)
    made = with_parameters(notebook, {"mode": "plan"})
    found = fold(made, lines_of_all_cells(made))
    found.finish(End.COMPLETED)
    assert json.dumps(notebook) == before
    assert next(c["outputs"] for c in made["cells"] if c["cell_type"] == "code")


def lines_of_all_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a journal in which every cell printed its place."""
    lines: list[dict[str, Any]] = []
    for place, source in enumerate(sources(notebook)):
        time = f"2026-01-01T00:00:{place % 60:02d}+00:00"
        lines.append({"kind": "start", "cell": place, "time": time})
        if source is not None:
            text = f"{place}\n"
            lines.append({"kind": "stream", "name": "stdout", "text": text})
        ended = {"kind": "end", "cell": place, "time": time, "ok": True}
        lines.append({**ended, "count": place})
    return [*lines, {"kind": "done", "time": "2026-01-01T00:01:00+00:00"}]


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_cut_journal_never_says_completed(cut: int) -> None:
    """Wherever the journal ends, what it does not prove did not complete."""
    made = with_parameters(read_cells(shipped()), {})
    lines = lines_of_all_cells(made)[:cut]
    found = fold(made, lines)
    found.finish(found.ended())
    ends = [cell["metadata"]["runbook"]["end"] for cell in made["cells"]]
    assert found.ended() is End.DIED
    assert ends.count("completed") == sum(line["kind"] == "end" for line in lines)
    assert set(ends[ends.count("completed") + 1 :]) <= {"not run"}


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    """A line that a kill cut off does not hide those before it."""
    journal = Journal(tmp_path / "journal")
    journal.write("start", cell=0, time="t")
    journal.close()
    with (tmp_path / "journal").open("ab") as stream:
        stream.write(b'{"kind": "end", "ce')
    assert [line["kind"] for line in read_journal(tmp_path / "journal")] == ["start"]
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0


def test_written_notebook_is_valid(tmp_path: Path) -> None:
    """nbformat accepts it, and reads the same cells."""
    from runbook_lib.batch.papermill_engines import register

    register()
    import nbformat

    made = with_parameters(read_cells(shipped()), {"mode": "plan"})
    found = fold(made, lines_of_all_cells(made))
    write_notebook(tmp_path / "n.ipynb", found.finish(End.COMPLETED))
    read = nbformat.read(tmp_path / "n.ipynb", 4)  # type: ignore[no-untyped-call]
    nbformat.validate(read)
    assert [cell.source for cell in read.cells] == [c["source"] for c in made["cells"]]
    assert not (tmp_path / "n.ipynb.new").exists()

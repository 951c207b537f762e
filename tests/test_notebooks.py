"""The shape that every notebook has, so that a reader knows where things stand."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from runbook_lib.engine.runbook import Listed
from runbook_lib.steps.catalogue import RUNBOOKS

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GUIDE = json.loads((ROOT / "tests/data/guide-anchors.json").read_text("utf-8"))
PARTS = ("scope", "parameters", "open-run", "prerequisites", "steps", "test", "report")
ALWAYS = ("scope", "parameters", "open-run", "report")
LONGER = frozenset({"imports", "parameters"})
CELL_METADATA = frozenset({"tags", "deletable", "editable"})
PARAMETER = re.compile(r'[a-z_]+: str = "[^"]*"  # \S.*')
STEP_TEXT = re.compile(
    r"### (?P<title>.+)\n\n"
    r"(?P<why>(?:[^|\n*].*\n){1,3})\n"
    r"\| \| \|\n\|---\|---\|\n(?P<rows>(?:\| .+ \|\n){2,3})\n"
    r"\*\*Passes when\*\* (?P<passes>[\s\S]+?)  \n"
    r"\[If it does not\]\(\.\./docs/troubleshooting\.md#(?P<remedy>\S+)\)"
    r" · Guide: \[.+\]\((?P<guide>\S+)\)"
    r"(?P<fact>(?:\n\n\*\*The guide says\*\* [\s\S]*; \*\*in fact\*\* [\s\S]+)?)"
)
UNSTABLE = re.compile(
    r"127\.0\.0\.1|\[::1\]|localhost:\d+|/tmp/|/home/|/root/|/Users/"
    r"|\b\d+(?:\.\d+)? (?:ms|seconds)\b|\d{4}-\d\d-\d\dT\d\d:\d\d"
)

Cell = Mapping[str, Any]
every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def cells(path: Path) -> tuple[Cell, ...]:
    """Return the cells as they stand in the file, with their source as one text."""
    loaded = json.loads(path.read_text("utf-8"))["cells"]
    return tuple({**cell, "source": "".join(cell["source"])} for cell in loaded)


def of_kind(path: Path, kind: str) -> list[Cell]:
    """Return the cells of one kind."""
    return [cell for cell in cells(path) if cell["cell_type"] == kind]


def step_cells(path: Path) -> Iterator[tuple[Cell, Cell]]:
    """Yield each step's text cell and code cell."""
    found = cells(path)
    for text, code in pairwise(found):
        if code["cell_type"] == "code" and step_call(code["source"]):
            yield text, code


def step_call(source: str) -> ast.Call | None:
    """Return the `Step(…)` of a cell `run(Step(…))` or `name = run(Step(…))`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run":
            step = node.args[0]
            assert isinstance(step, ast.Call)
            return step
    return None


def possible_ids(step: ast.Call) -> set[str]:
    """Return the step ids a call may have: its class, and its class with a key."""
    assert isinstance(step.func, ast.Name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", step.func.id).lower()
    values = [k.value for k in step.keywords if isinstance(k.value, ast.Constant)]
    return {name} | {f"{name}:{value.value!s}" for value in values}


def test_there_are_notebooks() -> None:
    """Without this, every rule below would hold for nothing."""
    assert NOTEBOOKS


@every
def test_file_is_canonical(path: Path) -> None:
    """Saving the notebook again changes no byte, so a diff shows only what changed."""
    text = path.read_text("utf-8")
    loaded = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(loaded)
    saved = nbformat.writes(loaded)  # type: ignore[no-untyped-call]
    assert text == saved + "\n"


@every
def test_metadata_is_on_the_list(path: Path) -> None:
    """No tool leaves its traces: kernel, language and tags are all there is."""
    metadata = json.loads(path.read_text("utf-8"))["metadata"]
    assert metadata == {
        "kernelspec": {"display_name": "Python 3", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in cells(path):
        assert set(cell["metadata"]) <= CELL_METADATA, cell["id"]


@every
def test_parts_come_in_order(path: Path) -> None:
    """The seven parts stand in one order; a notebook of an option has them all."""
    ids = [cell["id"] for cell in cells(path)]
    found = [i.removeprefix("part-") for i in ids if i.startswith("part-")]
    needed = PARTS if path.stem[0] in "1234" else ALWAYS
    assert found == [part for part in PARTS if part in found]
    assert set(needed) <= set(found)


@every
def test_first_cell_says_what_it_is_and_links_the_guide(path: Path) -> None:
    """A reader sees the title and the guide before any code."""
    first = cells(path)[0]
    assert first["id"] == "part-scope"
    assert first["source"].startswith("# ")
    assert GUIDE["article"] in first["source"]


@every
def test_markdown_share(path: Path) -> None:
    """At least two cells in five are text."""
    assert len(of_kind(path, "markdown")) >= 0.4 * len(cells(path))


@every
def test_cell_ids_are_names(path: Path) -> None:
    """Each id is a readable name, used once, so that links to cells stay good."""
    ids = [cell["id"] for cell in cells(path)]
    assert len(ids) == len(set(ids))
    assert [i for i in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i)] == []
    assert [i for i in ids if re.fullmatch(r"[0-9a-f]{8}", i)] == []


@every
def test_every_code_cell_is_explained(path: Path) -> None:
    """The cell before a code cell is its text."""
    found = cells(path)
    for before, cell in pairwise(found):
        if cell["cell_type"] == "code":
            assert before["id"] in {f"about-{cell['id']}", f"part-{cell['id']}"}


@every
def test_code_cells_are_short_and_plain(path: Path) -> None:
    """Three lines at most, and no loop, condition or function to read."""
    plain = (ast.Assign, ast.AnnAssign, ast.Expr, ast.ImportFrom)
    for cell in of_kind(path, "code"):
        body = ast.parse(cell["source"]).body
        assert all(isinstance(statement, plain) for statement in body), cell["id"]
        if cell["id"] not in LONGER:
            assert len(cell["source"].splitlines()) <= 3, cell["id"]


@every
def test_imports_stand_in_the_first_code_cell(path: Path) -> None:
    """What a notebook uses is said once, at the top."""
    first, *others = of_kind(path, "code")
    assert first["id"] == "imports"
    for cell in others:
        kinds = {type(node) for node in ast.walk(ast.parse(cell["source"]))}
        assert not kinds & {ast.Import, ast.ImportFrom}, cell["id"]


@every
def test_names_are_defined_before_use(path: Path) -> None:
    """A misspelt name is found here and not in the middle of an apply."""
    known = set(dir(builtins))
    for cell in of_kind(path, "code"):
        tree = ast.parse(cell["source"])
        for statement in tree.body:
            names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
            used = {n.id for n in names if isinstance(n.ctx, ast.Load)}
            assert used <= known, (cell["id"], used - known)
            known |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
            if isinstance(statement, ast.ImportFrom):
                known |= {alias.asname or alias.name for alias in statement.names}


@every
def test_parameters_are_texts_with_help(path: Path) -> None:
    """Papermill finds them by the tag, a reader by the comment; all are strings."""
    tagged = [c for c in cells(path) if "parameters" in c["metadata"].get("tags", [])]
    assert [cell["id"] for cell in tagged] == ["parameters"]
    for line in tagged[0]["source"].splitlines():
        assert PARAMETER.fullmatch(line), line


@every
def test_one_step_per_code_cell(path: Path) -> None:
    """A step is one line, and its cell carries the step's id."""
    for _, code in step_cells(path):
        (statement,) = ast.parse(code["source"]).body
        assert statement.lineno == statement.end_lineno, code["id"]
        assert code["source"].count("run(") == 1, code["id"]
        step = step_call(code["source"])
        assert step is not None
        assert code["id"] in {i.replace(":", "-") for i in possible_ids(step)}


@every
def test_step_cells_cannot_be_deleted_by_a_key(path: Path) -> None:
    """Pressing `d d` on a panel's button must not delete its cell in JupyterLab."""
    for _, code in step_cells(path):
        assert code["metadata"]["deletable"] is False, code["id"]
        assert code["metadata"]["editable"] is False, code["id"]


@every
def test_step_texts_have_their_form(path: Path) -> None:
    """Title, why, table, when it passes, the remedy, the guide, and its error."""
    anchors = {heading["anchor"] for heading in GUIDE["headings"]}
    for text, _ in step_cells(path):
        match = STEP_TEXT.fullmatch(text["source"])
        assert match, text["id"]
        article, _, anchor = match["guide"].partition("#")
        assert (article, anchor in anchors) == (GUIDE["article"], True), text["id"]


@every
def test_steps_are_those_of_the_catalogue(path: Path) -> None:
    """Notebook and catalogue have the same steps in the same order."""
    ids = [entry.id.replace(":", "-") for entry in RUNBOOKS[path.stem].listed]
    assert [code["id"] for _, code in step_cells(path)] == ids


def listed_cells(path: Path) -> Iterator[tuple[Listed, re.Match[str], ast.Call]]:
    """Yield the catalogue's entry, the text and the call of each step."""
    for entry, (text, code) in zip(
        RUNBOOKS[path.stem].listed, step_cells(path), strict=True
    ):
        match, call = STEP_TEXT.fullmatch(text["source"]), step_call(code["source"])
        assert match
        assert call
        yield entry, match, call


@every
def test_step_texts_say_what_the_step_says(path: Path) -> None:
    """Heading, remedy and guide anchor are those of the class."""
    titles = {step["step"]: step["title"] for step in RUNBOOKS[path.stem].steps()}
    for entry, match, _ in listed_cells(path):
        assert match["title"] == titles[entry.id]
        assert match["remedy"] == entry.id
        assert match["guide"].partition("#")[2] == entry.step.guide


@every
def test_calls_fit_the_step(path: Path) -> None:
    """Each call gives every input that has no default, by its name."""
    for entry, _, call in listed_cells(path):
        assert isinstance(call.func, ast.Name)
        assert call.func.id == entry.step.__name__
        given = {keyword.arg for keyword in call.keywords}
        inputs = dataclasses.fields(entry.step)
        needed = {f.name for f in inputs if f.default is dataclasses.MISSING}
        assert needed <= given <= {f.name for f in inputs}, entry.id


@every
def test_outputs_are_all_or_none(path: Path) -> None:
    """A committed notebook was run from top to bottom, or not at all."""
    counts = [cell["execution_count"] for cell in of_kind(path, "code")]
    assert counts in (list(range(1, len(counts) + 1)), [None] * len(counts))


@every
def test_outputs_hold_nothing_that_changes(path: Path) -> None:
    """No address, path, duration or stack trace, so a new run gives the same bytes."""
    for cell in of_kind(path, "code"):
        assert not UNSTABLE.search(json.dumps(cell["outputs"])), cell["id"]
        assert "error" not in {output["output_type"] for output in cell["outputs"]}

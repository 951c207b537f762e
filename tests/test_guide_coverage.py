"""Every instruction, prerequisite, limitation and link of the guide has a row."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from runbook_lib.steps.catalogue import RUNBOOKS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "guide-coverage.md"
GUIDE = json.loads((ROOT / "tests/data/guide-anchors.json").read_text("utf-8"))
PLANNED = re.compile(r"planned: (?P<topic>[^`;|]*\w[^`;|]*)")


@dataclass(frozen=True)
class Row:
    """One row of the table: its columns, and the anchor of the guide's heading."""

    id: str
    anchor: str
    says: str
    covered: str
    remark: str

    def named(self) -> list[str]:
        """Return the steps, cells and tests that the row names."""
        return re.findall(r"`([^`]+)`", self.covered)

    def tests(self) -> list[str]:
        """Return the test files of the row."""
        return [name for name in self.named() if name.startswith("tests/")]

    def cells(self) -> list[str]:
        """Return the cells of the row, as `notebook#cell`."""
        return [name for name in self.named() if "#" in name]

    def steps(self) -> list[str]:
        """Return the step ids of the row."""
        others = {*self.tests(), *self.cells()}
        return [name for name in self.named() if name not in others]


@cache
def rows() -> tuple[Row, ...]:
    """Read the table; a heading's reference is resolved to the guide's anchor."""
    text = PAGE.read_text("utf-8")
    links = dict(re.findall(r"^\[(g\d\d)\]: (\S+)$", text, re.MULTILINE))
    found = []
    for line in re.findall(r"^\| G\d.*$", text, re.MULTILINE):
        id_, heading, *others = (column.strip() for column in line.split("|")[1:-1])
        match = re.fullmatch(r"\[.+\]\[(g\d\d)\]", heading)
        assert match, line
        article, _, anchor = links[match[1]].partition("#")
        assert article == GUIDE["article"]
        found.append(Row(id_, anchor, *others))
    return tuple(found)


@cache
def known_cells() -> dict[str, frozenset[str]]:
    """Return the cell ids of each notebook, by its name."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        loaded = json.loads(path.read_text("utf-8"))["cells"]
        found[path.stem] = frozenset(cell["id"] for cell in loaded)
    return found


def known_steps() -> set[str]:
    """Return the ids of all steps of all runbooks."""
    return {entry.id for runbook in RUNBOOKS.values() for entry in runbook.listed}


def test_rows_are_numbered() -> None:
    """Rows are numbered without gap, so that one can be pointed at."""
    assert [row.id for row in rows()] == [
        f"G{n:02d}" for n in range(1, len(rows()) + 1)
    ]


def test_no_row_is_uncovered() -> None:
    """A row names a cell and a test, or what is planned."""
    uncovered = [
        row.id
        for row in rows()
        if not (row.cells() and row.tests()) and not PLANNED.search(row.covered)
    ]
    assert uncovered == []


def test_a_row_without_anything_is_found() -> None:
    """The rule above can fail: `planned` needs a topic, a step needs cell and test."""
    assert not PLANNED.search("planned: ")
    assert not PLANNED.search("`sender-mailbox`")
    row = Row("G00", "overview", "", "`sender-mailbox`, `1-smtp-oauth#imports`", "")
    assert (row.steps(), row.cells(), row.tests()) == (
        ["sender-mailbox"],
        ["1-smtp-oauth#imports"],
        [],
    )


def test_what_is_planned_is_said_in_the_readme() -> None:
    """A row that promises something promises what the README does, and no more."""
    promised = [
        line
        for line in (ROOT / "README.md").read_text("utf-8").splitlines()
        if re.search(r"\bplanned:", line, re.IGNORECASE)
    ]
    assert promised
    topics = {m["topic"].strip() for r in rows() for m in PLANNED.finditer(r.covered)}
    assert [t for t in topics if not any(t in line for line in promised)] == []


def test_steps_exist() -> None:
    """Each step that a row names stands in a catalogue."""
    named = {step for row in rows() for step in row.steps()}
    assert named
    assert named <= known_steps()


def test_every_step_serves_the_guide() -> None:
    """Each step of a runbook is named by at least one row."""
    named = {step for row in rows() for step in row.steps()}
    assert known_steps() - named == set()


def test_cells_exist() -> None:
    """Each cell that a row names stands in its notebook."""
    for row in rows():
        for name in row.cells():
            notebook, _, cell = name.partition("#")
            assert cell in known_cells()[notebook], (row.id, name)


def test_steps_stand_with_their_cells() -> None:
    """A row that names a step names the step's cell too."""
    for row in rows():
        cells = {name.partition("#")[2] for name in row.cells()}
        assert {step.replace(":", "-") for step in row.steps()} <= cells, row.id


def test_test_files_exist() -> None:
    """Each test that a row names is a file."""
    missing = [t for row in rows() for t in row.tests() if not (ROOT / t).is_file()]
    assert missing == []


@pytest.mark.parametrize("heading", GUIDE["headings"], ids=lambda h: str(h["anchor"]))
def test_heading_has_its_rows(heading: dict[str, object]) -> None:
    """A heading has at least as many rows as the guide has items under it."""
    count = Counter(row.anchor for row in rows())[str(heading["anchor"])]
    assert count >= int(str(heading["items"]))


def test_no_row_has_an_unknown_heading() -> None:
    """A row's heading is one of the guide's."""
    anchors = {heading["anchor"] for heading in GUIDE["headings"]}
    assert {row.anchor for row in rows()} <= anchors


@pytest.mark.parametrize("link", GUIDE["links"])
def test_link_has_a_row(link: str) -> None:
    """A link of the guide stands in some row, whole."""
    targets = [f"({link})", f"`{link}`"]
    assert any(target in row.says for row in rows() for target in targets)

"""Every step and every remedy has its section of the troubleshooting page."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from runbook_lib.engine.remedies import REMEDIES
from runbook_lib.engine.runbook import Listed, Runbook
from runbook_lib.steps.catalogue import RUNBOOKS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
FORM = ("Meaning", "Impact", "Diagnosis", "Mitigation")
ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
SECTION = re.compile(
    r'((?:<a id="[^"]+"></a>)+)\n## ([^\n]+)\n(.*?)(?=\n<a id=|\n---\n|\Z)', re.DOTALL
)
REMEDY_ID = re.compile(r"[a-z][a-z0-9]*(-([a-z0-9]+|\*))*(:([a-z]+|\*))?")
STEPS = [entry for runbook in RUNBOOKS.values() for entry in runbook.listed]


@dataclass(frozen=True)
class Section:
    """A section of the troubleshooting page."""

    title: str
    text: str


@cache
def sections() -> dict[str, Section]:
    """Return the sections of the troubleshooting page by anchor."""
    return {
        anchor: Section(title, text)
        for marks, title, text in SECTION.findall(PAGE.read_text("utf-8"))
        for anchor in ANCHOR.findall(marks)
    }


@pytest.mark.parametrize("anchor", sorted(sections()))
def test_section_has_its_four_parts(anchor: str) -> None:
    """Each section says meaning, impact, diagnosis and mitigation, in this order."""
    pattern = "".join(rf"\s*\*\*{name}\.\*\* (?P<{name}>.+?)" for name in FORM)
    text = sections()[anchor].text
    match = re.fullmatch(pattern + r"\s*", text, re.DOTALL)
    assert match, anchor
    assert all(match[name].strip() for name in FORM)
    assert text.count(".** ") == len(FORM)


def test_every_anchor_is_a_section() -> None:
    """No anchor of the page stands outside the form that the tests read."""
    assert set(ANCHOR.findall(PAGE.read_text("utf-8"))) == set(sections())


@pytest.mark.parametrize("runbook", RUNBOOKS.values(), ids=lambda r: str(r.name))
def test_steps_have_their_sections(runbook: Runbook) -> None:
    """A step has a section under its id, with its title."""
    for step in runbook.steps():
        assert sections()[str(step["step"])].title == step["title"]


@pytest.mark.parametrize("entry", STEPS, ids=lambda entry: entry.id)
def test_remedies_of_a_step_have_sections(entry: Listed) -> None:
    """Whatever a step's table of remedies leads to, the page has it."""
    assert set(entry.step.remedies.values()) <= set(sections())


def remedies_in_code() -> Iterator[tuple[str, str]]:
    """Yield file and remedy id, as a pattern, for each that the code names.

    A remedy id is given as `remedy_id="…"`, or stands as a value of a table
    whose name contains "remed".
    """
    for path in sorted((ROOT / "runbook_lib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for pattern in remedy_patterns(node):
                if REMEDY_ID.fullmatch(pattern):
                    yield path.name, pattern


def remedy_patterns(node: ast.AST) -> list[str]:
    """Return the texts that one syntax node gives as remedy ids."""
    if isinstance(node, ast.keyword) and node.arg == "remedy_id":
        return patterns([node.value])
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
        node.value, ast.Dict
    ):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [
            target.id.lower() for target in targets if isinstance(target, ast.Name)
        ]
        if any("remed" in name for name in names):
            return patterns(node.value.values)
    return []


def patterns(nodes: list[ast.expr]) -> list[str]:
    """Return the texts among the nodes; a value put into one becomes `*`."""
    found = []
    for node in nodes:
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        texts = [getattr(part, "value", None) for part in parts]
        if isinstance(node, ast.JoinedStr) or isinstance(texts[0], str):
            found.append("".join(t if isinstance(t, str) else "*" for t in texts))
    return found


def test_remedy_ids_are_found_in_code() -> None:
    """The search above finds all forms, and leaves sentences alone."""
    source = (
        'f(remedy_id="a-b")\nf(remedy_id=f"a-{x}")\nf(remedy_id=step.id)\n'
        'REMEDIES: X = {"1": "c", "2": "Do it.", "3": d}\n'
    )
    found = [p for node in ast.walk(ast.parse(source)) for p in remedy_patterns(node)]
    assert sorted(p for p in found if REMEDY_ID.fullmatch(p)) == ["a-*", "a-b", "c"]


def test_remedies_of_the_code_have_sections() -> None:
    """Whatever remedy a card names, the page has it."""
    found = list(remedies_in_code())
    assert found
    assert [pair for pair in found if not fnmatch.filter(sections(), pair[1])] == []


def test_every_section_has_its_sentence() -> None:
    """What a step ends with is a remedy in words, not only a link."""
    known = {name for name in sections() if not name.startswith("send-test-message-")}
    elsewhere = {"record-broken", "refused-target", "tenant-file"}
    assert set(REMEDIES) == known - elsewhere

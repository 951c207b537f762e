"""The documents hold together: links, anchors and assumptions."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from runbook_lib.engine.attestations import EvidenceFile
from runbook_lib.sandbox.behaviours import known_rows
from runbook_lib.tenant import Tenant

ROOT = Path(__file__).resolve().parents[1]
GUIDE = json.loads((ROOT / "tests/data/guide-anchors.json").read_text("utf-8"))
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
INLINE = re.compile(r"\]\(([^()\s]+)\)")
DEFINED = re.compile(r"^\[([^\]]+)\]: (\S+)$", re.MULTILINE)
REFERRED = re.compile(r"\]\[([^\]]+)\]")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|tmp|home|root|Users)/\S+")


def documents() -> list[Path]:
    """Return every page and notebook that a reader may open."""
    pages = [ROOT / "README.md", ROOT / "outputs" / "README.md"]
    return [
        *pages,
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "notebooks").glob("*.ipynb")),
    ]


@cache
def prose(path: Path) -> str:
    """Return a document's Markdown without its code."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        text = "\n\n".join(texts)
    return CODE.sub("", FENCE.sub("", text))


def links(path: Path) -> list[str]:
    """Return the targets of a document's links."""
    text = prose(path)
    return INLINE.findall(text) + [target for _, target in DEFINED.findall(text)]


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return what a link into a document may point at."""
    text = FENCE.sub("", path.read_text("utf-8"))
    headings = {slug(heading) for heading in HEADING.findall(text)}
    return frozenset(headings | set(ANCHOR.findall(text)))


def slug(heading: str) -> str:
    """Return the anchor that a heading gets when Markdown is shown on the web."""
    words = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower())
    return words.replace(" ", "-")


every = pytest.mark.parametrize(
    "path", documents(), ids=lambda path: str(path.relative_to(ROOT))
)


@every
def test_relative_links_resolve(path: Path) -> None:
    """Every link to a file or an anchor of this project leads somewhere."""
    for link in links(path):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


@every
def test_links_to_the_guide_name_its_headings(path: Path) -> None:
    """A link into the guide uses an anchor that the guide has."""
    known = {heading["anchor"] for heading in GUIDE["headings"]}
    for link in links(path):
        article, _, anchor = link.partition("#")
        if article == GUIDE["article"] and anchor:
            assert anchor in known, link


@every
def test_references_are_defined(path: Path) -> None:
    """A link by reference has its definition on the same page."""
    text = prose(path)
    assert set(REFERRED.findall(text)) <= {name for name, _ in DEFINED.findall(text)}


@every
def test_no_machine_path(path: Path) -> None:
    """No document names a folder of the machine that it was written on."""
    assert MACHINE_PATH.findall(path.read_text("utf-8")) == []


@every
def test_document_is_not_empty(path: Path) -> None:
    """A document has a title and says something."""
    assert HEADING.search(prose(path))
    assert len(prose(path).split()) > 50


def test_readme_is_short() -> None:
    """A newcomer reads the README to its end."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_anchors_are_unique() -> None:
    """An explicit anchor stands once on its page."""
    for path in documents():
        found = ANCHOR.findall(path.read_text("utf-8"))
        assert len(found) == len(set(found)), path.name


def assumptions() -> list[list[str]]:
    """Return the rows of the assumptions page, by column."""
    page = (ROOT / "docs" / "assumptions.md").read_text("utf-8")
    lines = re.findall(r"^\| <a id=.*\|$", page, re.MULTILINE)
    return [[column.strip() for column in line.split("|")[1:-1]] for line in lines]


def test_assumptions_are_numbered_and_whole() -> None:
    """Each has its number, none is missing, and each says how to confirm it."""
    ids = sorted(row[0] for row in assumptions())
    numbers = range(1, len(ids) + 1)
    assert ids == [f'<a id="a{n:02d}"></a>A{n:02d}' for n in numbers]
    assert all(len(row) == 5 and all(row) for row in assumptions())


def test_uncertain_behaviours_are_assumptions() -> None:
    """What the sandbox does without a source is numbered, and nothing else is named."""
    named = {
        n
        for row in assumptions()
        for n in re.findall(r"`([a-z]+\.[a-z0-9-]+)`", row[3])
    }
    assert {row.id for row in known_rows().values() if row.uncertain} == named


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Return the keys of a model as its file writes them, nested ones dotted."""
    found = set()
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        found.add(key)
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= keys(kind, f"{key}.")
    return found


def examples() -> list[object]:
    """Return the YAML examples of the tenant file's page, read."""
    page = (ROOT / "docs" / "tenant-file.md").read_text("utf-8")
    return [
        yaml.safe_load(text)
        for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    ]


def test_every_key_of_the_tenant_file_is_explained() -> None:
    """The page's table has exactly the keys of the model."""
    page = (ROOT / "docs" / "tenant-file.md").read_text("utf-8")
    table = page.partition("## ")[0]
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", table, re.MULTILINE)) == keys(Tenant)


def test_examples_are_valid() -> None:
    """The examples of tenant file and evidence are read without complaint."""
    tenant, evidence, side = examples()
    assert isinstance(tenant, dict)
    assert isinstance(side, dict)
    found = Tenant.model_validate({**tenant, **side})
    assert found.target == "real"
    assert set(found.sap.places()) == {"sapcontrol", "btp"}
    assert EvidenceFile.model_validate(evidence).files == ("snote.png",)

"""Where a notebook is found, and what its parameters cell declares."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))

CELL = 'tenant: str = ""  # path of the tenant file\nmode: str = "plan"  # mode\n'


def notebook(folder: Path, name: str, *cells: tuple[str, list[str] | None]) -> Path:
    """Write a notebook of code cells with their tags, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        {
            "cell_type": "code",
            "source": source.splitlines(keepends=True),
            "metadata": {} if tags is None else {"tags": tags},
        }
        for source, tags in cells
    ]
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": made}))
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_notebooks_are_found_from_anywhere(here: Path, name: str) -> None:
    """Without a notebooks folder of one's own, the package's are taken."""
    found = find_notebook(name)
    assert found.name == name
    assert found.path.read_bytes() == (ROOT / f"notebooks/{name}.ipynb").read_bytes()
    assert {"tenant", "mode", "run_id"} <= set(found.declared)


def test_there_are_shipped_notebooks() -> None:
    """Without this, the test above would hold for nothing."""
    assert "1-smtp-oauth" in SHIPPED


@pytest.mark.parametrize("name", ["mine", "mine.ipynb", "notebooks/mine.ipynb"])
def test_ones_own_folder_comes_first(here: Path, name: str) -> None:
    """By name, with or without its ending."""
    path = notebook(here / "notebooks", "mine", (CELL, ["parameters"]))
    found = find_notebook(name)
    assert found.path.resolve() == path
    assert found.declared == {"tenant": "", "mode": "plan"}


def test_ones_own_copy_of_a_shipped_notebook_is_taken(here: Path) -> None:
    """A team that changed a notebook runs its own."""
    notebook(here / "notebooks", SHIPPED[0], (CELL, ["parameters"]))
    assert set(find_notebook(SHIPPED[0]).declared) == {"tenant", "mode"}


def test_the_digest_is_that_of_the_file(here: Path) -> None:
    """It stands in the record: which notebook was run."""
    path = notebook(here / "notebooks", "mine", (CELL, ["parameters"]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert find_notebook("mine").sha256 == digest


def test_only_the_tagged_cell_declares(here: Path) -> None:
    """Assignments of other cells are no parameters."""
    notebook(
        here / "notebooks",
        "mine",
        ('other = "x"', None),
        (CELL, ["parameters"]),
        ('later = "y"', ["injected-parameters"]),
    )
    assert set(find_notebook("mine").declared) == {"tenant", "mode"}


def test_no_such_notebook(here: Path) -> None:
    """Named, with where to look; exit code 2."""
    with pytest.raises(InputError, match="no notebook 'nothing'") as caught:
        find_notebook("nothing")
    assert caught.value.remedy
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("tags", [None, [], ["other"]])
def test_a_notebook_without_a_parameters_cell(
    here: Path, tags: list[str] | None
) -> None:
    """It cannot be run: nothing could be given to it."""
    notebook(here / "notebooks", "mine", (CELL, tags))
    with pytest.raises(InputError, match="no cell with the tag parameters"):
        find_notebook("mine")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "notebooks/../../x"])
def test_only_the_name_counts(here: Path, name: str) -> None:
    """A path does not lead out of the folders."""
    notebook(here.parent, "secret", (CELL, ["parameters"]))
    with pytest.raises(InputError):
        find_notebook(name)

"""The committed outputs are what the notebooks give today."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.committed_notebooks import NOTEBOOKS, main, seeded

pytestmark = pytest.mark.ci


def test_running_them_again_gives_no_difference() -> None:
    """`make notebooks` would store what is stored already."""
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    "name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
)
def test_nbval_accepts_them(name: str, tmp_path: Path) -> None:
    """An independent runner compares each cell's outputs with the stored ones."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "sandbox").mkdir()
    copy = Path(shutil.copy(NOTEBOOKS / name, tmp_path / "notebooks"))
    command = [sys.executable, "-m", "pytest", "--nbval", str(copy), "-q"]
    with seeded(tmp_path / "sandbox"):
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", "-c", "/dev/null"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout

"""Run the committed notebooks again, in plan mode, against the seeded sandbox.

`python -m tests.committed_notebooks` stores the outputs; with `--check` nothing
is written, and a notebook that differs is named.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbclient import NotebookClient

from runbook_lib.cli.sandboxed import sandbox
from runbook_lib.opening import CLOSER, DEFAULT_TENANT

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SEED = "1"


@contextmanager
def seeded(folder: Path) -> Iterator[None]:
    """Run a seeded sandbox, and let kernels find its tenant file."""
    with sandbox(folder, "--seed", SEED) as ready:
        tenant = ready["tenants"][0]["tenant_file"]
        with mock.patch.dict(os.environ, {DEFAULT_TENANT: tenant, CLOSER: "any"}):
            yield


def executed(source: Path) -> str:
    """Return a notebook's text after a run in a folder of its own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        notebooks = folder / "notebooks"
        notebooks.mkdir()
        shutil.copy(source, notebooks)
        notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
        (folder / "sandbox").mkdir()
        with seeded(folder / "sandbox"):
            NotebookClient(
                notebook,
                timeout=120,
                record_timing=False,
                resources={"metadata": {"path": str(notebooks)}},
            ).execute()
    return written(notebook)


def written(notebook: Any) -> str:
    """Return a notebook as it is committed: kernel version left out."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def main(arguments: list[str]) -> int:
    """Store or check all notebooks; return 1 if one differs under `--check`."""
    different = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        text = executed(path)
        if text != path.read_text("utf-8"):
            different.append(path.name)
            if "--check" not in arguments:
                path.write_text(text, "utf-8")
    for name in different:
        print(f"{name}: {'differs' if '--check' in arguments else 'stored'}")
    return 1 if different and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m tests.benchmarks.bare REPORT OUTPUTS TENANT…`: the steps, nothing else.

Runs the notebook's code cells for each tenant in this process, without shell,
cards and closing, after a first tenant that only warms it. REPORT gets the
processor seconds of the others.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from runbook_lib.batch.cells import read_cells, sources, with_parameters
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.opening import CLOSER
from runbook_lib.running import Run

NOTEBOOK = "1-smtp-oauth"


def run_steps(values: Mapping[str, str]) -> None:
    """Run the steps for one tenant; the record stays open."""
    notebook = with_parameters(read_cells(find_notebook(NOTEBOOK).path), values)
    namespace: dict[str, object] = {}
    done: list[str] = []
    with (
        mock.patch("runbook_lib.views.frontend.executed_cells", return_value=done),
        mock.patch("runbook_lib.views.frontend.show_html"),
        mock.patch("runbook_lib.running.show"),
    ):
        for cell in filter(None, sources(notebook)):
            done.append(cell)
            exec(cell, namespace)  # noqa: S102 - the notebook's own cells
    run = namespace["run"]
    assert isinstance(run, Run)
    run.close()


def main(report: str, outputs: str, *tenants: str) -> None:
    """Run the steps for each tenant, and for the first once more before."""
    os.environ[CLOSER] = "any"
    run_steps({"tenant": tenants[0], "outputs": outputs})
    begun = time.process_time()
    for tenant in tenants:
        run_steps({"tenant": tenant, "outputs": outputs})
    cpu = time.process_time() - begun
    Path(report).write_text(json.dumps({"cpu": cpu}), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

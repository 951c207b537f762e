"""The ways of running one notebook for many tenants that are compared."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from runbook_lib.cli.notebooks import find_notebook
from tests.benchmarks.measuring import Cost, measured

NOTEBOOK = "1-smtp-oauth"

LOOP = """
import sys
from papermill import execute_notebook
source, outputs, *tenants = sys.argv[1:]
for number, tenant in enumerate(tenants):
    given = {"tenant": tenant, "outputs": outputs}
    target = f"{outputs}/{number}.ipynb"
    execute_notebook(source, target, parameters=given, progress_bar=False)
"""

POOL = """
import sys
from concurrent.futures import ProcessPoolExecutor
from papermill import execute_notebook
source, outputs, *tenants = sys.argv[1:]
def one(numbered):
    number, tenant = numbered
    given = {"tenant": tenant, "outputs": outputs}
    target = f"{outputs}/{number}.ipynb"
    execute_notebook(source, target, parameters=given, progress_bar=False)
with ProcessPoolExecutor(8) as pool:
    list(pool.map(one, enumerate(tenants)))
"""

Contender = Callable[[Sequence[Path], Path], Cost]


def ours(tenants: Sequence[Path], folder: Path) -> Cost:
    """`runbook batch`, all tenants at once: open, run and close each record."""
    command = [sys.executable, "-m", "runbook_lib.cli", "batch", NOTEBOOK, "--json"]
    return measured([*command, "--outputs", folder, "--tenants", *tenants])


def papermill_command(tenants: Sequence[Path], folder: Path) -> Cost:
    """(a) the papermill command, one process for each tenant, one after the other."""
    costs = [_papermill(tenant, folder, place) for place, tenant in enumerate(tenants)]
    return Cost(
        sum(cost.cpu for cost in costs),
        sum(cost.wall for cost in costs),
        max(cost.memory for cost in costs),
    )


def papermill_loop(tenants: Sequence[Path], folder: Path) -> Cost:
    """(b) papermill.execute_notebook in a loop, in one process."""
    return _script(LOOP, tenants, folder)


def papermill_pool(tenants: Sequence[Path], folder: Path) -> Cost:
    """(c) papermill.execute_notebook in a pool of eight processes."""
    return _script(POOL, tenants, folder)


def steps_alone(tenants: Sequence[Path], folder: Path) -> Cost:
    """W: the steps in a warm bare process, without notebook; imports not counted.

    `cpu` is for all tenants given; `wall` and `memory` are not measured.
    """
    report = folder / "steps.json"
    module = [sys.executable, "-m", "tests.benchmarks.bare"]
    measured([*module, report, folder, *tenants])
    return Cost(float(json.loads(report.read_text())["cpu"]), 0.0, 0.0)


def _papermill(tenant: Path, folder: Path, place: int) -> Cost:
    source = find_notebook(NOTEBOOK).path
    return measured(
        [
            *(sys.executable, "-m", "papermill", source, folder / f"{place}.ipynb"),
            *("--no-progress-bar", "-p", "tenant", tenant, "-p", "outputs", folder),
        ]
    )


def _script(script: str, tenants: Sequence[Path], folder: Path) -> Cost:
    source = find_notebook(NOTEBOOK).path.absolute()
    return measured([sys.executable, "-c", script, source, folder, *tenants])

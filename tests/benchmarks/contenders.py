"""The ways of running one notebook for many tenants that are compared."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from runbook_lib.cli.notebooks import find_notebook
from tests.benchmarks.measuring import BrokenOff, Cost, measured

NOTEBOOK = "1-smtp-oauth"
PLANNED = 4  # the exit code of a plan that would change something
TRIES = 3

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
    command += ["--outputs", str(folder), "--tenants", *map(str, tenants)]
    return measured(command, exit_code=PLANNED)


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
    """(c) papermill.execute_notebook in a pool of eight processes.

    Where one of the kernels that start at once does not come up, the pool ends
    early: such a run is no measurement, and is begun again.
    """
    for _ in range(TRIES - 1):
        with suppress(BrokenOff):
            return _script(POOL, tenants, folder)
    return _script(POOL, tenants, folder)


def cpu_at(number: int, way: Contender, tenants: Sequence[Path]) -> float:
    """Return the processor seconds per tenant of so many, measured with five.

    A driver's start is spread over its tenants: what one tenant and what four
    cost tells the start from what each further tenant costs.
    """
    one, four = (_cpu(way, part) for part in (tenants[:1], tenants[1:5]))
    each = (four - one) / 3
    return (one + (number - 1) * each) / number


def _cpu(way: Contender, tenants: Sequence[Path]) -> float:
    with TemporaryDirectory() as folder:
        return way(tenants, Path(folder)).cpu


@dataclass(frozen=True)
class Overhead:
    """Processor seconds per tenant at 50 tenants, sandbox apart.

    `alone` is W, the steps in a warm bare process; `ours` a batch; `command`
    and `loop` papermill, by its command and by a loop in one process.
    """

    alone: float
    ours: float
    command: float
    loop: float

    def without_steps(self, cost: float) -> float:
        """Return how many times ours something costs, the steps left out."""
        return (cost - self.alone) / (self.ours - self.alone)


def overhead(tenants: Sequence[Path], rounds: int = 3) -> Overhead:
    """Measure all four, in turns, so that a busy machine slows all of them."""
    fifty, costs = tenants[:50], []
    for _ in range(rounds):
        alone, mine = (_cpu(w, fifty) / len(fifty) for w in (steps_alone, ours))
        command = _cpu(papermill_command, tenants[:2]) / 2
        costs.append((alone, mine, command, cpu_at(50, papermill_loop, tenants)))
    return Overhead(*map(statistics.median, zip(*costs, strict=True)))


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

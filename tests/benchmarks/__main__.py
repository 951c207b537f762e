"""`make bench`: what a batch costs, against papermill; written to docs/performance.md.

Each figure is the median of three. Without options ours is measured with up to
50 tenants, the contenders with few, and then with a delay; `--long` adds 200 tenants
to ours, `--full` measures the contenders once with up to 50, `--all` with as many as
ours (an hour), `--short` leaves the delay out. The sandbox is a process apart and is
not counted.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import contenders
from tests.benchmarks.contenders import Contender
from tests.benchmarks.measuring import Cost
from tests.benchmarks.relay import delayed
from tests.integration.world import running

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- batch -->", "<!-- /batch -->"
NUMBERS = (1, 10, 50)
LONG = (*NUMBERS, 200)
FEW = 3
ROUNDS = 3
LATENCY, MANY = 0.1, 40

WAYS: dict[str, Contender] = {
    "`runbook batch`": contenders.ours,
    "(a) papermill command per tenant": contenders.papermill_command,
    "(b) `execute_notebook` in a loop": contenders.papermill_loop,
    "(c) `execute_notebook` in a pool of 8": contenders.papermill_pool,
}


def measure(way: Contender, tenants: list[Path], rounds: int = ROUNDS) -> Cost:
    """Run a contender some times; return the median of each figure, per tenant."""
    costs = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            costs.append(way(tenants, Path(folder)))
    count = len(tenants)
    return Cost(
        statistics.median(cost.cpu for cost in costs) / count,
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.memory for cost in costs),
    )


def most(options: str) -> int:
    """Return how many tenants the contenders are measured with."""
    limits = {"--all": max(LONG), "--full": max(NUMBERS)}
    return next((most for name, most in limits.items() if name in options), FEW)


def table(tenants: list[Path], numbers: Sequence[int], limit: int) -> Iterable[str]:
    """Yield the lines of the table; contenders have `limit` tenants at the most."""
    yield "| way | tenants | CPU s per tenant | wall s | peak MiB |"
    yield "|---|---|---|---|---|"
    for name, way in WAYS.items():
        own = way is contenders.ours
        fitting = numbers if own else sorted({min(n, limit) for n in numbers})
        for number in fitting:
            rounds = ROUNDS if own or limit == FEW else 1
            cost = measure(way, tenants[:number], rounds)
            figures = f"{cost.cpu:.3f} | {cost.wall:.1f} | {cost.memory:.0f}"
            yield f"| {name} | {number} | {figures} |"


def ratios(tenants: list[Path]) -> Iterable[str]:
    """Yield what the ratios are at 50 tenants, W taken out and not."""
    cost = contenders.overhead(tenants, ROUNDS)
    yield f"W, the steps alone in a warm bare process: {cost.alone:.3f} s per tenant."
    yield f"`runbook batch` at 50 tenants: {cost.ours:.3f} s."
    yield ""
    yield "| against | CPU s per tenant at 50 | total ratio | ratio without W |"
    yield "|---|---|---|---|"
    for name, found in zip(list(WAYS)[1:3], (cost.command, cost.loop), strict=True):
        total, without = found / cost.ours, cost.without_steps(found)
        yield f"| {name} | {found:.3f} | {total:.1f} | {without:.1f} |"


def latency(tenants: list[Path], folder: Path) -> Iterable[str]:
    """Yield what 100 ms more per request do to the wall time of 40 tenants."""
    with delayed(tenants[:MANY], folder, LATENCY) as slow:
        ours = measure(contenders.ours, slow).wall
        pool = measure(contenders.papermill_pool, slow, rounds=1).wall
    yield (
        f"With 100 ms added to everything sent, {MANY} tenants: {ours:.1f} s by "
        f"`runbook batch`, {pool:.1f} s by (c); {pool / ours:.1f} times as long."
    )


def main() -> None:
    """Measure, print, and write the section of the page."""
    options = " ".join(sys.argv[1:])
    given = f' ARGS="{options}"' if options else ""
    short = "--short" in options
    numbers = LONG if "--long" in options else NUMBERS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with running(folder, "--tenants", str(max(numbers))) as world:
            tenants = [Path(t["tenant_file"]) for t in world.ready["tenants"]]
            slow = folder / "slow"
            slow.mkdir()
            lines = [
                f"Measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors, "
                f"Python {platform.python_version()}, `make bench{given}`, mode plan.",
                "",
                *table(tenants, numbers, most(options)),
                "",
                *ratios(tenants),
                "",
                *([] if short else latency(tenants, slow)),
            ]
    print("\n".join(lines))
    write("\n".join(lines))


def write(text: str) -> None:
    """Replace the section of the page between its two marks."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()

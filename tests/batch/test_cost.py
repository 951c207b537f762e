"""What a batch may cost: ratios of what is measured in turns in one session."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks import contenders
from tests.benchmarks.contenders import Contender, Overhead
from tests.benchmarks.relay import delayed
from tests.integration.world import running

pytestmark = pytest.mark.ci


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Return the tenant files of a sandbox with 50 tenants."""
    with running(tmp_path_factory.mktemp("bench"), "--tenants", "50") as world:
        yield [Path(tenant["tenant_file"]) for tenant in world.ready["tenants"]]


def test_overhead_against_papermill(tenants: list[Path]) -> None:
    """What is spent beside the steps: a thirtieth of (a), a fifteenth of (b)."""
    cost = contenders.overhead(tenants, rounds=1)
    if not is_small(cost):
        cost = contenders.overhead(tenants, rounds=3)
    assert is_small(cost), cost


def is_small(cost: Overhead) -> bool:
    """Tell whether what is spent beside the steps is as little as is promised."""
    command, loop = map(cost.without_steps, (cost.command, cost.loop))
    return command >= 30 and loop >= 15


def wall(way: Contender, tenants: list[Path]) -> float:
    """Return the wall time of a contender, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        return way(tenants, Path(folder)).wall


def test_wall_time_with_latency(tenants: list[Path], tmp_path: Path) -> None:
    """Tenants that wait for answers wait together: an eighth of a pool's time."""
    with delayed(tenants[:40], tmp_path, 0.1) as slow:
        pool = wall(contenders.papermill_pool, slow)
        ours = [wall(contenders.ours, slow)]
        if pool / ours[0] < 8:  # something else took the processors meanwhile
            ours += [wall(contenders.ours, slow) for _ in range(2)]
    assert pool / statistics.median(ours) >= 8, (ours, pool)

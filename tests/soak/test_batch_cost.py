"""What a batch may cost, as ratios of processor time measured in one session."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks import contenders
from tests.benchmarks.contenders import Contender
from tests.benchmarks.relay import delayed
from tests.integration.world import running

FEW = 3


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Return the tenant files of a sandbox with 50 tenants."""
    with running(tmp_path_factory.mktemp("bench"), "--tenants", "50") as world:
        yield [Path(tenant["tenant_file"]) for tenant in world.ready["tenants"]]


def cpu(way: Contender, tenants: list[Path]) -> float:
    """Return the processor seconds per tenant."""
    with tempfile.TemporaryDirectory() as folder:
        return way(tenants, Path(folder)).cpu / len(tenants)


def test_overhead_against_papermill(tenants: list[Path]) -> None:
    """What is spent beside the steps: a thirtieth of (a), a fifteenth of (b)."""
    command = cpu(contenders.papermill_command, tenants[:FEW])
    loop = cpu(contenders.papermill_loop, tenants[:FEW])
    pairs = [
        (cpu(contenders.steps_alone, tenants), cpu(contenders.ours, tenants))
        for _ in range(2)
    ]
    alone, ours = min(pairs, key=lambda pair: pair[1] - pair[0])
    assert (command - alone) / (ours - alone) >= 30
    assert (loop - alone) / (ours - alone) >= 15


def test_wall_time_with_latency(tenants: list[Path], tmp_path: Path) -> None:
    """Tenants that wait for answers wait together: an eighth of a pool's time."""
    with delayed(tenants[:40], tmp_path, 0.1) as slow:
        with tempfile.TemporaryDirectory() as folder:
            ours = contenders.ours(slow, Path(folder)).wall
        with tempfile.TemporaryDirectory() as folder:
            pool = contenders.papermill_pool(slow, Path(folder)).wall
    assert pool / ours >= 8

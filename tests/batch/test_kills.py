"""Killed anywhere, resumed: the tenants end as if nothing had happened."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.world import Many, descendants, kill, many
from tests.integration.world import runbook, running

TENANTS = 4
VICTIMS = ("worker", "template", "parent")
UNDISTURBED = 3  # incomplete: nobody attests anything here
KILLS = 10


def undisturbed_dumps(folder: Path) -> list[str]:
    """Return the dumps after an undisturbed batch."""
    with running(folder, "--tenants", str(TENANTS)) as world:
        there = many(world)
        assert there.batch(mode="apply").exit_code == UNDISTURBED
        return there.dumps()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the dumps after an undisturbed batch."""
    return undisturbed_dumps(tmp_path_factory.mktemp("calm"))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Many]:
    """Return a fresh sandbox with some tenants."""
    with running(tmp_path, "--tenants", str(TENANTS)) as world:
        yield many(world)


def strike(batch: subprocess.Popen[bytes], victim: str, after: float) -> bool:
    """Kill the parent, the template or a worker; tell whether it was there."""
    time.sleep(after)
    below = descendants(batch.pid)
    if victim == "parent":
        return batch.poll() is None and kill(batch.pid)
    if victim == "template":
        return bool(below) and kill(below[0])
    workers = below[1:]
    return bool(workers) and kill(random.Random(after).choice(workers))  # noqa: S311


@pytest.mark.ci
@pytest.mark.parametrize("seed", range(KILLS))
def test_resumed_batch_ends_as_an_undisturbed_one(
    there: Many, undisturbed: list[str], seed: int
) -> None:
    """A kill of worker, template or parent shows in the ledger and in nothing else."""
    check_resumed(there, undisturbed, seed)


def check_resumed(there: Many, undisturbed: list[str], seed: int) -> None:
    """Kill something at some time, resume, and compare the tenants."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    victim = VICTIMS[seed % len(VICTIMS)]
    batch = there.start("--workers", "2", mode="apply")
    struck = strike(batch, victim, chance.uniform(0.8, 4.0))
    batch.wait(timeout=120)
    assert batch.stderr is not None
    batch.stderr.close()
    report = there.batch("--resume", mode="apply")
    while report.report and not report.report["finished"]:
        report = there.batch("--resume", mode="apply")
    if not report.report:  # it was killed before there was anything to resume
        report = there.batch(mode="apply")
    assert there.dumps() == undisturbed
    lines = [line["line"] for line in there.ledger()]
    assert lines.count("opened") == lines.count("closed")
    if struck and victim != "worker":
        assert report.exit_code == UNDISTURBED
    if struck and victim == "worker":
        assert "interrupted" in lines
    audit = runbook("audit", there.outputs)
    assert audit.returncode == 0, audit.stdout

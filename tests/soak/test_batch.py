"""A thousand tenants, and fifty kills of worker, template and parent each.

`make soak NAME=test_batch`. For a short trial, `SOAK_TENANTS` and `SOAK_KILLS`
give other numbers; `-s` shows what was measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.batch.strike import VICTIMS
from tests.batch.test_kills import (
    WINDOWS,
    Ended,
    check_resumed,
    undisturbed_batch,
)
from tests.batch.world import many
from tests.integration.world import World, running
from tests.soak.conftest import Counted

TENANTS = int(os.environ.get("SOAK_TENANTS", "1000"))
KILLS = int(os.environ.get("SOAK_KILLS", "50"))
FEW = 50
AT_A_TIME = 4  # disturbed batches mostly wait for replication

PARENT = """
import json, os, resource, sys
from runbook_lib.cli import main
before = len(os.listdir("/proc/self/fd"))
try:
    main(sys.argv[2:], prog_name="runbook", standalone_mode=False)
except SystemExit:
    pass
whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
used = [resource.getrusage(who) for who in whose]
with open("/proc/self/status") as status:  # ru_maxrss has what forked this process
    (peak,) = [line.split()[1] for line in status if line.startswith("VmHWM")]
with open("/proc/self/task/%d/children" % os.getpid()) as children:
    left = len(children.read().split())
opened = len(os.listdir("/proc/self/fd")) - before
with open(sys.argv[1], "w") as report:
    json.dump({"cpu": sum(u.ru_utime + u.ru_stime for u in used),
               "memory": int(peak) / 1024, "processes": left,
               "descriptors": opened}, report)
"""


@dataclass(frozen=True)
class Used:
    """What a batch used: CPU seconds, MiB of the parent, what it left open."""

    cpu: float
    memory: float
    processes: int
    descriptors: int


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a sandbox with a thousand tenants."""
    with running(tmp_path, "--tenants", str(TENANTS)) as found:
        yield found


def used(world: World, first: int, count: int, folder: Path) -> Used:
    """Run a batch of so many tenants in a process that reports on itself."""
    folder.mkdir()
    tenants = world.ready["tenants"][first : first + count]
    files = [f"--tenants={tenant['tenant_file']}" for tenant in tenants]
    arguments = ["batch", "1-smtp-oauth", "--outputs", str(folder / "outputs")]
    command = [sys.executable, "-c", PARENT, str(folder / "report.json"), *arguments]
    subprocess.run(
        [*command, "--json", *files],
        stdout=subprocess.DEVNULL,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return Used(**json.loads((folder / "report.json").read_text("utf-8")))


def test_a_thousand_tenants_cost_what_fifty_do(
    world: World, tmp_path: Path, counted: Counted
) -> None:
    """Per tenant within 15 %; the parent grows by less than 30 MB; nothing is left.

    Fifty are measured before and after, so that a machine whose speed changes
    meanwhile is not taken for a batch that does.
    """
    counted(TENANTS, "none")
    before = used(world, 0, FEW, tmp_path / "before")
    whole = used(world, 0, TENANTS, tmp_path / "whole")
    after = used(world, TENANTS - FEW, FEW, tmp_path / "after")
    print(before, whole, after, sep="\n")
    few = max(before.cpu, after.cpu) / FEW
    assert whole.cpu / TENANTS <= few * 1.15
    assert whole.memory - before.memory < 30
    assert (whole.processes, whole.descriptors) == (0, 0)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Return what an undisturbed batch comes to."""
    return undisturbed_batch(tmp_path_factory.mktemp("calm"))


@pytest.mark.parametrize("victim", VICTIMS)
def test_fifty_kills_of_each_kind(
    tmp_path: Path, undisturbed: Ended, counted: Counted, victim: str
) -> None:
    """After each kill, resuming ends as an undisturbed batch does."""
    first = VICTIMS.index(victim)
    seeds = range(first, first + KILLS * len(VICTIMS), len(VICTIMS))
    counted(KILLS, f"{seeds[0]}…{seeds[-1]}")

    def found_with(seed: int) -> str:
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            with running(folder, "--tenants", "4") as there:
                check_resumed(many(there, windows=WINDOWS), undisturbed, seed)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            print(problem := f"seed {seed}: {error}", flush=True)
            return problem
        return ""

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        assert [found for found in pool.map(found_with, seeds) if found] == []

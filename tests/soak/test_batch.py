"""A thousand tenants, and fifty kills of each kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.batch.test_kills import (
    VICTIMS,
    check_resumed,
    undisturbed_dumps,
)
from tests.batch.world import many
from tests.integration.world import World, running

THOUSAND, FIFTY = 1000, 50

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
with open("/proc/self/task/%d/children" % os.getpid()) as children:
    left = len(children.read().split())
with open(sys.argv[1], "w") as report:
    json.dump({"cpu": sum(u.ru_utime + u.ru_stime for u in used),
               "memory": used[0].ru_maxrss / 1024, "processes": left,
               "descriptors": len(os.listdir("/proc/self/fd")) - before}, report)
"""


@dataclass(frozen=True)
class Used:
    """What a batch used: CPU seconds, MiB of the parent, what it left open."""

    cpu: float
    memory: float
    processes: int
    descriptors: int


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a sandbox with a thousand tenants."""
    folder = tmp_path_factory.mktemp("soak")
    with running(folder, "--tenants", str(THOUSAND)) as found:
        yield found


def used(world: World, count: int, folder: Path) -> Used:
    """Run a batch of so many tenants in a process that reports on itself."""
    import json
    import subprocess

    files = [t["tenant_file"] for t in world.ready["tenants"][:count]]
    arguments = ["batch", "1-smtp-oauth", "--outputs", str(folder / "outputs")]
    command = [sys.executable, "-c", PARENT, str(folder / "report.json"), *arguments]
    subprocess.run(
        [*command, "--json", "--tenants", *files],
        stdout=subprocess.DEVNULL,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return Used(**json.loads((folder / "report.json").read_text("utf-8")))


def test_a_thousand_tenants_cost_what_fifty_do(world: World, tmp_path: Path) -> None:
    """Per tenant within 15 %; the parent grows by less than 30 MB; nothing is left."""
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    few = used(world, 50, tmp_path / "few")
    all_of_them = used(world, THOUSAND, tmp_path / "many")
    assert all_of_them.cpu / THOUSAND <= few.cpu / 50 * 1.15
    assert all_of_them.memory - few.memory < 30
    assert (all_of_them.processes, all_of_them.descriptors) == (0, 0)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the dumps after an undisturbed batch."""
    return undisturbed_dumps(tmp_path_factory.mktemp("calm"))


@pytest.mark.parametrize("seed", range(FIFTY * len(VICTIMS)))
def test_fifty_kills_of_each_kind(
    tmp_path: Path, undisturbed: list[str], seed: int
) -> None:
    """After each one, resuming ends as an undisturbed batch does."""
    with running(tmp_path, "--tenants", "4") as there:
        check_resumed(many(there), undisturbed, seed)

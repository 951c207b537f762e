"""What a batch is asked to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from runbook_lib.batch.cells import Notebook
from runbook_lib.batch.members import Broken, Member
from runbook_lib.parameters import Parameters

# Below this much free memory for each, more tenants at a time are not worth it.
MEMORY_OF_ONE = 40 << 20
MOST_WORKERS = 40


@dataclass(frozen=True)
class Limits:
    """How a batch is paced.

    `workers`: tenants at a time. `canary`: how many go first, alone; the others
    follow only if none of these fails. `stop_after`: after so many failures no
    further tenant begins. `timeout`: seconds for one visit to a tenant.
    """

    workers: int
    canary: int = 0
    stop_after: int | None = None
    timeout: float = 3600.0


@dataclass(frozen=True)
class BatchPlan:
    """A notebook, its parameters, the tenants, and how they are paced.

    `engine` is `direct`, `stock`, or `auto`: direct where the system can.
    """

    name: str
    source: Path
    sha256: str
    notebook: Notebook
    parameters: Parameters
    given: Mapping[str, str]
    members: tuple[Member, ...]
    outputs: Path
    limits: Limits
    broken: tuple[Broken, ...] = ()
    engine: str = "auto"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def wait(self) -> float:
        """Return how many seconds a tenant may wait for replication, in all."""
        return float(self.parameters["wait"] or 0)

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Return the environment variables of all tenants' secrets."""
        return frozenset[str]().union(*(member.variables for member in self.members))

    def values(self, member: Member) -> dict[str, str]:
        """Return what the notebook of a tenant is given.

        It never waits itself: a tenant that waits for replication gives its
        worker back.
        """
        own = {"tenant": str(member.file), "run_id": member.run, "wait": "0"}
        return {**self.given, **{n: v for n, v in own.items() if self._declared(n)}}

    def _declared(self, name: str) -> bool:
        return name in self.parameters.values


def default_workers(members: int, engine: str) -> int:
    """Return how many tenants at a time: many, as far as memory goes.

    Kernels compute more than they wait, so of these there are few.
    """
    if engine == "stock":
        return max(1, min(members, os.cpu_count() or 1))
    return max(1, min(members, MOST_WORKERS, _free_memory() // MEMORY_OF_ONE))


def _free_memory() -> int:
    """Return the bytes that new processes can have; plenty where nobody says."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return MEMORY_OF_ONE * MOST_WORKERS
    sizes = dict(line.split(":", 1) for line in lines)
    return int(sizes["MemAvailable"].split()[0]) << 10

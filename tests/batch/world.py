"""Sandboxes with many tenants, and batches against them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.record import EVENTS
from tests.integration.alike import GUID, alike
from tests.integration.world import World

NOTEBOOK = "1-smtp-oauth"
PATIENCE = 120.0


@dataclass(frozen=True)
class Many:
    """A sandbox with several tenants, and the tenant files that a batch is given."""

    world: World
    tenants: Path

    @property
    def outputs(self) -> Path:
        """Return where records go."""
        return self.world.outputs

    def files(self) -> list[Path]:
        """Return the tenant files."""
        return sorted(self.tenants.glob("*.yaml"))

    def command(
        self, *options: str | Path, mode: str = "plan", notebook: str = NOTEBOOK
    ) -> list[str]:
        """Return the command line of a batch over all tenant files."""
        fixed = ["batch", notebook, "--mode", mode, "--outputs", self.outputs]
        return [*map(str, fixed), *map(str, options), "--tenants", str(self.tenants)]

    def batch(
        self, *options: str | Path, mode: str = "plan", notebook: str = NOTEBOOK
    ) -> Batch:
        """Run a batch to its end."""
        command = self.command("--json", *options, mode=mode, notebook=notebook)
        done = command_line(*command)
        assert "Traceback" not in done.stderr, done.stderr
        found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        return Batch(found, done.returncode, done.stderr)

    def start(
        self, *options: str | Path, mode: str = "plan"
    ) -> subprocess.Popen[bytes]:
        """Start a batch."""
        command = [sys.executable, "-m", "runbook_lib.cli"]
        return subprocess.Popen(
            [*command, *self.command("--json", *options, mode=mode)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def ledger(self) -> list[dict[str, Any]]:
        """Return the lines of the ledger."""
        path = self.outputs / "ledger.ndjson"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    def requests(self) -> int:
        """Count what the sandbox was sent, but for what tests ask."""
        log = Path(self.world.ready["log_file"]).read_bytes()
        return log.count(b"\n") - log.count(b'"/_sandbox/')

    def writes(self) -> dict[str, Counter[str]]:
        """Count what the sandbox was sent to change a tenant, by tenant's name."""
        names = {t["tenant_id"]: t["name"] for t in self.world.ready["tenants"]}
        found = {name: Counter[str]() for name in names.values()}
        for line in Path(self.world.ready["log_file"]).read_text("utf-8").splitlines():
            entry = json.loads(line)
            if entry.get("write"):
                found[names[entry["tenant"]]][_written(entry)] += 1
        return found

    def dumps(self) -> list[bytes]:
        """Return the tenants' configurations."""
        return [
            replace(self.world, ready=self._ready(tenant)).dump()
            for tenant in self.world.ready["tenants"]
        ]

    def ends(self, starts: list[bytes]) -> list[Any]:
        """Return the configurations but for what no two runs have in common.

        `starts` are those from before the batch; each tenant has one run.
        """
        tenants = self.world.ready["tenants"]
        runs = [self._run(tenant["name"]) for tenant in tenants]
        return [
            alike(dump, start, read_chain(run / EVENTS).events, run.name)
            for dump, start, run in zip(self.dumps(), starts, runs, strict=True)
        ]

    def _run(self, tenant: str) -> Path:
        (found,) = (path.parent for path in self.outputs.glob(f"{tenant}/*/{EVENTS}"))
        return found

    def _ready(self, tenant: dict[str, Any]) -> dict[str, Any]:
        return {**self.world.ready, "tenants": [tenant]}


@dataclass(frozen=True)
class Batch:
    """What a batch printed, and how it ended."""

    report: dict[str, Any]
    exit_code: int
    stderr: str

    @property
    def folder(self) -> Path:
        """Return the record of the batch."""
        return Path(self.report["record"])

    @property
    def tenants(self) -> dict[str, dict[str, Any]]:
        """Return what became of each tenant, by name."""
        return {tenant["tenant"]: tenant for tenant in self.report["tenants"]}

    def events(self) -> list[Any]:
        """Return the events of the batch's record."""
        return list(read_chain(self.folder / EVENTS).events)


def _written(entry: dict[str, Any]) -> str:
    """Return what a line of the sandbox's log writes: method and place, or command."""
    last = str(entry.get("path", "")).rpartition("/")[2]
    kind = "<id>" if GUID.fullmatch(last) else last
    return f"{entry['method']} {kind}".strip()


def command_line(
    *arguments: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder, with more patience than for one tenant."""
    command = [sys.executable, "-m", "runbook_lib.cli", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE,
        cwd=folder,
    )


def many(world: World, **changes: object) -> Many:
    """Put tenant files into a folder of their own, changed as asked."""
    folder = world.folder / "tenants"
    folder.mkdir()
    for tenant in world.ready["tenants"]:
        source = Path(tenant["tenant_file"])
        data = yaml.safe_load(source.read_text("utf-8"))
        data |= changes
        (folder / source.name).write_text(yaml.safe_dump(data), "utf-8")
    return Many(world, folder)


def descendants(pid: int) -> list[int]:
    """Return the processes below a process, its children first."""
    found = _children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def awaited(condition: Any, *, patience: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def kill(pid: int) -> bool:
    """Kill a process; tell whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True

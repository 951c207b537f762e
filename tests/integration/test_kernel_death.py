"""A kernel that dies leaves a record that says so, and no stack on the screen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.history import closed
from tests.integration.world import NOTEBOOK, World


def test_killed_kernel_is_closed_as_died(world: World) -> None:
    """The run ends incomplete or failed, the notebook is not claimed to be whole."""
    command = [sys.executable, "-m", "runbook_lib.cli", "run", NOTEBOOK, "--json"]
    given = ["--tenant", str(world.tenant_file), "--mode", "plan"]
    child = subprocess.Popen(
        [*command, *given, "--outputs", str(world.outputs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    kernel = kernel_of(child.pid)
    events = first_events(world)
    os.kill(kernel, signal.SIGKILL)
    said, errors = child.communicate(timeout=60)
    end = closed(read_chain(events).events)
    assert end is not None
    assert end["kernel"] == {"ended": "died"}
    assert json.loads(said)["result"] in ("incomplete", "failed")
    assert child.returncode in (1, 3)
    assert "The kernel died" in errors
    assert "Traceback" not in errors


def kernel_of(parent: int) -> int:
    """Return the process id of the kernel that a process started."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                status = (path / "stat").read_text().rpartition(")")[2].split()
                words = (path / "cmdline").read_bytes()
            except OSError:
                continue
            if int(status[1]) == parent and b"ipykernel" in words:
                return int(path.name)
        time.sleep(0.02)
    raise AssertionError("no kernel was started")


def first_events(world: World) -> Path:
    """Wait until the record has some steps, and return its events."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for path in world.outputs.glob("*/*/events.ndjson"):
            if path.read_bytes().count(b"step.end") >= 2:
                return path
        time.sleep(0.01)
    raise AssertionError("the run did not begin")


def test_kernels_leave_nothing_where_they_are_started(world: World) -> None:
    """Two runs from one working directory do not meet, and leave no socket there."""
    command = [sys.executable, "-m", "runbook_lib.cli", "run", NOTEBOOK, "--json"]
    given = ["--tenant", str(world.tenant_file), "--outputs", str(world.outputs)]
    place = world.folder / "here"
    place.mkdir()
    children = [
        subprocess.Popen(
            [*command, *given], cwd=place, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [child.communicate(timeout=120)[0] for child in children]
    assert [json.loads(text)["result"] for text in said] == ["succeeded", "succeeded"]
    assert list(place.iterdir()) == []

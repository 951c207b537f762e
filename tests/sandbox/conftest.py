"""A sandbox as a process of its own, as everybody starts it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

START_SECONDS = 20


@dataclass(frozen=True)
class Running:
    """A running sandbox: its process and the content of its ready file."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]

    @property
    def tenant(self) -> dict[str, Any]:
        """Return the first tenant of the ready file."""
        first: dict[str, Any] = self.ready["tenants"][0]
        return first

    def log(self) -> list[dict[str, Any]]:
        """Return the access log so far."""
        lines = Path(self.ready["log_file"]).read_text().splitlines()
        return [json.loads(line) for line in lines]

    def stop(self) -> tuple[int, bytes]:
        """End the sandbox; return its exit code and what it wrote to stderr."""
        self.process.terminate()
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


StartSandbox = Callable[..., Running]


def start(folder: Path, *options: str) -> Running:
    """Start a sandbox with these options and wait until it is ready."""
    ready_file = folder / "ready.json"
    process = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "default",
            "-m",
            "runbook_lib.sandbox",
            "--ready-file",
            str(ready_file),
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return Running(process, wait_until_ready(process, ready_file, START_SECONDS))


def wait_until_ready(
    process: subprocess.Popen[bytes], ready_file: Path, seconds: float
) -> dict[str, Any]:
    """Return the content of the ready file as soon as it is there."""
    end = time.monotonic() + seconds
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            _, errors = process.communicate()
            pytest.fail(f"the sandbox did not start: {(errors or b'').decode()}")
        time.sleep(0.01)
    ready: dict[str, Any] = json.loads(ready_file.read_text())
    return ready


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[StartSandbox]:
    """Give a function that starts a sandbox with options; all end with the test."""
    running: list[Running] = []

    def begin(*options: str) -> Running:
        folder = tmp_path / f"sandbox-{len(running)}"
        folder.mkdir()
        running.append(start(folder, *options))
        return running[-1]

    yield begin
    for sandbox in running:
        if sandbox.process.poll() is None:
            sandbox.stop()


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start a sandbox that the tests of a module share: they only read from it."""
    running = start(tmp_path_factory.mktemp("shared"))
    yield running
    running.stop()


@pytest.fixture
def sandbox_process(start_sandbox: StartSandbox) -> Running:
    """Start a sandbox with one tenant; its ready file is `.ready`."""
    return start_sandbox()

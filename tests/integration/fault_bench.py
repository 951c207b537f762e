"""A sandbox on which apply runs are disturbed, in processes that may be killed."""

from __future__ import annotations

import gc
import json
import os
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

import runbook_lib.notebook  # noqa: F401 - once, not in every child
from runbook_lib.clients.http import open_http
from runbook_lib.opening import library_digest
from tests.integration import test_application_role, test_certificate, test_senders
from tests.integration.world import World, attempt, running

# What is expected comes at once; only a write without effect waits for its window.
WINDOWS = {"visibility": 2, "effect": 60, "trace": 60}
PATIENCE = 60.0


def secret(world: World) -> dict[str, str]:
    """Return the parameters of a run with a client secret."""
    return {"evidence": world.evidence()}


def certificate(world: World) -> dict[str, str]:
    """Return those with a certificate, proven with a borrowed secret."""
    return test_certificate.chosen(world, temporary_credential="yes")


def senders(world: World) -> dict[str, str]:
    """Return those with an alias and another mailbox as further senders."""
    return test_senders.chosen(world, send_as="mailbox", alias_sending="enable")


KINDS = {
    "secret": secret,
    "certificate": certificate,
    "app-rbac": test_application_role.chosen,
    "senders": senders,
}


@dataclass
class Bench:
    """A sandbox on which one run after the other is disturbed and rolled back."""

    world: World
    given: dict[str, str]
    start: bytes
    runs: int = 0
    offset: int = 0

    @classmethod
    @contextmanager
    def open(cls, folder: Path, kind: str) -> Iterator[Bench]:
        """Start a sandbox and prepare what a run of this kind needs."""
        folder.mkdir(parents=True)
        # One run after the other sends more than 30 messages in a minute.
        with running(folder, "--break", "smtp.rate") as world:
            tenant = yaml.safe_load(world.tenant_file.read_text("utf-8"))
            tenant["windows"] = WINDOWS
            world.tenant_file.write_text(yaml.safe_dump(tenant), "utf-8")
            library_digest()
            given = KINDS[kind](world)
            yield cls(world, given, world.dump())

    def stored(self) -> int:
        """Count the secrets in the sink."""
        sink = self.world.sink
        return len(list(sink.iterdir())) if sink.exists() else 0

    def new_run(self) -> str:
        """Return a run id that was not used yet."""
        self.runs += 1
        return f"run-{self.runs:04}"

    def disturb(self, *faults: str) -> None:
        """Hold these faults and no others, and look at the log from here."""
        self.world.break_tenant("clear_faults")
        for fault in faults:
            self.world.break_tenant("add_fault", fault=fault)
        self.offset = self._log_file.stat().st_size

    @property
    def _log_file(self) -> Path:
        return Path(self.world.ready["log_file"])

    def seen(self) -> list[dict[str, Any]]:
        """Return what the sandbox logged since the last call of `disturb`."""
        with self._log_file.open("rb") as stream:
            stream.seek(self.offset)
            lines = stream.read().splitlines()
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [line for line in found if not line["path"].startswith("/_sandbox/")]

    def apply(self, run: str, *, kill: bool = False) -> str:
        """Run the cells in a child process; kill it where the sandbox stalls."""
        return self._child("apply", kill=kill, run_id=run, wait="60", **self.given)

    def roll_back(self, run: str) -> tuple[str, str]:
        """Roll back in a child process; return run id and how it ended."""
        new = self.new_run()
        return new, self._child("rollback", kill=False, run_id=new, record=run)

    def _child(self, mode: str, *, kill: bool, **parameters: str) -> str:
        gc.freeze()
        child = os.fork()
        if child == 0:
            _play(self.world, mode, parameters)
        status = self._killed(child) if kill else os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            return "died"
        return {0: "finished", 3: "raised"}.get(os.WEXITSTATUS(status), "unforeseen")

    def _killed(self, child: int) -> int:
        """Wait for the stall and kill; a run that ends before is left alone."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
            if b'"stalled' in self.tail():
                break
            time.sleep(0.002)
        os.kill(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1]

    def tail(self) -> bytes:
        """Return the log since the last call of `disturb`, as it is."""
        with self._log_file.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read()


def _play(world: World, mode: str, parameters: dict[str, str]) -> None:
    """Run the cells and leave this process, whatever happens."""
    code = 4
    try:
        with hurried(), mock.patch("builtins.print"):
            code = 0 if attempt(world, mode, **parameters) == "finished" else 3
    except BaseException:
        (world.folder / "traceback.txt").write_text(traceback.format_exc(), "utf-8")
    finally:
        os._exit(code)


@contextmanager
def hurried() -> Iterator[None]:
    """Wait milliseconds where a run waits seconds."""
    client = partial(open_http, sleep=lambda seconds: time.sleep(min(seconds, 0.01)))
    with (
        mock.patch("runbook_lib.engine.attempt.FIRST_PAUSE", 0.005),
        mock.patch("runbook_lib.engine.attempt.LONGEST_PAUSE", 0.02),
        mock.patch("runbook_lib.session.open_http", client),
    ):
        yield

"""The stock engine's processes: papermill with ipykernel, one for each request."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

from runbook_lib.batch.lease import send
from runbook_lib.batch.processes import Exit, Process, Unavailable


class StockEngine:
    """Starts a papermill process for each request; it works on every system."""

    name = "stock"
    gone = False

    def __init__(self) -> None:
        """Start nothing yet."""
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, request: dict[str, Any]) -> Process:
        """Start a process that executes the request.

        Raises:
            Unavailable: the system starts no more processes.
        """
        lease, theirs = socket.socketpair()
        with theirs:
            try:
                worker = _start(theirs)
            except OSError as error:
                lease.close()
                raise Unavailable(f"no process could be started: {error}") from None
        self._running[worker.pid] = worker
        with suppress(OSError):  # it ended already: its lease says so
            send(lease, request)
        return Process(worker.pid, lease)

    def signal(self, process: Process, number: int) -> None:
        """Signal a process and what it started, unless it has ended."""
        if process.pid in self._running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def fileno(self) -> int:
        """Return -1: a process's end shows at its lease."""
        return -1

    def collect(self) -> None:
        """Do nothing: there is nothing that reports."""

    def ended(self, process: Process) -> None:
        """Take in that the lease of a process was closed."""
        worker = self._running.pop(process.pid)
        _pid, status, usage = os.wait4(worker.pid, 0)
        worker.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        process.exit = Exit(worker.returncode, cpu, usage.ru_maxrss)

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self._running.values():
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self._running.clear()


def _start(lease: socket.socket) -> subprocess.Popen[bytes]:
    module = "runbook_lib.batch.stock_worker"
    arguments = (str(lease.fileno()), str(os.getpid()))
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        pass_fds=[lease.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

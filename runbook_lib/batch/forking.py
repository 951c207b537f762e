"""The direct engine's processes, from the side of the process that runs a batch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import deque
from contextlib import suppress
from typing import Any, Self

from runbook_lib.batch.lease import send
from runbook_lib.batch.processes import Exit, Process, Unavailable

# The template gets no variable by which a secret could come.
KEPT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "PYTHONPATH", "TZ", "VIRTUAL_ENV")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 60.0
PACKET = 1 << 16


class DirectEngine:
    """Starts a template, and has it fork a process for each request."""

    name = "direct"

    def __init__(self) -> None:
        """Start the template and wait until it is warm.

        Raises:
            Unavailable: this system cannot fork one.
        """
        if not available():
            raise Unavailable(f"no warm template on {sys.platform}")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._template = _start(theirs)
        self._control = ours
        self._waiting: deque[dict[str, Any]] = deque()
        self._processes: dict[int, Process] = {}
        self.gone = False
        ours.settimeout(PATIENCE)
        if not self._reply_named("ready"):
            self.close()
            raise Unavailable("the warm template did not start")

    def start(self, request: dict[str, Any]) -> Process:
        """Have a process forked that executes the request.

        Raises:
            Unavailable: the template is gone.
        """
        lease, theirs = socket.socketpair()
        with theirs:
            packet = json.dumps({"fork": 0}).encode()
            try:
                socket.send_fds(self._control, [packet], [theirs.fileno()])
            except OSError:
                self.gone = True
        reply = {} if self.gone else self._reply_named("forked")
        if not reply:
            lease.close()
            raise Unavailable("the warm template ended")
        process = Process(reply["forked"], lease)
        self._processes[process.pid] = process
        with suppress(OSError):  # killed already: its lease says so
            send(lease, request)
        return process

    def signal(self, process: Process, number: int) -> None:
        """Signal a process and what it started, unless it has ended."""
        request = {"signal": number, "pid": process.pid}
        try:
            self._control.send(json.dumps(request).encode())
        except OSError:
            self.gone = True

    def fileno(self) -> int:
        """Return the descriptor that can be read when something has ended."""
        return self._control.fileno()

    def collect(self) -> None:
        """Take in what the template has reported."""
        while self._waiting:
            self._take(self._waiting.popleft())
        self._control.setblocking(False)
        try:
            while not self.gone:
                self._take(self._receive())
        except BlockingIOError:
            pass
        finally:
            self._control.settimeout(PATIENCE)

    def ended(self, process: Process) -> None:
        """Take in that the lease of a process was closed."""
        if self.gone:
            process.exit = process.exit or Exit(None)

    def pids(self) -> list[int]:
        """Return the template's process id (for tests)."""
        return [self._template.pid]

    def close(self) -> None:
        """End the template, and with it everything that it forked."""
        self._control.close()
        self._template.wait()

    def __enter__(self) -> Self:
        """Return the engine."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close it."""
        self.close()

    def _receive(self) -> dict[str, Any]:
        packet = self._control.recv(PACKET)
        if not packet:
            self.gone = True
            return {}
        message: dict[str, Any] = json.loads(packet)
        return message

    def _reply_named(self, name: str) -> dict[str, Any]:
        """Return the next reply of a name; others wait. Empty if there is none."""
        while not self.gone:
            try:
                message = self._receive()
            except OSError:
                self.gone = True
                break
            if name in message:
                return message
            self._waiting.append(message)
        return {}

    def _take(self, message: dict[str, Any]) -> None:
        if "exited" in message:
            process = self._processes.pop(message["exited"])
            process.exit = Exit(message["status"], message["cpu"], message["rss"])


def available() -> bool:
    """Tell whether this system can fork a warm template."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def _start(control: socket.socket) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= dict.fromkeys(ONE_THREAD, "1")
    return subprocess.Popen(  # noqa: S603 - our own program
        [
            sys.executable,
            *("-m", "runbook_lib.batch.template"),
            *(str(control.fileno()), str(os.getpid())),
        ],
        pass_fds=[control.fileno()],
        env=environment,
        stdin=subprocess.DEVNULL,
        process_group=0,
    )

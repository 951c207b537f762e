"""What an engine gives a batch: processes, each with a lease and an end."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any, Protocol

from runbook_lib.errors import RunbookError


class Unavailable(RunbookError):
    """An engine cannot start processes here, or not any more."""


@dataclass(frozen=True)
class Exit:
    """How a process ended.

    `status` is its exit code, negative for a signal, None where nobody knows;
    `cpu` is in seconds, `rss` the largest resident size in KiB.
    """

    status: int | None
    cpu: float = 0.0
    rss: int = 0


@dataclass(eq=False)
class Process:
    """One process that runs one notebook.

    The lease is a socket to it: it reads empty once the process is gone, and
    the process does not outlive the other end.
    """

    pid: int
    lease: socket.socket
    exit: Exit | None = None


class Engine(Protocol):
    """Starts processes, signals them, and tells how they ended."""

    name: str
    gone: bool

    def start(self, request: dict[str, Any]) -> Process:
        """Start a process that executes a request.

        A request has `cells` (sources, None for what is not executed),
        `environment`, `folder`, `journal` (path), and for the stock engine
        `notebook` (path of the source) and `parameters`.

        Raises:
            Unavailable: it cannot any more.
        """
        ...

    def signal(self, process: Process, number: int) -> None:
        """Signal a process, unless it has ended."""
        ...

    def fileno(self) -> int:
        """Return a descriptor that can be read when there is something to collect."""
        ...

    def collect(self) -> None:
        """Take in which processes ended: their `exit` is set."""
        ...

    def ended(self, process: Process) -> None:
        """Take in that the lease of a process reads empty."""
        ...

    def close(self) -> None:
        """End everything that was started."""
        ...

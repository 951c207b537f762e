"""Processor time, wall time and memory of a command with all that it starts."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = 0.02


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds of processor and of wall time, MiB at the peak.

    `cpu` is user and system time of the command and of everything that it
    started and waited for. `memory` is the largest sum of the proportional set
    sizes of these processes, looked at fifty times a second.
    """

    cpu: float
    wall: float
    memory: float


class BrokenOff(Exception):
    """A command that was to be measured did not do its work."""


def measured(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    exit_code: int = 0,
) -> Cost:
    """Run a command to its end and return what it cost.

    Raises:
        BrokenOff: it ended with another exit code than one that has done its work.
    """
    begun = time.monotonic()
    words = list(map(str, command))
    child = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **(environment or {})},
    )
    peak = Peak(child.pid)
    _pid, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    cost = Cost(usage.ru_utime + usage.ru_stime, wall, peak.stop())
    if child.returncode != exit_code:
        raise BrokenOff(f"exit code {child.returncode}: {' '.join(words)[:200]}")
    return cost


class Peak:
    """Watches the memory of a process and its descendants until it is stopped."""

    def __init__(self, pid: int) -> None:
        """Begin to watch."""
        self._pid = pid
        self._largest = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        """Return the largest sum so far, in MiB."""
        self._ended.set()
        self._thread.join()
        return self._largest / 1024

    def _watch(self) -> None:
        pause = TICK
        while not self._ended.wait(pause):
            begun = time.monotonic()
            self._largest = max(self._largest, sum(map(_kib, family(self._pid))))
            pause = max(TICK, 10 * (time.monotonic() - begun))  # looking costs as well


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for member in found:
        found += _children(member)
    return found


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in lines if line.startswith("Pss:")]
    return int(sizes[0]) if sizes else 0

"""Fairness towards a service: what one process was told, the others heed as well.

Processes that work on one tenant at a time share a folder with one small file
for each tenant and host. It holds until when the service wants no request, and
how many requests were sent in the current window.
"""

from __future__ import annotations

import fcntl
import os
import random
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

LONGEST = 120.0
WINDOW = 10.0  # seconds

# Requests of all processes to one host in a window: well below what Microsoft
# Graph allows an application in a small tenant.
# Source: Microsoft Learn, "Microsoft Graph service-specific throttling limits".
BUDGET = 200

_STATE = struct.Struct("ddq")  # no request before; begin of the window; requests in it


class Pace(Protocol):
    """Says when a request to a host may be sent."""

    def wait(self, host: str, sleep: Callable[[float], None]) -> None:
        """Return once a request may be sent, after sleeping if need be."""
        ...

    def refused(self, host: str, seconds: float) -> None:
        """Take in that the host wants no request for some seconds."""
        ...


class Alone:
    """The pace of a process that works alone: every request may be sent."""

    def wait(self, host: str, sleep: Callable[[float], None]) -> None:
        """Return at once."""

    def refused(self, host: str, seconds: float) -> None:
        """Do nothing: the caller itself waits."""


@dataclass
class SharedPace:
    """The pace of all processes that share a folder and work on one tenant.

    The clock is the system's monotonic one, which all processes share. Waits
    are spread a little, so that the processes do not all come back at once.
    """

    folder: Path
    tenant_id: str
    budget: int = BUDGET
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _files: dict[str, int] = field(default_factory=dict)

    def wait(self, host: str, sleep: Callable[[float], None]) -> None:
        """Return once a request may be sent; after 120 s in any case."""
        waited = 0.0
        while waited < LONGEST:
            pause = self._take(host)
            if pause <= 0:
                return
            pause += self.chance() * (0.05 + pause / 10)
            pause = min(pause, LONGEST - waited)
            sleep(pause)
            waited += pause

    def refused(self, host: str, seconds: float) -> None:
        """Let every process of the tenant leave the host alone for some seconds."""
        descriptor = self._locked(host)
        try:
            until, begin, count = self._read(descriptor)
            until = max(until, self.monotonic() + seconds)
            os.pwrite(descriptor, _STATE.pack(until, begin, count), 0)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _take(self, host: str) -> float:
        """Count a request and return 0, or return the seconds until one may be sent."""
        descriptor = self._locked(host)
        try:
            now = self.monotonic()
            until, begin, count = self._read(descriptor)
            if now - begin >= WINDOW:
                begin, count = now, 0
            if now < until:
                return until - now
            if count >= self.budget:
                return begin + WINDOW - now
            os.pwrite(descriptor, _STATE.pack(until, begin, count + 1), 0)
            return 0.0
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _locked(self, host: str) -> int:
        descriptor = self._files.get(host)
        if descriptor is None:
            path = self.folder / f"{self.tenant_id}@{host}"
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = self._files[host] = os.open(path, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def _read(self, descriptor: int) -> tuple[float, float, int]:
        data = os.pread(descriptor, _STATE.size, 0)
        if len(data) < _STATE.size:
            return 0.0, self.monotonic(), 0
        until, begin, count = _STATE.unpack(data)
        return until, begin, count

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()

"""One process at a time works on a tenant."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runbook_lib.errors import Refused


def lock_tenant(folder: Path) -> int | None:
    """Take the lock of a tenant's folder; return its descriptor, None if taken.

    Whoever has it closes the descriptor; so does the end of the process.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def locked_tenant(folder: Path) -> Iterator[None]:
    """Hold the lock of a tenant's folder.

    Raises:
        Refused: another process has it.
    """
    descriptor = lock_tenant(folder)
    if descriptor is None:
        raise taken(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def taken(folder: Path) -> Refused:
    """Return the error for a tenant on which another process works."""
    return Refused(
        f"{folder}: another run or batch works on this tenant",
        remedy="Wait until it ends, then run again.",
    )

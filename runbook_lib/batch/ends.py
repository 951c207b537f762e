"""How a cell, or a tenant's attempt, ended."""

from __future__ import annotations

from enum import StrEnum


class End(StrEnum):
    """How something ended; what was never reached did not run."""

    COMPLETED = "completed"
    FAILED = "failed"
    DIED = "died"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    NOT_RUN = "not run"


# After these nobody knows what the process did last: the run stays open.
INTERRUPTED = frozenset({End.DIED, End.TIMED_OUT, End.CANCELLED})

"""A kill in a running batch, and what exactly it cut off.

Everything is halted before the kill, so that what each process was doing is
known and not guessed: without that, one that has just done its last cell, and
loses nothing, could not be told from one in the middle of its work.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runbook_lib.batch.journal import read_journal
from tests.batch.world import awaited, descendants, kill

VICTIMS = ("worker", "template", "parent")
JOURNAL = ".journal"


@dataclass(frozen=True)
class Worker:
    """A halted process of a tenant: its journal, None if it has none yet."""

    pid: int
    journal: Path | None

    @property
    def is_done(self) -> bool:
        """Tell whether its last cell is done: a kill takes nothing from it."""
        lines = [] if self.journal is None else read_journal(self.journal)
        return any(line["kind"] == "done" for line in lines)


@dataclass(frozen=True)
class Struck:
    """What a kill cut off: tenants, and processes that nobody can name yet."""

    tenants: frozenset[str]
    unnamed: int


def strike(
    batch: subprocess.Popen[bytes],
    victim: str,
    chance: random.Random,
    *,
    when: Callable[[], bool],
) -> Struck | None:
    """Kill the parent, the template while it matters, or a worker that is not done.

    It waits until the first tenant's process can be, and for `when`. None if there
    was nobody to kill until the batch ended.
    """
    awaited(lambda: descendants(batch.pid)[1:] or batch.poll() is not None)
    awaited(lambda: when() or batch.poll() is not None)
    while batch.poll() is None:
        with halted(batch.pid) as pids:
            struck = _strike(pids, victim, chance)
            if struck is not None:
                return struck
        time.sleep(0.02)
    return None


def _strike(pids: list[int], victim: str, chance: random.Random) -> Struck | None:
    """Kill one of the halted processes, and wait until all that it takes are gone."""
    parent, template, workers = pids[:1], pids[1:2], _workers(pids[2:])
    cut = [worker for worker in workers if not worker.is_done]
    one = chance.sample(cut, min(1, len(cut)))
    if not cut and victim != "parent":
        return None
    with_it = {
        "parent": [*parent, *template, *(worker.pid for worker in workers)],
        "template": [*template, *(worker.pid for worker in workers)],
        "worker": [worker.pid for worker in one],
    }
    gone = with_it[victim]
    if not kill(gone[0]):
        return None
    awaited(lambda: not any(map(_is_alive, gone)))
    return _struck(one if victim == "worker" else cut)


@contextmanager
def halted(parent: int) -> Iterator[list[int]]:
    """Halt a batch from the top, so that nothing new begins; yield its processes."""
    pids: list[int] = []
    try:
        while new := [p for p in (parent, *descendants(parent)) if p not in pids]:
            _halt(new[0])
            pids.append(new[0])
        yield pids
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _halt(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        awaited(lambda: _state(pid) in "TZX")


def _state(pid: int) -> str:
    """Return the state letter of a process (proc(5)), X if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return "X"
    return text.rpartition(")")[2].split()[0]


def _is_alive(pid: int) -> bool:
    return _state(pid) not in "ZX"


def _workers(pids: Iterable[int]) -> list[Worker]:
    return [_worker(pid) for pid in pids if _is_alive(pid)]


def _worker(pid: int) -> Worker:
    places = (Path(os.readlink(link)) for link in _descriptors(pid))
    journals = [place for place in places if place.name.endswith(JOURNAL)]
    return Worker(pid, journals[0] if journals else None)


def _descriptors(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []


def _struck(losing: Iterable[Worker]) -> Struck:
    journals = [worker.journal for worker in losing]
    named = frozenset(path.parent.name for path in journals if path is not None)
    return Struck(named, journals.count(None))

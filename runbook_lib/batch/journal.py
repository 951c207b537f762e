"""The journal of an attempt: what its process did, line by line.

A file of JSON lines, written by the process that runs the notebook, each line
in one write. It survives that process, so the notebook can be rebuilt however
it ended. Every line has `kind`:

    start   cell, time                     a cell begins
    stream  name, text                     output of the running cell …
    display data, metadata, display_id
    result  data, metadata, count
    error   ename, evalue, traceback
    update  data, metadata, display_id     of a display made before
    clear   wait
    comm    comm, state                    state of a widget
    end     cell, time, ok, count          the cell ends
    done    time                           nothing more comes
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]


def now() -> str:
    """Return the time as papermill writes it."""
    return datetime.now(UTC).isoformat()


class Journal:
    """Appends lines to a journal file (mode 0600)."""

    def __init__(self, path: Path) -> None:
        """Begin a new journal; what an earlier attempt left is overwritten."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)

    def write(self, kind: str, **fields: object) -> None:
        """Append one line."""
        line = json.dumps({"kind": kind, **fields}, default=str) + "\n"
        os.write(self._descriptor, line.encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_journal(path: Path) -> Iterator[Line]:
    """Yield the whole lines of a journal; a torn last one is passed over."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    for line in data.split(b"\n")[:-1]:
        yield json.loads(line)

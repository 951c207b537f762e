"""Executes the cells of a notebook in this process's shell, into a journal."""

from __future__ import annotations

import os
from collections.abc import Sequence

from runbook_lib.batch.journal import now
from runbook_lib.batch.shell import OUTLET, NotebookShell, Write, connect


class Descriptors:
    """Descriptors 1 and 2, to which other programs write, as files in memory."""

    def __init__(self) -> None:
        """Put files in memory in their place."""
        self._read = {1: 0, 2: 0}
        for descriptor in self._read:
            memory = os.memfd_create(f"runbook-{descriptor}")
            os.dup2(memory, descriptor)
            os.close(memory)

    def show(self) -> None:
        """Show what other programs wrote since the last time."""
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            start, end = self._read[descriptor], os.fstat(descriptor).st_size
            if end > start:
                data = os.pread(descriptor, end - start, start)
                OUTLET.show("stream", name=name, text=data.decode(errors="replace"))
                self._read[descriptor] = end


def execute_cells(
    cells: Sequence[str | None], shell: NotebookShell, write: Write
) -> bool:
    """Execute cells until one raises; tell whether none did.

    `cells` has one entry for each cell of the notebook, None where there is
    nothing to execute.
    """
    descriptors = Descriptors()
    connect(write)
    good = True
    for place, source in enumerate(cells):
        write("start", cell=place, time=now())
        good = source is None or _execute(source, shell, descriptors)
        count = shell.execution_count - 1 if source is not None else None
        write("end", cell=place, time=now(), ok=good, count=count)
        if not good:
            break
    write("done", time=now())
    return good


def _execute(source: str, shell: NotebookShell, descriptors: Descriptors) -> bool:
    result = shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
    OUTLET.pending()
    descriptors.show()
    return bool(result.success)

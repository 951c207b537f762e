"""The two engines as papermill knows them: `papermill --engine direct|stock`.

papermill notes only an exception of a cell. After a dead kernel, a time-out or
an interruption it marks every cell completed; these engines do not.

papermill loads this module while it is imported itself; import it by way of
`papermill_engines`.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)
from nbformat import NotebookNode
from papermill.engines import Engine, NBClientEngine

from runbook_lib.batch.cells import sources
from runbook_lib.batch.ends import End
from runbook_lib.batch.fold import Fold
from runbook_lib.batch.forking import DirectEngine
from runbook_lib.batch.journal import Journal, now, read_journal
from runbook_lib.batch.processes import Process

CUT_OFF = (DeadKernelError, CellTimeoutError, KeyboardInterrupt)


class LocalKernelManager(AsyncKernelManager):  # type: ignore[misc, unused-ignore]
    """Talks to the kernel over Unix sockets, which other users cannot reach.

    They stand in a private folder of this kernel. Without it their names would
    be the same for all kernels that are started in one working directory.
    """

    transport = "ipc"

    def __init__(self, **arguments: Any) -> None:
        """Make the folder."""
        super().__init__(**arguments)
        self._place = mkdtemp(prefix="kernel-")
        self.connection_file = str(Path(self._place) / "connection.json")
        self.ip = str(Path(self._place) / "socket")

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart)
        if not restart:
            shutil.rmtree(self._place, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources


class Truthful:
    """Stands for papermill's execution manager and notes what it does not.

    Each cell gets `metadata.runbook.end`; with a journal every cell is written
    to it as well.
    """

    def __init__(self, manager: Any, journal: Journal | None = None) -> None:
        """Pass everything on to `manager`."""
        self._manager = manager
        self._journal = journal
        self._running: int | None = None
        for cell in manager.nb.cells:
            cell.metadata["runbook"] = {"end": str(End.NOT_RUN)}

    def __getattr__(self, name: str) -> Any:
        """Return what the manager has."""
        return getattr(self._manager, name)

    def cell_start(self, cell: Any, cell_index: int, **rest: Any) -> None:
        """Note that a cell begins."""
        self._running = cell_index
        cell.metadata["runbook"] = {"end": "running"}
        self._write("start", cell=cell_index, time=now())
        self._manager.cell_start(cell, cell_index, **rest)

    def cell_complete(self, cell: Any, cell_index: int, **rest: Any) -> None:
        """Note that a cell ended, unless it was cut off.

        papermill calls this whatever happened; what happened is underway then.
        """
        if isinstance(sys.exc_info()[1], CUT_OFF):
            return
        good = cell.metadata.papermill["status"] != self._manager.FAILED
        end = End.COMPLETED if good else End.FAILED
        cell.metadata["runbook"] = {"end": str(end)}
        self._outputs(cell)
        count = cell.get("execution_count")
        self._write("end", cell=cell_index, time=now(), ok=good, count=count)
        self._running = None
        self._manager.cell_complete(cell, cell_index, **rest)

    def interrupted(self, end: End) -> None:
        """Note how the running cell, and with it the notebook, was cut off."""
        if self._running is not None:
            cell = self._manager.nb.cells[self._running]
            cell.metadata["runbook"] = {"end": str(end)}
            self._outputs(cell)
            self._manager.cell_exception(cell, self._running)
        self._manager.nb.metadata["runbook"] = {"end": str(end)}

    def finished(self, end: End) -> None:
        """Note that the notebook ended by itself."""
        self._manager.nb.metadata["runbook"] = {"end": str(end)}
        for comm, state in _widgets(self._manager.nb).items():
            self._write("comm", comm=comm, state=state)
        self._write("done", time=now())

    def _outputs(self, cell: Mapping[str, Any]) -> None:
        for output in cell.get("outputs", []):
            self._write(**_line(output))

    def _write(self, kind: str, **fields: object) -> None:
        if self._journal is not None:
            self._journal.write(kind, **fields)


class PapermillStock(NBClientEngine):  # type: ignore[misc, unused-ignore]
    """papermill's own engine with ipykernel, made truthful: the reference."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        journal: Journal | None = None,
        **options: Any,
    ) -> None:
        """Execute in a kernel; whatever cuts it off is noted before it is raised."""
        truthful = Truthful(nb_man, journal)
        options.setdefault("kernel_manager_class", LocalKernelManager)
        try:
            super().execute_managed_notebook(truthful, kernel_name, **options)
        except CellExecutionError:
            truthful.finished(End.FAILED)
            raise
        except CUT_OFF as error:
            ends = {CellTimeoutError: End.TIMED_OUT, KeyboardInterrupt: End.CANCELLED}
            truthful.interrupted(ends.get(type(error), End.DIED))
            raise
        failed = bool(nb_man.nb.metadata.papermill.get("exception"))
        truthful.finished(End.FAILED if failed else End.COMPLETED)


class PapermillDirect(Engine):  # type: ignore[misc, unused-ignore]
    """An IPython shell in a process of its own, forked from a warm template."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, **_options: Any
    ) -> Any:
        """Execute without a kernel.

        Raises:
            DeadKernelError: the process ended before the notebook did.
            Unavailable: this system cannot fork a template.
        """
        with DirectEngine() as engine, TemporaryDirectory() as folder:
            journal = Path(folder, "journal")
            process = engine.start(
                {
                    "cells": sources(nb_man.nb),
                    "environment": dict(os.environ),
                    "folder": os.getcwd(),
                    "journal": str(journal),
                }
            )
            _await(engine, process)
            end = _folded(nb_man, journal)
        if end is End.DIED:
            raise DeadKernelError("the notebook's process died")
        return nb_man.nb


def _await(engine: DirectEngine, process: Process) -> None:
    with process.lease:
        while process.exit is None and not engine.gone:
            select.select([engine], [], [])
            engine.collect()


def _folded(nb_man: Any, journal: Path) -> End:
    """Put into papermill's notebook what the journal tells; return its end."""
    noted = dict(nb_man.nb.metadata.papermill)
    plain = json.loads(json.dumps(nb_man.nb))
    found = Fold(plain)
    for line in read_journal(journal):
        found.apply(line)
    end = found.ended()
    found.finish(end)
    for cell, made in zip(nb_man.nb.cells, plain["cells"], strict=True):
        cell.update(_nodes(made))
    exception = True if end is not End.COMPLETED else None
    nb_man.nb.metadata.update(_nodes(plain["metadata"]))
    nb_man.nb.metadata["papermill"] = _nodes({**noted, "exception": exception})
    return end


def _nodes(value: Any) -> Any:
    """Return a JSON value with papermill's kind of mappings."""
    if isinstance(value, Mapping):
        items = {name: _nodes(item) for name, item in value.items()}
        return NotebookNode(items)  # type: ignore[no-untyped-call]
    return [_nodes(item) for item in value] if isinstance(value, list) else value


def _line(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output as a line of a journal."""
    kind = output["output_type"]
    if kind == "execute_result":
        count = output["execution_count"]
        shown = {"data": output["data"], "metadata": output["metadata"]}
        return {"kind": "result", **shown, "count": count}
    names = {"display_data": "display", "stream": "stream", "error": "error"}
    fields = {name: value for name, value in output.items() if name != "output_type"}
    return {"kind": names[kind], **fields}


def _widgets(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the states of the widgets that nbclient has stored."""
    for stored in notebook["metadata"].get("widgets", {}).values():
        return {
            comm: {
                "_model_name": model["model_name"],
                "_model_module": model["model_module"],
                "_model_module_version": model.get("model_module_version"),
                **model["state"],
            }
            for comm, model in stored["state"].items()
        }
    return {}

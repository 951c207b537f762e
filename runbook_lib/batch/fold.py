"""The executed notebook as a function of the notebook and its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from runbook_lib.batch.cells import Cell, Notebook
from runbook_lib.batch.ends import INTERRUPTED, End
from runbook_lib.batch.journal import Line

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_FIELDS = ("_model_name", "_model_module", "_model_module_version")

# papermill knows four states; ours stands beside it, in `metadata.runbook.end`.
PAPERMILL_STATUS = {
    End.COMPLETED: "completed",
    End.NOT_RUN: "pending",
    None: "running",
}


class Fold:
    """Applies the lines of a journal to a notebook, in place.

    `running` is the place of the cell that began and did not end, or None;
    `failed` that of the cell that raised. `begun` tells whether any cell began.
    """

    def __init__(self, notebook: Notebook) -> None:
        """Begin with a notebook of which no cell has run."""
        self.notebook = notebook
        self.running: int | None = None
        self.failed: int | None = None
        self.begun = False
        self.done = False
        self._cell: Cell = {}
        self._clear_next = False
        self._displays: dict[str, list[dict[str, Any]]] = {}
        self._widgets: dict[str, dict[str, Any]] = {}
        for cell in notebook["cells"]:
            _mark(cell, End.NOT_RUN)

    def apply(self, line: Line) -> None:
        """Apply one line."""
        appliers: dict[str, Callable[[Line], None]] = {
            "start": self._start,
            "end": self._end,
            "done": self._done,
            "clear": self._clear,
            "update": self._update,
            "comm": self._comm,
        }
        appliers.get(line["kind"], self._output)(line)

    def ended(self) -> End:
        """Return how the notebook ended, so far as the journal tells."""
        if self.failed is not None:
            return End.FAILED
        return End.COMPLETED if self.done else End.DIED

    def finish(self, end: End) -> Notebook:
        """Write how the notebook ended, and return it."""
        cells = self.notebook["cells"]
        cut = self.running
        if cut is None and end in INTERRUPTED:  # it was raised in by our signal
            cut = self.failed
        if cut is not None:
            _mark(cells[cut], end, exception=True)
        papermill = self.notebook["metadata"].setdefault("papermill", {})
        papermill["exception"] = True if end is not End.COMPLETED else None
        times = [_papermill(cell) for cell in cells]
        _span(
            papermill,
            next((t["start_time"] for t in times if t.get("start_time")), None),
            next((t["end_time"] for t in reversed(times) if t.get("end_time")), None),
        )
        self.notebook["metadata"]["runbook"] = {"end": str(end)}
        self._store_widgets()
        return self.notebook

    def _start(self, line: Line) -> None:
        self.running, self._clear_next = line["cell"], False
        self.begun = True
        self._cell = self.notebook["cells"][self.running]
        _mark(self._cell, None, start_time=line["time"])

    def _end(self, line: Line) -> None:
        self.running = None
        if not line["ok"]:
            self.failed = line["cell"]
        _mark(
            self._cell,
            End.COMPLETED if line["ok"] else End.FAILED,
            exception=not line["ok"],
        )
        noted = _papermill(self._cell)
        _span(noted, noted["start_time"], line["time"])
        if self._cell["cell_type"] == "code":
            self._cell["execution_count"] = line.get("count")

    def _done(self, _line: Line) -> None:
        self.done = True

    def _clear(self, line: Line) -> None:
        self._clear_next = line["wait"]
        if not line["wait"]:
            self._cell["outputs"] = []

    def _update(self, line: Line) -> None:
        for output in self._displays.get(line["display_id"], []):
            output["data"], output["metadata"] = line["data"], line["metadata"]

    def _comm(self, line: Line) -> None:
        self._widgets.setdefault(line["comm"], {}).update(line["state"])

    def _output(self, line: Line) -> None:
        if self._clear_next:
            self._cell["outputs"], self._clear_next = [], False
        outputs = self._cell["outputs"]
        last = outputs[-1] if outputs else {}
        if line["kind"] == "stream" and last.get("name") == line["name"]:
            last["text"] += line["text"]
            return
        output = output_of(line)
        outputs.append(output)
        if display := line.get("display_id"):
            self._displays.setdefault(display, []).append(output)

    def _store_widgets(self) -> None:
        """Write the widgets' state as front ends expect it."""
        models = {
            comm: {
                **{name[1:]: state[name] for name in WIDGET_FIELDS},
                "state": {n: v for n, v in state.items() if n not in WIDGET_FIELDS},
            }
            for comm, state in self._widgets.items()
            if "_model_name" in state
        }
        if models:
            state = {"state": models, "version_major": 2, "version_minor": 0}
            self.notebook["metadata"]["widgets"] = {WIDGET_STATE: state}


def output_of(line: Line) -> dict[str, Any]:
    """Return a journal's line as an output (nbformat 4)."""
    shown = {"data": line.get("data"), "metadata": line.get("metadata")}
    if line["kind"] == "stream":
        return {"output_type": "stream", "name": line["name"], "text": line["text"]}
    if line["kind"] == "display":
        return {"output_type": "display_data", **shown}
    if line["kind"] == "result":
        count = line["count"]
        return {"output_type": "execute_result", "execution_count": count, **shown}
    names = ("ename", "evalue", "traceback")
    return {"output_type": "error", **{name: line[name] for name in names}}


def fold(notebook: Notebook, lines: Iterable[Line]) -> Fold:
    """Apply all lines of a journal to a notebook."""
    folded = Fold(notebook)
    for line in lines:
        folded.apply(line)
    return folded


def _papermill(cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].setdefault("papermill", {})
    return found


def _mark(cell: Cell, end: End | None, **noted: object) -> None:
    """Write how a cell ended; None while it runs."""
    status = PAPERMILL_STATUS.get(end, "failed")
    blank = {"start_time": None, "end_time": None, "duration": None, "exception": None}
    known = _papermill(cell)
    cell["metadata"]["papermill"] = {**blank, **known, **noted, "status": status}
    cell["metadata"]["runbook"] = {"end": str(end or "running")}


def _span(noted: dict[str, Any], start: str | None, end: str | None) -> None:
    """Write a start, an end, and the seconds between."""
    noted["start_time"], noted["end_time"], noted["duration"] = start, end, None
    if start and end:
        length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
        noted["duration"] = length.total_seconds()

"""The kernel's surroundings: is somebody there, and what was executed."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display


def attended() -> bool:
    """Tell whether a front end with a person sent the running cell.

    JupyterLab lets a cell ask for input; papermill, nbclient, nbconvert and
    nbval do not. The attribute is private to ipykernel: where it is missing,
    nobody is taken to be there, which never allows more.
    """
    shell: Any = get_ipython()
    kernel = getattr(shell, "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))


class CellSources:
    """The sources of the cells that a kernel executed, oldest first.

    IPython's own history is empty where a runner does not store it, as nbval.
    """

    def __init__(self) -> None:
        """Know of no cell yet."""
        self.sources: list[str] = []

    def watch(self) -> None:
        """Take note of every cell from now on; what the history has comes first."""
        shell: Any = get_ipython()
        if shell is None or self.sources:
            return
        self.sources = [str(source) for source in shell.user_ns["In"]]
        shell.events.register("pre_run_cell", self._note)

    def _note(self, info: Any) -> None:
        self.sources.append(str(info.raw_cell))


CELLS = CellSources()


def executed_cells() -> list[str]:
    """Return the sources of the cells that this kernel executed, oldest first."""
    return list(CELLS.sources)


def show_html(html: str, text: str) -> None:
    """Display one output with an HTML form and a text form."""
    display({"text/html": html, "text/plain": text}, raw=True)  # type: ignore[no-untyped-call]

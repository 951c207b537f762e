"""An IPython shell without kernel: what it shows goes to a journal.

It does for a notebook what ipykernel does, without sockets, threads and
messages: streams, displays, results, errors, widgets' state.
"""

from __future__ import annotations

import base64
import builtins
import getpass
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import comm
from comm.base_comm import BaseComm
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from runbook_lib.batch.transforming import PythonFirst

Write = Callable[..., None]
AWAITING = ("await", "async")


class Outlet:
    """Where the shell of this process shows things; unconnected it drops them."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self.write: Write = lambda kind, **fields: None
        self.pending: Callable[[], None] = lambda: None

    def show(self, kind: str, **fields: object) -> None:
        """Write what was printed so far, then one output."""
        self.pending()
        self.write(kind, **fields)


OUTLET = Outlet()


class Streams:
    """Standard output and error of the running cell.

    What the cell prints is gathered until something else is shown or the other
    stream is written to, so that the order of everything stays true.
    """

    def __init__(self) -> None:
        """Gather nothing yet."""
        self._name = ""
        self._texts: list[str] = []

    def add(self, name: str, text: str) -> None:
        """Gather a text of a stream."""
        if name != self._name:
            self.flush()
            self._name = name
        self._texts.append(text)

    def flush(self) -> None:
        """Write what was gathered."""
        text, self._texts = "".join(self._texts), []
        if text:
            OUTLET.write("stream", name=self._name, text=text)


class CellStream(io.TextIOBase):
    """One of the two streams, in place of `sys.stdout` or `sys.stderr`."""

    encoding = "utf-8"

    def __init__(self, streams: Streams, name: str, descriptor: int) -> None:
        """Write to the streams under this name."""
        self.name = name
        self._streams = streams
        self._descriptor = descriptor

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that other programs write to."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Take a text; it is shown in order with everything else."""
        self._streams.add(self.name, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is gathered is written when the cell ends at the latest."""


class Publisher(DisplayPublisher):
    """Shows displays."""

    def publish(  # type: ignore[override]
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **_ignored: object,
    ) -> None:
        """Show a display, or another content for one that was made before."""
        OUTLET.show(
            "update" if update else "display",
            data=plain(data),
            metadata=metadata or {},
            display_id=(transient or {}).get("display_id"),
        )

    def clear_output(self, wait: bool = False) -> None:
        """Take back what the cell has shown, with `wait` once it shows more."""
        OUTLET.show("clear", wait=wait)


class ResultHook(DisplayHook):
    """Shows the value of a cell's last expression."""

    _shown: tuple[Mapping[str, Any], Mapping[str, Any] | None] | None = None

    def start_displayhook(self) -> None:
        """Forget the value before."""
        self._shown = None

    def quiet(self) -> bool:
        """Tell whether the cell ends with a semicolon; most have none."""
        shell: Any = self.shell
        cell = shell.history_manager.input_hist_parsed[-1]
        return ";" in cell and bool(self.semicolon_at_end_of_expression(cell))  # type: ignore[no-untyped-call]

    def write_output_prompt(self) -> None:
        """Write nothing: the number of the result goes with it."""

    def write_format_data(
        self, format_dict: Mapping[str, Any], md_dict: Mapping[str, Any] | None = None
    ) -> None:
        """Keep the forms of the value."""
        self._shown = (format_dict, md_dict)

    def finish_displayhook(self) -> None:
        """Show the value, if it has any form."""
        if self._shown and self._shown[0]:
            data, metadata = self._shown
            OUTLET.show(
                "result",
                data=plain(data),
                metadata=metadata or {},
                count=self.prompt_count,
            )


class WidgetComm(BaseComm):
    """The kernel's end of a widget; nobody is at the other one."""

    def publish_msg(
        self, msg_type: str, data: Any = None, *_args: object, **_keys: object
    ) -> None:
        """Keep the state that the widget sends."""
        state = (data or {}).get("state")
        if state is not None and msg_type != "comm_close":
            OUTLET.show("comm", comm=self.comm_id, state=state)


class NotebookShell(InteractiveShell):
    """The shell that runs a notebook's cells."""

    displayhook_class = Type(ResultHook)
    display_pub_class = Type(Publisher)

    def init_display_formatter(self) -> None:
        """Offer every form of a value, as a kernel does."""
        super().init_display_formatter()  # type: ignore[no-untyped-call]
        formatter: Any = self.display_formatter
        formatter.active_types = list(formatter.format_types)

    def should_run_async(
        self, raw_cell: str, *, transformed_cell: str | None = None, **given: Any
    ) -> bool:
        """Tell whether a cell waits for something outside a function of its own."""
        awaits = any(word in (transformed_cell or raw_cell) for word in AWAITING)
        return awaits and super().should_run_async(
            raw_cell, transformed_cell=transformed_cell, **given
        )

    def enable_gui(self, gui: object = None) -> None:
        """Do nothing: there is no screen."""

    def ask_exit(self) -> NoReturn:
        """End the process, as `exit()` in a notebook ends its kernel."""
        OUTLET.pending()
        os._exit(0)

    def _showtraceback(
        self, etype: type[BaseException], evalue: BaseException, stb: Sequence[str]
    ) -> None:
        lines = [stb] if isinstance(stb, str) else list(stb)
        name = etype.__name__
        OUTLET.show("error", ename=name, evalue=str(evalue), traceback=lines)


def make_shell() -> NotebookShell:
    """Make the one shell of this process; it keeps no history."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.warn_venv = False
    shell: NotebookShell = NotebookShell.instance(config=config)
    shell.input_transformer_manager = PythonFirst()
    comm.create_comm = WidgetComm
    return shell


def connect(write: Write) -> None:
    """Send what the shell of this process shows to `write`, from now on."""
    streams = Streams()
    OUTLET.write, OUTLET.pending = write, streams.flush
    sys.stdout = CellStream(streams, "stdout", 1)
    sys.stderr = CellStream(streams, "stderr", 2)
    builtins.input = _nobody_answers
    getpass.getpass = _nobody_answers


def _nobody_answers(*_arguments: object, **_named: object) -> NoReturn:
    raise StdinNotImplementedError(
        "raw_input was called, but this frontend does not support input requests."
    )


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forms of a value with binary ones as base64 texts."""
    return {
        form: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for form, value in data.items()
    }

"""Work behind a click: one at a time, in a thread, with progress and plain errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from runbook_lib.errors import RunbookError
from runbook_lib.views.rendering import visible
from runbook_lib.views.theme import Tone, inline_box

SLICE = 0.5
WATCHED = 1800.0


class Work:
    """Runs one task at a time in a daemon thread and tells a person about it.

    `refresh` draws the panel; it is called when work begins and when it ends.
    What a task returns is said; what it raises is shown in two lines, because
    output and errors of a widget's callback are lost to the page.
    """

    def __init__(self, refresh: Callable[[], None]) -> None:
        """Make the widgets; no thread is started."""
        self._refresh = refresh
        self._one = threading.Lock()
        self._waited = 0.0
        self.thread: threading.Thread | None = None
        self._status = ipywidgets.HTML(_status(""))
        self._progress = ipywidgets.HTML()
        self._remark = ipywidgets.HTML()

    @property
    def widgets(self) -> list[Any]:
        """Return the widgets that tell: remark, status, progress."""
        return [self._remark, self._status, self._progress]

    @property
    def busy(self) -> bool:
        """Tell whether a task is running."""
        return self._one.locked()

    def say(self, text: str) -> None:
        """Tell a sentence; screen readers announce it."""
        self._status.value = _status(text)

    def remark(self, text: str | None) -> None:
        """Show a lasting remark, or none."""
        self._remark.value = f"<p>{escape(text)}</p>" if text else ""

    def guarded(self, action: Callable[[], None]) -> None:
        """Call what a click asks for; an error is shown, never raised."""
        try:
            action()
        except Exception as error:
            self._status.value = alert(error_lines(error))

    def start(self, words: str, task: Callable[[], str]) -> None:
        """Start a task unless one is running; clicks meanwhile do nothing."""
        if not self._one.acquire(blocking=False):
            return
        self._waited = 0.0
        self.say(f"{words}…")
        self.thread = threading.Thread(target=self._run, args=(task,), daemon=True)
        self.thread.start()
        self._refresh()

    def _run(self, task: Callable[[], str]) -> None:
        try:
            told = _status(task())
        except Exception as error:
            told = alert(error_lines(error))
        self._one.release()
        self._progress.value = ""
        self.guarded(self._refresh)
        self._status.value = told

    def sleep(self, seconds: float) -> None:
        """Sleep in slices, and show for how long the tenant is being waited for."""
        if not self._waited:
            self.say("Waiting for replication. You may leave; this goes on.")
            self._refresh()
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            pause = min(left, SLICE)
            time.sleep(pause)
            self._waited += pause
            self._progress.value = waiting(self._waited)

    def watch(self, underway: Callable[[], bool]) -> None:
        """Redraw once a step that is under way has ended.

        It was begun by another click: this panel was drawn by running the cell
        again. After a restart of the kernel nothing ends it, so watching ends.
        """
        if underway():
            thread = threading.Thread(target=self._watch, args=(underway,), daemon=True)
            thread.start()

    def _watch(self, underway: Callable[[], bool]) -> None:
        until = time.monotonic() + WATCHED
        while time.monotonic() < until and underway():
            time.sleep(SLICE)
        self.guarded(self._refresh)


def waiting(seconds: float) -> str:
    """Return the line that counts; it is not announced, or it would never stop."""
    return f'<span aria-live="off">waiting for replication, {seconds:.0f} s</span>'


def error_lines(error: Exception) -> list[str]:
    """Return the one or two lines that a person reads instead of a stack."""
    if isinstance(error, RunbookError):
        return error.lines()
    return [
        f"Unforeseen fault: {type(error).__name__}.",
        "Remedy: this is a defect of the runbook; report it with the record.",
    ]


def alert(lines: list[str]) -> str:
    """Return error lines as an alert."""
    text = "<br>".join(escape(visible(line)) for line in lines)
    return f'<div role="alert" style="{inline_box(Tone.BAD)}">✖ {text}</div>'


def _status(text: str) -> str:
    return f'<div role="status" aria-live="polite">{escape(visible(text))}</div>'

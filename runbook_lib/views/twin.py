"""The two forms of one card: static output, and a widget that hides it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import ipywidgets
from IPython.display import DisplayHandle, display

from runbook_lib.engine.chain import Event
from runbook_lib.engine.step import Step
from runbook_lib.views.cards import card_html, card_text, waiting_card, waiting_text
from runbook_lib.views.theme import Tone, inline_box

# While the panel is alive it hides the static card. Once its kernel is gone the
# panel would show for ever what it showed last: JupyterLab marks it as
# disconnected, and it makes way for the static card. The last two rules hide the
# empty frame and the line about a missing model of a panel that never came alive.
_LIVE = ".rb-live:not(.jupyter-widgets-disconnected)"
_CELL = ".jp-OutputArea:has(.rb-static)"
HIDE = (
    f"<style>.jp-OutputArea:has({_LIVE}) .rb-static{{display:none}}"
    f"{_CELL} .jupyter-widgets-disconnected{{display:none}}"
    f"{_CELL}:not(:has(.rb-live)) .jupyter-widgets:not(:has(*)){{display:none}}"
    f"{_CELL}:not(:has(.rb-live)) .jp-RenderedText:not(:has(*)){{display:none}}"
    "</style>"
)

# After a reload of the page the kernel can no longer reach the static card
# (https://github.com/ipython/ipython/issues/12215), so it must not look current.
BEHIND = (
    "No panel is connected, so this card may be behind the record. "
    "Run the cell to see what the record says; running it writes nothing."
)

INTERRUPTED = (
    "An apply of this step was begun and its end is not on record. "
    "Apply… looks first, and writes only what is still missing."
)


@dataclass(frozen=True)
class Drawing:
    """What the record holds of a step: its last end, and a begin without end."""

    step: Step
    last: Event | None
    begun: Event | None

    @property
    def begun_last(self) -> bool:
        """Tell whether the begin is newer than the last end."""
        if self.begun is None:
            return False
        newest = cast("int", self.last["seq"]) if self.last else -1
        return cast("int", self.begun["seq"]) > newest

    def html(self, *, full: bool) -> str:
        """Return the card as HTML."""
        if self.last is None or self.begun_last:
            return waiting_card(self.step, self.begun)
        note = "" if self.begun is None else _note(INTERRUPTED)
        return card_html(self.last, full=full) + note

    def text(self) -> str:
        """Return the card as plain text."""
        if self.last is None or self.begun_last:
            return waiting_text(self.step, self.begun)
        return card_text(self.last)


def _note(text: str) -> str:
    style = inline_box(Tone.WAIT)
    return f'<div class="rb-note" style="{style}"><b>Interrupted:</b> {text}</div>'


class Twin:
    """One card in two outputs, both drawn from the same reading of the record."""

    def __init__(self, read: Callable[[], Drawing]) -> None:
        """Read the record by `read` each time the card is drawn."""
        self._read = read
        self._handle: DisplayHandle | None = None
        self._live: Any = None
        self.applying = False

    @property
    def live(self) -> Any:
        """Return the widget that holds the live card; made when first asked for."""
        if self._live is None:
            self._live = ipywidgets.HTML()
            self._live.add_class("rb-live")
        return self._live

    def show(self, *, live: bool) -> None:
        """Display the static card: once, or so that it can be redrawn."""
        bundle = _bundle(self._read(), live=live)
        if live:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            display(bundle, raw=True)  # type: ignore[no-untyped-call]

    def draw(self) -> None:
        """Draw both forms anew from the record.

        While `applying` the static card says that work began: should the kernel
        be killed meanwhile, that is what stays.
        """
        drawing = self._read()
        self.live.value = drawing.html(full=True)
        self._update(_begun(drawing) if self.applying else _bundle(drawing, live=True))

    def _update(self, bundle: dict[str, str]) -> None:
        if self._handle is not None:
            self._handle.update(bundle, raw=True)  # type: ignore[no-untyped-call]


def _bundle(drawing: Drawing, *, live: bool) -> dict[str, str]:
    card = _static(drawing.html(full=False), live=live)
    return {"text/html": card, "text/plain": drawing.text()}


def _begun(drawing: Drawing) -> dict[str, str]:
    begun = drawing.begun or {}
    card = _static(waiting_card(drawing.step, begun), live=True)
    return {"text/html": card, "text/plain": waiting_text(drawing.step, begun)}


def _static(card: str, *, live: bool) -> str:
    """Return the static card; beside a panel it says that it may be behind."""
    if not live:
        return f'<div class="rb-static">{card}</div>'
    return f'{HIDE}<div class="rb-static">{card}<p>{BEHIND}</p></div>'

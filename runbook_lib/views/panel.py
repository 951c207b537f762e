"""A step on the screen: the card of the record, and a panel over the same record.

The card is static output that needs no kernel. Where somebody is there, a panel
of widgets stands below it and hides it while the panel is alive. Both are drawn
from the record alone; drawing never acts, and only a click does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import ipywidgets
from IPython.display import display

from runbook_lib.engine.chain import Event
from runbook_lib.engine.effects import MessageProbe
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.step import Attestation, Change, Evidence, Mode, Outcome, Step
from runbook_lib.views.buttons import BUTTONS, STYLES, names_of
from runbook_lib.views.confirmation import confirmation_html, same_plan
from runbook_lib.views.evidence_form import EvidenceForm
from runbook_lib.views.twin import Drawing, Twin
from runbook_lib.views.words import badge
from runbook_lib.views.work import Work

CHANGED_MEANWHILE = (
    "Nothing was written: the tenant changed since you looked. "
    "Look at the card, then choose Apply… again."
)


class Controls(Protocol):
    """What a panel may ask of its run; the run implements it."""

    def last(self, step_id: str) -> Event | None:
        """Return the last `step.end` of a step, or None."""

    def underway(self, step_id: str) -> Event | None:
        """Return a `step.begin` that no `step.end` followed, or None."""

    def perform(
        self, step: Step, mode: Mode, sleep: Callable[[float], None] | None = None
    ) -> StepResult:
        """Perform a step; thread-safe, and only ever called from a click."""

    def hand_in(self, step: Step, evidence: Evidence) -> None:
        """Take a person's evidence into the record."""

    def why_no_apply(self) -> str | None:
        """Return the sentence that says why apply is not allowed here, or None."""

    def where(self) -> Mapping[str, str]:
        """Return target, tenant, mailbox and change reference."""


def show(step: Step, controls: Controls, *, live: bool) -> None:
    """Show a step: its card, and the panel where somebody is there.

    Nothing is performed. Without `live` no widget is made, so none is saved.
    """
    twin = Twin(lambda: drawing(step, controls))
    twin.show(live=live)
    if live:
        panel = Panel(step, controls, twin)
        view = {"model_id": panel.box.model_id, "version_major": 2, "version_minor": 0}
        # Empty texts keep the widget's representation out of the saved notebook.
        bundle = {
            "application/vnd.jupyter.widget-view+json": view,
            "text/html": "",
            "text/plain": "",
        }
        display(bundle, raw=True)  # type: ignore[no-untyped-call]


def drawing(step: Step, controls: Controls) -> Drawing:
    """Return what the record says of a step now: the newest of begin and end."""
    last, begun = controls.last(step.id), controls.underway(step.id)
    return Drawing(step, last, begun)


class Panel:
    """The buttons of one step. Its state is the record's; it keeps none itself.

    What it does keep is what a person is about to confirm, so that a tenant that
    changed meanwhile is noticed before anything is written.
    """

    def __init__(self, step: Step, controls: Controls, twin: Twin) -> None:
        """Build the widgets; nothing is performed."""
        self.step = step
        self.controls = controls
        self.twin = twin
        self.buttons = {name: self._button(name) for name in names_of(step)}
        self.work = Work(self._refresh)
        self.form = EvidenceForm() if isinstance(step, Attestation) else None
        self.question = ipywidgets.HTML()
        self.asking = self._asking()
        self._asked: Event | None = None
        self.box = ipywidgets.VBox(self._children())
        self._refresh()
        self.work.watch(lambda: drawing(step, controls).begun_last)

    def _button(self, name: str) -> Any:
        button = ipywidgets.Button(
            description=name,
            tooltip=BUTTONS[name],
            button_style=STYLES.get(name, ""),
            layout=ipywidgets.Layout(width="110px"),
        )
        button.on_click(lambda _: self._clicked(name))
        return button

    def _asking(self) -> Any:
        confirm = [self.buttons[n] for n in ("Confirm", "Cancel") if n in self.buttons]
        box = ipywidgets.VBox([self.question, ipywidgets.HBox(confirm)])
        box.layout.display = "none"
        return box

    def _children(self) -> list[Any]:
        shown = [b for n, b in self.buttons.items() if n not in ("Confirm", "Cancel")]
        form = [self.form.box] if self.form else []
        row = ipywidgets.HBox(shown, layout=ipywidgets.Layout(flex_flow="row wrap"))
        return [self.twin.live, *form, row, self.asking, *self.work.widgets]

    def _clicked(self, name: str) -> None:
        actions = {
            "Plan": lambda: self._perform(Mode.PLAN, "Looking"),
            "Apply…": self._ask,
            "Confirm": self._confirm,
            "Cancel": self._cancel,
            "Verify": lambda: self._perform(Mode.VERIFY, "Looking"),
            "Hand in": self._hand_in,
        }
        self.work.guarded(actions[name])

    def _perform(self, mode: Mode, words: str) -> None:
        self._close_question()
        self.work.start(words, lambda: self._result(mode))

    def _result(self, mode: Mode) -> str:
        result = self.controls.perform(self.step, mode, self.work.sleep)
        return f"{self.step.heading}: {badge(result.event).words}."

    def _ask(self) -> None:
        """Show what would be written; a Change is planned anew for that."""
        if isinstance(self.step, Change):
            self.work.start("Looking at what would be written", self._plan_and_ask)
        else:
            self._open_question(None)

    def _plan_and_ask(self) -> str:
        planned = self.controls.perform(self.step, Mode.PLAN, self.work.sleep).event
        interrupted = self.controls.underway(self.step.id) is not None
        if planned["outcome"] != Outcome.PLANNED and not interrupted:
            return f"Nothing to confirm: {self.step.heading}: {badge(planned).words}."
        self._open_question(planned)
        return "Nothing is written yet: read, then confirm or cancel."

    def _open_question(self, planned: Event | None) -> None:
        self._asked = planned
        where = self.controls.where()
        begun = self.controls.underway(self.step.id)
        self.question.value = confirmation_html(self.step, planned, where, begun)
        self.asking.layout.display = "flex"

    @property
    def _is_asking(self) -> bool:
        return bool(self.asking.layout.display != "none")

    def _close_question(self) -> None:
        self._asked = None
        self.asking.layout.display = "none"

    def _cancel(self) -> None:
        self._close_question()
        self.work.say("Cancelled. Nothing was written.")

    def _confirm(self) -> None:
        if not self._is_asking:  # the second click of a double click
            return
        asked = self._asked
        self._close_question()
        self.twin.applying = True
        self.work.start("Applying", lambda: self._apply(asked))

    def _apply(self, asked: Event | None) -> str:
        """Apply what was confirmed, unless the tenant shows something else now."""
        try:
            if asked is not None and not self._still_so(asked):
                return CHANGED_MEANWHILE
            return self._result(Mode.APPLY)
        finally:
            self.twin.applying = False

    def _still_so(self, asked: Event) -> bool:
        now = self.controls.perform(self.step, Mode.PLAN, self.work.sleep)
        return same_plan(asked, now.event)

    def _hand_in(self) -> None:
        form = self.form
        if form is not None:
            words = "Taking the evidence into the record"
            self.work.start(words, lambda: self._attach(form))

    def _attach(self, form: EvidenceForm) -> str:
        with form.collected() as evidence:
            self.controls.hand_in(self.step, evidence)
        form.clear()
        return self._result(Mode.VERIFY)

    def _refresh(self) -> None:
        """Draw card and buttons from the record."""
        self.twin.draw()
        why_not = self.controls.why_no_apply()
        for name, button in self.buttons.items():
            button.disabled = self.work.busy or (name == "Apply…" and bool(why_not))
        if "Apply…" in self.buttons:
            self.work.remark(why_not)
        if isinstance(self.step, MessageProbe) and self._was_sent():
            self.buttons["Plan"].disabled = True

    def _was_sent(self) -> bool:
        """Tell whether an apply of this step is on record: it is not planned twice."""
        last = self.controls.last(self.step.id)
        looked = (Outcome.OK, Outcome.PENDING, Outcome.FAILED)
        return bool(last and last["mode"] == Mode.APPLY and last["outcome"] in looked)

"""What a person reads before Confirm: exactly what will be written, and where."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape

from runbook_lib.engine.chain import Event
from runbook_lib.engine.effects import MessageProbe
from runbook_lib.engine.expect import plain
from runbook_lib.engine.step import Step
from runbook_lib.errors import RunbookError
from runbook_lib.views.rendering import soft, value_html
from runbook_lib.views.rows import rows
from runbook_lib.views.tables import table_html
from runbook_lib.views.theme import Tone, inline_card, style_sheet

ACTIONS = {
    "create": "A new object is made.",
    "update": "An object that is there is changed.",
    "delete": "An object is deleted.",
    "adopt": "An object that this tool did not make is adopted and changed.",
}
MESSAGE = (
    "One message is sent, if this run changed something and has not sent it before. "
    "A message cannot be taken back."
)
MESSAGES = (
    "Messages are sent, {number} in all, if this run changed something; those that it "
    "has sent before are not sent again. A message cannot be taken back."
)
NO_EFFECT = (
    "Nothing is written: this probe does the real thing once and leaves no effect. "
    "In apply it also waits for replication."
)
INTERRUPTED = (
    "An apply of this step was begun and its end is not on record. Confirm looks "
    "first, puts on record what it wrote, and writes only what is still missing."
)


def confirmation_html(
    step: Step,
    planned: Event | None,
    where: Mapping[str, str],
    begun: Event | None = None,
) -> str:
    """Return the question: what will be written (before, after), and where.

    `planned` is the plan of a Change, made for this question; a probe has none.
    `begun` is an apply of the step that was interrupted.
    """
    what = _changes(planned) if planned else _effect(step)
    before = f"<p>{INTERRUPTED}</p>" if begun else ""
    places = [[escape(name.capitalize()), soft(text)] for name, text in where.items()]
    return (
        f"<style>{style_sheet()}</style>"
        f'<section class="rb rb-edge-{Tone.WARN}" aria-label="Confirm" '
        f'style="{inline_card(Tone.WARN)}">'
        f"<p><b>Apply: {escape(step.heading)}?</b></p>"
        f"{before}{what}{table_html('Where', ('What', 'Value'), places)}</section>"
    )


def _changes(planned: Event) -> str:
    changing = [row for row in rows(planned) if row.compared and row.differs]
    if not changing:
        return "<p>As far as can be seen now, nothing is left to write.</p>"
    said = ACTIONS.get(str(planned.get("action")), "")
    cells = [
        [
            soft(row.name),
            value_html(row.before),
            value_html(row.expected),
            f"{row.sign} {row.word}",
        ]
        for row in changing
    ]
    columns = ("Property", "Before", "After", "Change")
    return f"<p>{said}</p>{table_html('This will be written', columns, cells)}"


def _effect(step: Step) -> str:
    said = _messages(step) if isinstance(step, MessageProbe) else NO_EFFECT
    cells = [
        [soft(field.name), value_html(plain(getattr(step, field.name)))]
        for field in dataclasses.fields(step)
    ]
    return f"<p>{said}</p>{table_html('With', ('Input', 'Value'), cells)}"


def _messages(step: MessageProbe) -> str:
    try:
        number = len(step.parts())
    except RunbookError:  # its inputs leave nothing to send, which Apply then says
        number = 1
    return MESSAGE if number == 1 else MESSAGES.format(number=number)


def same_plan(asked: Event, now: Event) -> bool:
    """Tell whether two plans of a step would write the same to the same state."""
    compared = ("outcome", "action", "before", "expected", "resolved")
    return all(asked.get(name) == now.get(name) for name in compared)

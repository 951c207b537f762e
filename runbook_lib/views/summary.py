"""The last cell of a notebook: result, and each step with its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from runbook_lib.engine.chain import Event
from runbook_lib.views import story
from runbook_lib.views.notices import badge_html
from runbook_lib.views.rendering import visible
from runbook_lib.views.tables import table_html
from runbook_lib.views.theme import inline_card, style_sheet
from runbook_lib.views.verdict import sentences, verdict

if TYPE_CHECKING:
    import pandas


def summary(events: Sequence[Event]) -> pandas.DataFrame:
    """Return all steps, reached or not: step id, title, outcome, badge in words.

    `outcome` is null for a step that was not reached.
    """
    # Here, because closing a record draws the report and needs no data frame.
    import pandas

    columns = ["step", "title", "outcome", "badge"]
    rows = [
        (point.step, point.title, point.event.get("outcome"), point.badge.words)
        for point in story.steps(events)
    ]
    return pandas.DataFrame(rows, columns=columns)


def summary_html(events: Sequence[Event]) -> str:
    """Return the summary as a card; nothing in it derives from a time."""
    shown = verdict(events)
    rows = [
        [escape(visible(point.title)), badge_html(point.badge)]
        for point in story.steps(events)
    ]
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences(events))
    return (
        f"<style>{style_sheet()}</style>"
        f'<section class="rb rb-edge-{shown.tone}" aria-label="Result of the run" '
        f'style="{inline_card(shown.tone)}"><div class="rb-head">'
        f'<h4 class="rb-title">Result of the run</h4>{badge_html(shown)}</div>{said}'
        f"{table_html('Steps', ('Step', 'Outcome'), rows)}</section>"
    )


def summary_text(events: Sequence[Event]) -> str:
    """Return the summary as plain text: the result, then a line per step."""
    lines = [f"Result: {verdict(events).words}", *sentences(events)]
    lines += [
        f"  {visible(point.title)}: {visible(point.badge.words)}"
        for point in story.steps(events)
    ]
    return "\n".join(lines)

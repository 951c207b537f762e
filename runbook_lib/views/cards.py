"""A card: what one `step.end` event says, as HTML and as plain text.

A card needs no script and no style sheet to be understood: words and signs say
what colours say. JupyterLab's sanitiser and GitHub drop style elements, roles
and labels; the frame, the badge and the notices therefore carry literal styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import plain
from runbook_lib.engine.faults import expected
from runbook_lib.engine.step import Outcome, Step
from runbook_lib.views.notices import badge_html, notices_html
from runbook_lib.views.rendering import (
    soft,
    value_html,
    value_text,
    visible,
    without_times,
)
from runbook_lib.views.rows import Row, looked, rows, state
from runbook_lib.views.theme import CAPTION, CELL, inline_card, style_sheet
from runbook_lib.views.words import (
    KINDS,
    NOT_STARTED,
    UNDER_WAY,
    Badge,
    badge,
)

# Facts that are of no use to a reader of a card; events.ndjson has them.
_NOT_SHOWN = frozenset({"traceback"})


def card_html(event: Event, *, full: bool = False, styled: bool = True) -> str:
    """Return a step's card.

    `full` adds times and measured facts, which a committed notebook must not
    hold: the panel and the report show them. `styled` puts the style sheet in
    front; a page that has it already goes without.
    """
    shown = event if full else _reproducible(event)
    parts = [
        notices_html(shown, full=full),
        _table(shown),
        _details("Also seen, never compared or written", state(shown, "context")),
        _details("Measured", _facts(shown) if full else {}),
        _origin(shown, full=full),
    ]
    frame = _frame(shown, badge(shown), "".join(parts), heading=3 if full else 4)
    return (f"<style>{style_sheet()}</style>" if styled else "") + frame


def waiting_card(step: Step, begun: Event | None) -> str:
    """Return the card of a step whose end the record does not hold (yet).

    `begun` is the `step.begin` event: the step is being performed, or it was
    killed; the record cannot tell which. None: it was never begun.
    """
    event = _unended(step, begun)
    text = _NOTHING_YET if begun is None else _BEGUN
    body = f"<p>{text}</p>{_table(event)}"
    shown = NOT_STARTED if begun is None else UNDER_WAY
    frame = _frame(event, shown, body, heading=4)
    return f"<style>{style_sheet()}</style>{frame}"


_BEGUN = "Under way, or interrupted: look again with Verify."
_NOTHING_YET = "Nothing was read or written for this step in this run."


def waiting_text(step: Step, begun: Event | None) -> str:
    """Return the plain text of such a card."""
    return f"{step.heading}: {(NOT_STARTED if begun is None else UNDER_WAY).words}"


def card_text(event: Event) -> str:
    """Return a card as plain text: a line for the outcome, one per property.

    Nothing in it derives from a time, so a notebook that is made again is the
    same.
    """
    shown = _reproducible(event)
    lines = [f"{visible(str(shown['title']))}: {shown['outcome']}"]
    if badge(shown).words.lower() != str(shown["outcome"]):
        lines[0] += f" ({visible(badge(shown).words)})"
    lines += [f"  {_row_text(row, shown)}" for row in rows(shown)]
    for name in ("problem", "remedy", "advice", "vantage"):
        if shown.get(name):
            lines.append(f"  {name}: {visible(str(shown[name]))}")
    return "\n".join(lines)


def _reproducible(event: Event) -> Event:
    kept = {name: without_times(value) for name, value in event.items()}
    # What a person stated is an input, not something that derives from a clock.
    return {**kept, "attested": event.get("attested"), "until": None}


def _unended(step: Step, begun: Event | None) -> Event:
    """Return what can be shown of a step that has no end: never a result."""
    known: Event = {
        "step": step.id,
        "kind": step.kind,
        "title": step.heading,
        "expected": plain(expected(step)),
    }
    return {**known, **(begun or {}), "outcome": Outcome.BLOCKED, "after": {}}


def _frame(event: Event, shown: Badge, body: str, *, heading: int) -> str:
    title, step = escape(visible(str(event["title"]))), escape(str(event["step"]))
    kind = escape(KINDS.get(str(event.get("kind")), str(event.get("kind"))))
    return (
        f'<section class="rb rb-edge-{shown.tone}" aria-label="{title}" '
        f'style="{inline_card(shown.tone)}"><div class="rb-head">'
        f'<span class="rb-kind">{kind}</span>'
        f'<h{heading} class="rb-title" id="step-{step}">{title}</h{heading}>'
        f"{badge_html(shown)}</div>{body}</section>"
    )


def _table(event: Event) -> str:
    found = rows(event)
    if not found:
        return ""
    columns = _columns(event)
    head = "".join(f'<th scope="col" style="{CELL}">{name}</th>' for name in columns)
    body = "".join(_row_html(row, columns) for row in found)
    return (
        '<table class="rb-rows" style="width:100%;border-collapse:collapse">'
        f'<caption style="{CAPTION}">Properties</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _columns(event: Event) -> list[str]:
    """Return the columns that have something to say for this event.

    A missing object has no properties, so an empty `before` of a write says that
    they were all null.
    """
    written = event["outcome"] in (Outcome.CHANGED, Outcome.PLANNED, Outcome.REVERTED)
    change = event.get("kind") == "Change" and (written or event.get("before"))
    before = ["Before"] if change else []
    now = ["Now"] if looked(event) else []
    return ["Property", *before, "Expected", *now, "Compared"]


def _row_html(row: Row, columns: list[str]) -> str:
    cells = {
        "Before": value_html(row.before),
        "Expected": value_html(row.expected) if row.compared else "(any)",
        "Now": value_html(row.now),
    }
    middle = "".join(
        f'<td style="{CELL}">{cells[name]}</td>' for name in columns if name in cells
    )
    marked = ' class="rb-differs"' if row.differs else ""
    weight = ";font-weight:600" if row.differs else ""
    return (
        f'<tr{marked}><th scope="row" style="{CELL}">{soft(row.name)}</th>{middle}'
        f'<td class="rb-mark" style="{CELL}{weight}">{row.sign} {row.word}</td></tr>'
    )


def _row_text(row: Row, event: Event) -> str:
    values = []
    if "Before" in _columns(event):
        values.append(f"before {value_text(row.before)}")
    if row.compared:
        values.append(f"expected {value_text(row.expected)}")
    if "Now" in _columns(event):
        values.append(f"now {value_text(row.now)}")
    return f"{row.sign} {visible(row.name)}: {', '.join(values)} ({row.word})"


def _facts(event: Event) -> Mapping[str, object]:
    return {k: v for k, v in state(event, "facts").items() if k not in _NOT_SHOWN}


def _details(summary: str, values: Mapping[str, object]) -> str:
    if not values:
        return ""
    body = "".join(
        f'<tr><th scope="row" style="{CELL}">{soft(str(name))}</th>'
        f'<td style="{CELL}">{value_html(value)}</td></tr>'
        for name, value in values.items()
    )
    return (
        f"<details><summary>{escape(summary)}</summary><table>{body}</table></details>"
    )


def _origin(event: Event, *, full: bool) -> str:
    """Return where in the record the card comes from: never in a notebook."""
    if not full or "time" not in event:
        return ""
    line = f"event {event['seq']} of events.ndjson"
    said = f"{event['time']} (UTC), mode {event['mode']}, {line}"
    return f'<p class="rb-muted">{escape(said)}</p>'

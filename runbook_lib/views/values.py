"""The values that somebody enters in SAP, as a table to copy from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby

from runbook_lib.engine.expect import plain
from runbook_lib.views.rendering import value_text, visible
from runbook_lib.views.tables import table_html
from runbook_lib.views.theme import Tone, inline_card, style_sheet

Row = Mapping[str, object]


def values_table(rows: Iterable[Row]) -> tuple[str, str]:
    """Return the table as HTML and as plain text.

    A row has `place` (the transaction), `field`, `value`, and `doubt`: null
    where a source states the value. A value may be a reference that the run has
    not resolved yet.
    """
    by_place = [(place, list(found)) for place, found in groupby(rows, _place)]
    tables = "".join(_table(place, found) for place, found in by_place)
    lines = [line for place, found in by_place for line in _lines(place, found)]
    html = (
        f"<style>{style_sheet()}</style>"
        f'<section class="rb rb-edge-{Tone.PERSON}" aria-label="Values for SAP" '
        f'style="{inline_card(Tone.PERSON)}">{tables}</section>'
    )
    return html, "\n".join(lines)


def _place(row: Row) -> str:
    return str(row["place"])


def _table(place: str, rows: list[Row]) -> str:
    columns = ("Field", "Value to enter", "Certainty")
    cells = [
        [
            escape(visible(str(row["field"]))),
            f"<code>{escape(_value(row))}</code>",
            escape(_doubt(row)),
        ]
        for row in rows
    ]
    return table_html(visible(place), columns, cells)


def _lines(place: str, rows: list[Row]) -> list[str]:
    fields = [f"  {visible(str(r['field']))}: {_value(r)} ({_doubt(r)})" for r in rows]
    return [visible(place), *fields]


def _value(row: Row) -> str:
    """Return a value as it is typed: a text is never quoted here."""
    value = plain(row["value"])
    return visible(value) if isinstance(value, str) else value_text(value)


def _doubt(row: Row) -> str:
    doubt = row.get("doubt")
    return f"Uncertain: {visible(str(doubt))}" if doubt else "stated by its source"

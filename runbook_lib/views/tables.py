"""Plain tables with a caption and scoped headers, readable without a style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from runbook_lib.views.theme import CAPTION, CELL


def table_html(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    """Return a table; cells are HTML already, the first of a row is its header."""
    head = "".join(
        f'<th scope="col" style="{CELL}">{escape(name)}</th>' for name in columns
    )
    body = "".join(_row(row) for row in rows)
    return (
        '<table style="width:100%;border-collapse:collapse">'
        f'<caption style="{CAPTION}">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(row: Sequence[str]) -> str:
    name, *others = row
    cells = "".join(f'<td style="{CELL}">{cell}</td>' for cell in others)
    return f'<tr><th scope="row" style="{CELL}">{name}</th>{cells}</tr>'

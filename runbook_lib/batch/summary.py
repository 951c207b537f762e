"""The summary of a batch: one page without script, and a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from runbook_lib.batch.outcomes import Outcome
from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import header
from runbook_lib.engine.result import result_of, worst

# A spreadsheet takes a cell that begins so for a formula, or may.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

COLUMNS = (
    "tenant",
    "tenant ID",
    "run",
    "end",
    "result",
    "exit code",
    "outcomes",
    "actions",
    "plan digest",
    "SHA256SUMS",
    "problem",
    "report",
)

_STYLE = """\
body{font:14px/1.45 system-ui,sans-serif;margin:2em;color:#1b2430;background:#fff}
h1{font-size:20px}table{border-collapse:collapse;width:100%}
caption{text-align:left;font-weight:600;padding:4px 0}
th,td{border:1px solid #d5dbe3;padding:4px 8px;text-align:left;vertical-align:top;
overflow-wrap:anywhere}thead th{background:#f3f5f8;position:static}
.bad{color:#8f1616;font-weight:600}.good{color:#0a5c2b}.wait{color:#694200}
code{font:12px ui-monospace,monospace}@media print{tr{break-inside:avoid}}
"""


def row(outcome: Outcome) -> tuple[str, ...]:
    """Return the texts of one tenant, in the order of `COLUMNS`."""
    return (
        outcome.tenant,
        outcome.tenant_id,
        outcome.run,
        outcome.end,
        outcome.result or "",
        str(outcome.exit_code),
        counted(outcome.outcomes),
        counted(outcome.actions),
        outcome.plan_digest or "",
        outcome.sums or "",
        outcome.problem or "",
        f"../../{outcome.tenant}/{outcome.run}/report.html" if outcome.result else "",
    )


def counted(counts: Mapping[str, int]) -> str:
    """Return counts as a person reads them: `3 ok, 1 pending`."""
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def summary_csv(outcomes: Iterable[Outcome]) -> str:
    """Return the table as CSV; no cell of it can start a formula.

    Source: OWASP, CSV Injection; RFC 4180.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows(map(_neutral, row(outcome)) for outcome in outcomes)
    return text.getvalue()


def _neutral(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def summary_html(events: Sequence[Event], outcomes: Sequence[Outcome]) -> str:
    """Return the page: what was run, what came of it, one row for each tenant."""
    first = header(events)
    title = f"Batch {first['run']}: {first['notebook']}, {first['mode']}"
    result = result_of(worst(outcome.exit_code for outcome in outcomes))
    ends = Counter(outcome.end for outcome in outcomes)
    facts = f"{len(outcomes)} tenants: {counted(dict(sorted(ends.items())))}."
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p>Result: <b>{escape(result)}</b>. "
        f"{escape(facts)} Begun {escape(str(first['time']))}.</p>{_table(outcomes)}"
        "<p>Each run has a record of its own; this page is drawn from "
        "<code>events.ndjson</code> beside it.</p></body></html>\n"
    )


def _table(outcomes: Iterable[Outcome]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS)
    body = "".join(map(_line, outcomes))
    return (
        f"<table><caption>Tenants</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _line(outcome: Outcome) -> str:
    name, *middle, report = row(outcome)
    cells = [f'<th scope="row">{escape(name)}</th>']
    cells += [f"<td{_class(outcome, n)}>{escape(t)}</td>" for n, t in enumerate(middle)]
    link = f'<a href="{escape(report)}">report</a>' if report else ""
    return f"<tr>{''.join(cells)}<td>{link}</td></tr>"


def _class(outcome: Outcome, place: int) -> str:
    """Colour the cells of end and result; the text says the same."""
    if place not in (2, 3):
        return ""
    good = "good" if outcome.exit_code in (0, 4) else "wait"
    return f' class="{"bad" if outcome.bad else good}"'

"""The summary: safe in a browser and in a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from runbook_lib.batch.ends import End
from runbook_lib.batch.members import Member
from runbook_lib.batch.outcomes import cut_off, ran
from runbook_lib.batch.summary import COLUMNS, summary_csv, summary_html

EVENTS = (
    {
        "event": "run.opened",
        "run": "b1",
        "notebook": "1-smtp-oauth",
        "mode": "plan",
        "time": "2026-01-01T00:00:00.000Z",
    },
)


def member(name: str) -> Member:
    """Return a member of a batch."""
    return Member(name, Path(f"{name}.yaml"), "id", Path(name), "run1")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_no_cell_starts_a_formula(start: str) -> None:
    """What a service said is text in a spreadsheet, whatever it begins with."""
    text = f"{start}HYPERLINK(1)"
    table = summary_csv([cut_off(member("contoso"), End.DIED, problem=text)])
    header, line = csv.reader(io.StringIO(table, newline=""))
    assert tuple(header) == COLUMNS
    found = line[COLUMNS.index("problem")]
    assert found == f"'{text}"
    assert not any(cell.startswith(tuple("=+-@\t\r\n＝＠")) for cell in line)


def test_page_runs_nothing() -> None:
    """Markup in a problem is shown, and the page forbids itself every script."""
    problem = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    outcomes = [
        cut_off(member("contoso"), End.TIMED_OUT, problem=problem),
        ran(member("fabrikam"), End.COMPLETED, 4, "succeeded", plan_digest="d" * 64),
    ]
    page = summary_html(EVENTS, outcomes)
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page
    assert "timed out" in page
    assert 'href="../../fabrikam/run1/report.html"' in page
    assert "d" * 64 in page

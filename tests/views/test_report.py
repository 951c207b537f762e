"""The report stands alone: one sound page, marked, and the same each time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.record import EVENTS, Record
from runbook_lib.views.report import SANDBOX_MARK, css_string, report_html
from tests.views.html_reader import Page, words
from tests.views.runs import (
    failed_run,
    planned_run,
    refused_run,
    rolled_back_run,
)
from tests.views.samples import (
    applied_run,
    new_record,
)

SECTIONS = [
    "Contents",
    *("Result", "What changed", "Steps", "Proof", "Open points"),
    *("Attested by people", "Limits", "Evidence per step"),
    *("Operator and parameters", "Traffic", "Files, and how to check them"),
]


HOSTILE = "</style><script>alert(1)</script>\"'"


RUNS = [applied_run, planned_run, rolled_back_run, refused_run, failed_run]


@pytest.fixture(params=RUNS, ids=[run.__name__ for run in RUNS])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Record:
    """Return a record of each kind of run."""
    made: Record = request.param(tmp_path / "run-1")
    return made


def test_structure(record: Record) -> None:
    """One sound page: headings in order, scoped headers, captions, unique ids."""
    html = report_html(record.events, folder=record.folder)
    page = Page(html)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert [text for level, text in page.headings if level == 2] == SECTIONS
    assert all(
        header.get("scope") in ("col", "row", "rowgroup") for header in page.headers
    )
    in_details = html.count("<details>")
    assert page.captions == page.tags.count("table") - in_details
    assert len(page.ids) == len(set(page.ids))


def test_it_stands_alone(record: Record) -> None:
    """No script, no resource, no address: links lead within the page only."""
    html = report_html(record.events, folder=record.folder)
    page = Page(html)
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert page.resources == []
    assert page.handlers == []
    assert not re.search(r"https?://|@import|url\(", html)
    assert "default-src 'none'" in html
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_same_record_same_report(record: Record) -> None:
    """The report can be drawn again from the files, byte for byte."""
    first = report_html(record.events, folder=record.folder)
    events = read_chain(record.folder / EVENTS).events
    assert report_html(events, folder=record.folder) == first


def test_sandbox_mark(tmp_path: Path) -> None:
    """A sandbox report is marked on screen, in the margin and along every page."""
    record = applied_run(tmp_path / "run-1")
    html = report_html(record.events, folder=record.folder)
    assert Page(html).text.count(SANDBOX_MARK) >= 3
    assert f"@bottom-left{{content:{css_string(SANDBOX_MARK)}" in html
    assert "position:fixed" in html


def test_real_target_has_no_sandbox_mark(tmp_path: Path) -> None:
    """A report about a real tenant does not carry the mark; its pages say the run."""
    record = failed_run(tmp_path / "run-1")
    html = report_html(record.events, folder=record.folder)
    assert "SANDBOX" not in html
    assert css_string("SANDBOX") not in html
    assert "run run-1" in Page(html).text


@pytest.mark.parametrize("field", ["title", "notebook", "parameters", "tenant"])
def test_hostile_header_stays_text(field: str, tmp_path: Path) -> None:
    """Markup in the header, which goes into the style sheet as well, stays text."""
    value = {field: {"mailbox": HOSTILE, HOSTILE: HOSTILE}}
    header = value if field in ("parameters", "tenant") else {field: HOSTILE}
    record = new_record(tmp_path / "run-1", **header)
    record.close()
    page = Page(report_html(record.events, folder=record.folder))
    assert "script" not in page.tags
    assert page.tags.count("style") == 1


def test_css_string_leaves_no_way_out() -> None:
    """A text in a page margin cannot end its string or the style sheet."""
    literal = css_string('a";}</style>\n')
    assert literal[1:-1] == "a\\22 \\3b \\7d \\3c \\2f style\\3e \\a "


def test_old_or_bare_records_are_drawn(tmp_path: Path) -> None:
    """A record whose events lack optional fields is drawn, not refused."""
    bare: Sequence[Event] = [
        {"event": "run.opened", "mode": "plan", "run": "old", "time": "t", "seq": 0},
        {
            **{"event": "step.end", "mode": "plan", "run": "old", "time": "t"},
            **{"seq": 1, "step": "a", "kind": "Check", "title": "A", "outcome": "ok"},
        },
    ]
    text = words(report_html(json.loads(json.dumps(bare)), folder=tmp_path))
    assert "1 A Check ✔ As expected" in text

"""The last cell, and the table of values for SAP."""

from __future__ import annotations

from pathlib import Path

from runbook_lib.engine.expect import KnownAfterApply
from runbook_lib.views.report import summary, summary_html, summary_text
from runbook_lib.views.values import values_table
from tests.views.html_reader import Page, words
from tests.views.samples import add_end, applied_run, mailbox_check, new_record

HOSTILE = "<script>alert(1)</script>"


def test_summary_as_a_frame(tmp_path: Path) -> None:
    """One row per step in the notebook's order, the unreached ones included."""
    record = new_record(tmp_path / "run-1")
    add_end(record, mailbox_check(), mode="apply")
    record.close()
    frame = summary(record.events)
    assert list(frame.columns) == ["step", "title", "outcome", "badge"]
    assert list(frame["step"])[:2] == ["sender-mailbox", "enable-authenticated-smtp"]
    assert frame["outcome"][0] == "ok"
    assert list(frame["badge"]) == ["As expected", *["Not started"] * 3]
    assert frame["outcome"].isna().sum() == 3


def test_summary_as_a_card(tmp_path: Path) -> None:
    """The card and its text say result, sentences and each step; no time."""
    record = applied_run(tmp_path / "run-1", attest=False)
    html, text = summary_html(record.events), summary_text(record.events)
    said = words(html)
    assert "Result of the run ◔ Incomplete" in said
    assert "SAP Note 3581654 is implemented ☐ Waiting for evidence" in said
    assert text.splitlines()[0] == "Result: Incomplete"
    assert "  Sign in to SMTP with OAuth 2.0: As expected" in text.splitlines()
    assert "10:00" not in said + text
    assert all(header.get("scope") for header in Page(html).headers)


ROWS: list[dict[str, object]] = [
    {"place": "SOAUTH2_CLIENT", "field": "Client ID", "value": "1-2-3", "doubt": None},
    {"place": "SOAUTH2_CLIENT", "field": "Scope", "value": HOSTILE, "doubt": HOSTILE},
    {"place": "SCOT", "field": "Mail port", "value": "587", "doubt": None},
]


def test_values_are_grouped_by_where_they_are_entered() -> None:
    """One table per transaction; a value is shown as it is typed, without quotes."""
    html, text = values_table(ROWS)
    page, said = Page(html), words(html)
    assert page.tags.count("table") == 2
    assert "SOAUTH2_CLIENT Field Value to enter Certainty Client ID 1-2-3" in said
    assert "Mail port 587 stated by its source" in said
    assert "script" not in page.tags
    assert text.splitlines()[0] == "SOAUTH2_CLIENT"
    assert "  Mail port: 587 (stated by its source)" in text.splitlines()


def test_doubt_and_unresolved_values_are_said() -> None:
    """A doubtful field says so, and a value that is not known yet is not invented."""
    reference = KnownAfterApply("register-application", "appId")
    row = {
        "place": "X",
        "field": "Client ID",
        "value": reference,
        "doubt": "field report",
    }
    html, text = values_table([row])
    assert "known after apply register-application.appId" in words(html)
    assert "(Uncertain: field report)" in text

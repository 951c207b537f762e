"""The report stands alone, says what the events say, and names its limits."""

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
from tests.views.samples import (
    TENANT,
    add_end,
    applied_run,
    changed,
    close,
    end,
    mailbox_check,
    new_record,
    note,
    sign_in,
)

NAME = "SmtpClientAuthenticationDisabled"
SECTIONS = [
    "Contents",
    *("Result", "What changed", "Steps", "Proof", "Open points"),
    *("Attested by people", "Limits", "Evidence per step"),
    *("Operator and parameters", "Traffic", "Files, and how to check them"),
]
HOSTILE = "</style><script>alert(1)</script>\"'"


def planned_run(folder: Path) -> Record:
    """Return the closed record of a plan with one change to make."""
    record = new_record(folder, mode="plan")
    add_end(record, mailbox_check(), mode="plan")
    planned = end("planned", before={NAME: None}, action="update")
    add_end(record, planned, mode="plan")
    add_end(record, sign_in("planned"), mode="plan")
    add_end(record, note("planned"), mode="plan")
    close(record, "succeeded", mode="plan")
    return record


def rolled_back_run(folder: Path) -> Record:
    """Return the closed record of a rollback of one change."""
    record = new_record(folder, mode="rollback")
    record.append("run.rolls_back", mode="rollback", record="earlier-run")
    reverted = end(
        "reverted", before={NAME: False}, expected={NAME: None}, after={NAME: None}
    )
    add_end(record, reverted, mode="rollback")
    close(record, "rolled back", mode="rollback")
    return record


def refused_run(folder: Path) -> Record:
    """Return the closed record of a run that was refused."""
    record = new_record(folder)
    record.append(
        "run.refused",
        mode="apply",
        problem="apply on a real target needs a signed approval",
        remedy="Run plan there.",
    )
    close(record, "refused")
    return record


def failed_run(folder: Path) -> Record:
    """Return the open record of a run that stopped at a failed step."""
    record = new_record(folder, tenant={**TENANT, "target": "real"}, ledger_head=None)
    add_end(record, mailbox_check(), mode="apply")
    failed = end(
        "failed",
        before={NAME: None},
        after={NAME: True},
        problem=f"{NAME} is true, expected false",
        remedy="Look for a policy.",
        remedy_id="smtp-auth-disabled-mailbox",
    )
    add_end(record, failed, mode="apply")
    record.close()
    return record


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


def said(record: Record) -> str:
    """Return what a reader reads."""
    return words(report_html(record.events, folder=record.folder))


def test_head(tmp_path: Path) -> None:
    """Tenant, target, reference, operator as declared and as measured, and times."""
    text = said(applied_run(tmp_path / "run-1"))
    for fact in (
        "Tenant contoso",
        "Tenant ID 11111111-2222-3333-4444-555555555555",
        "Target sandbox on this machine, not a real tenant",
        "Cloud global",
        "Mailbox sap@contoso.com",
        "Change reference CHG0031877",
        "Mode apply: writes what is missing",
        "Run run-1",
        "Operator, declared not stated",
        "Operator, measured Runbook operator, appid 99999999-8888-7777",
        "Opened (UTC) 2026-11-25T10:00:00.000Z",
        "Closed (UTC) 2026-11-25T10:00:",
    ):
        assert fact in text


@pytest.mark.parametrize(
    ("make", "result", "sentence"),
    [
        (applied_run, "✔ Succeeded", "1 change made and read back."),
        (planned_run, "▲ Plan complete", "Nothing was written. 3 steps would act"),
        (rolled_back_run, "↩ Rolled back", "1 change of the earlier run taken back."),
        (refused_run, "✖ Refused", "refused before its first write. Nothing was"),
        (failed_run, "✖ Failed", "Open: 1 not as expected."),
    ],
)
def test_result_in_words(
    make: object, result: str, sentence: str, tmp_path: Path
) -> None:
    """The result is a word with a sign, and sentences say what it means."""
    assert callable(make)
    text = said(make(tmp_path / "run-1"))
    assert f"Result {result} " in text
    assert sentence in text


def test_what_changed(tmp_path: Path) -> None:
    """Before and after stand side by side for each property that was written."""
    text = said(applied_run(tmp_path / "run-1"))
    assert "Written in this run, and read back" in text
    assert f"Activate SMTP AUTH for the mailbox updated {NAME} null false + set" in text


def test_plan_and_rollback_name_what_they_are(tmp_path: Path) -> None:
    """A plan lists what would be written; a rollback what it took back."""
    plan = said(planned_run(tmp_path / "plan"))
    assert "This run wrote nothing to the tenant." in plan
    assert "Would be written in apply" in plan
    assert f"{NAME} null false + will be set" in plan
    back = said(rolled_back_run(tmp_path / "back"))
    assert "Rolls back run earlier-run" in back
    assert f"{NAME} false null − cleared" in back


def test_refusal_is_explained(tmp_path: Path) -> None:
    """A refused run says why, and what to do."""
    text = said(refused_run(tmp_path / "run-1"))
    assert "Why it was refused: apply on a real target needs a signed" in text
    assert "Remedy: Run plan there." in text


def test_unreached_steps_are_listed(tmp_path: Path) -> None:
    """Steps after a failure are not forgotten: they are listed and open."""
    text = said(failed_run(tmp_path / "run-1"))
    assert "3 Sign in to SMTP with OAuth 2.0 Probe ○ Not started" in text
    assert "The run ended before this step." in text
    assert "Remedy: Look for a policy." in text
    assert "docs/troubleshooting.md#smtp-auth-disabled-mailbox" in text


def test_proof(tmp_path: Path) -> None:
    """A proof on the sandbox says so; a missing one is no proof."""
    good = said(applied_run(tmp_path / "good"))
    assert "Sign in to SMTP with OAuth 2.0 ✔ As expected yes, on the sandbox" in good
    bad = said(failed_run(tmp_path / "bad"))
    assert "Sign in to SMTP with OAuth 2.0 ○ Not started no" in bad
    assert "The proof is not complete: Sign in to SMTP with OAuth 2.0." in bad


def test_attested_is_kept_apart(tmp_path: Path) -> None:
    """What a person stated is never among what was measured, nor called verified."""
    text = said(applied_run(tmp_path / "run-1"))
    assert "A. Basis 2026-11-24 09:30 UTC CHG0031877" in text
    assert "f" * 64 in text
    measured = text.split("Limits Measured")[1].split("Attested, or declared Resting")[
        0
    ]
    assert "Sender mailbox exists" in measured
    assert "SAP Note 3581654" not in measured
    assert "SAP Note 3581654 is implemented (as stated by a person)" in text
    assert not re.search(r"\bverified\b", text, re.IGNORECASE)


def test_limits_are_named(tmp_path: Path) -> None:
    """The report says what it does not prove."""
    good, bad = said(applied_run(tmp_path / "good")), said(failed_run(tmp_path / "bad"))
    for sentence in (
        "nothing about a real tenant is proven",
        "seen from this machine, not the SAP host",
        "searched for secrets by their usual shapes",
        "This record carries no signature.",
    ):
        assert sentence in good
    assert "The record is open: it can still grow." in bad
    assert "No ledger line stood before this run" in bad
    assert "nothing about a real tenant is proven" not in bad


def test_what_was_declared_is_not_measured(tmp_path: Path) -> None:
    """A check that rests on a parameter stands under declared, with its basis."""
    record = new_record(tmp_path / "run-1")
    declared = mailbox_check(vantage="as declared in the parameters")
    add_end(record, declared, mode="apply")
    record.close()
    text = said(record)
    assert "Measured Nothing." in text
    assert "Sender mailbox exists (as declared in the parameters)" in text
    assert "Sender mailbox exists: as declared in the parameters, not measured." in text
    assert "Basis: as declared in the parameters" in text


def test_a_disclosed_credential_comes_first(tmp_path: Path) -> None:
    """A credential that was found in the record is the first thing that is said."""
    record = new_record(tmp_path / "run-1")
    record.append("leak.found", mode="apply", file="traffic.ndjson")
    close(record, "failed")
    text = said(record)
    assert (
        "✖ Failed Credential disclosed: rotate it. It stood in traffic.ndjson." in text
    )


def test_a_dialogue_is_kept_whole(tmp_path: Path) -> None:
    """An SMTP dialogue is evidence: folded, in its order, no line left out."""
    lines = [f"S: 250-LINE{number}" for number in range(40)]
    record = new_record(tmp_path / "run-1")
    add_end(record, sign_in(facts={"dialogue": lines}), mode="apply")
    record.close()
    html = report_html(record.events, folder=record.folder)
    assert "<summary>Dialogue, 40 lines (S: server, C: client)</summary>" in html
    assert "\n".join(lines) in Page(html).text


def test_advice_is_not_lost(tmp_path: Path) -> None:
    """A step that works but should not stay so is listed with its advice."""
    text = said(applied_run(tmp_path / "run-1"))
    assert "Sign in to SMTP with OAuth 2.0 A certificate is recommended." in text


def test_traffic_is_counted(tmp_path: Path) -> None:
    """Exchanges, writes and refusals are counted per service; torn lines as well."""
    record = applied_run(tmp_path / "run-1")
    with (record.folder / "traffic.ndjson").open("a") as stream:
        stream.write('{"protocol": "ht')
    text = said(record)
    assert "4 exchanges, 1 of them writes." in text
    assert "graph.microsoft.com:443 https 2 0 1 0 127.0.0.1:8443" in text
    assert "outlook.office365.com:443 https 1 1 0 0 127.0.0.1:8443" in text
    assert "127.0.0.1:5353 dns 1 0 0 1 –" in text
    assert "e" * 64 + " graph.microsoft.com:443, outlook.office365.com:443" in text
    assert "could not be read: 1." in text


def test_digests_can_be_checked(tmp_path: Path) -> None:
    """The head of the chain is the one that the reader of the chain computes."""
    record = applied_run(tmp_path / "run-1")
    text = said(record)
    assert read_chain(record.folder / EVENTS).head in text
    assert f"Head of the ledger before this run {'d' * 64}" in text
    assert "sha256sum -c SHA256SUMS" in text
    assert "runbook audit run-1" in text


def test_messages_are_effects_that_stay(tmp_path: Path) -> None:
    """A message that was sent is listed: no rollback takes it back."""
    record = new_record(tmp_path / "run-1")
    add_end(record, changed(), mode="apply")
    record.append(
        "step.acted",
        mode="apply",
        step="sign-in-to-smtp",
        facts={"Message-ID": "<1@a>"},
    )
    record.close()
    text = said(record)
    assert "1 change made and read back, and 1 test message sent." in text
    assert "Message-ID: <1@a>" in text


def test_effective_mode_of_an_interactive_run(tmp_path: Path) -> None:
    """In JupyterLab the mode is the most that a panel was asked for."""
    record = new_record(tmp_path / "run-1", mode="plan", interactive=True)
    add_end(record, changed(), mode="apply")
    record.close()
    text = said(record)
    assert "Mode apply: writes what is missing, step by step in a front end" in text


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

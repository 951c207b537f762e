"""The report says what the events say, and names its limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.record import EVENTS
from runbook_lib.views.report import report_html
from tests.views.html_reader import Page
from tests.views.runs import (
    NAME,
    failed_run,
    planned_run,
    refused_run,
    rolled_back_run,
    said,
)
from tests.views.samples import (
    add_end,
    applied_run,
    changed,
    close,
    mailbox_check,
    new_record,
    sign_in,
)


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
    assert f"to be updated {NAME} null false + will be set" in plan
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
        facts={"Message-ID": "<1@a>", "dialogue": ["S: 220 ready", "C: QUIT"]},
    )
    record.close()
    text = said(record)
    assert "1 change made and read back, and 1 test message sent." in text
    assert "Message-ID: <1@a>" in text
    assert "220 ready" not in text


def test_effective_mode_of_an_interactive_run(tmp_path: Path) -> None:
    """In JupyterLab the mode is the most that a panel was asked for."""
    record = new_record(tmp_path / "run-1", mode="plan", interactive=True)
    add_end(record, changed(), mode="apply")
    record.close()
    text = said(record)
    assert "Mode apply: writes what is missing, step by step in a front end" in text

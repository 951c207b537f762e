"""A credential in a record: it fails the run and leaves the record."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from runbook_lib.engine.attestations import attach
from runbook_lib.engine.chain import digest, read_chain
from runbook_lib.engine.history import ends
from runbook_lib.engine.record import EVENTS, Record
from runbook_lib.engine.result import Result
from runbook_lib.engine.step import Evidence, Mode
from runbook_lib.errors import RecordBroken
from runbook_lib.evidence import close as closing
from runbook_lib.evidence.audit import audit
from runbook_lib.evidence.close import Closed, close_run
from runbook_lib.evidence.leaks import find_patterns
from tests.evidence.sample import end, fill, ledger_of, notebook, open_record, ticking
from tests.evidence.test_close import Killed, kill_at

CREDENTIAL = "Ab38Q~x.Y_z-0123456789abcdefghijklmnopqr"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl"


def attach_secret(record: Record) -> None:
    """Hand in evidence that holds a client secret."""
    text = f"we used {CREDENTIAL} for the test"
    evidence = Evidence("A. Basis", "2026-11-24", "CHG0031877", text)
    attach(record, Mode.APPLY, "sap-notes-implemented", evidence)


def tell_secret(record: Record) -> None:
    """Write an event whose facts hold a client secret, which no mask knows."""
    end(record, "sender-mailbox", "ok", facts={"seen": f"value {CREDENTIAL}", "n": 1})


def close(record: Record, saved: Path | None = None) -> Closed:
    """Close a run as `runbook run` does."""
    record.close()
    return close_run(
        record.folder,
        ledger=ledger_of(record.folder.parent.parent),
        kernel_ended="finished",
        notebook=saved,
        closer="runbook run",
        clock=ticking(12),
    )


def test_attachment_with_a_credential_goes_into_quarantine(tmp_path: Path) -> None:
    """The run fails, the file is away, and the record says so and holds."""
    outputs = tmp_path / "outputs"
    record = fill(open_record(outputs))
    attach_secret(record)
    run = close(record)
    file = "evidence/sap-notes-implemented/2-statement.txt"
    assert (run.result, run.exit_code, run.disclosed) == (Result.FAILED, 1, (file,))
    assert find_patterns(outputs) == []
    away = tmp_path / "quarantine" / "contoso" / "example" / file
    assert CREDENTIAL in away.read_text("utf-8")
    report = audit([outputs])
    assert report.intact
    assert any("credential disclosed: rotate" in line for line in report.lines())
    verify = (run.folder / "VERIFY.md").read_text("utf-8")
    assert f"quarantine: `{file}`" in verify


def test_quarantine_is_for_the_owner_only(tmp_path: Path) -> None:
    """Folders have mode 0700, files 0600."""
    record = fill(open_record(tmp_path / "outputs"))
    attach_secret(record)
    close(record)
    quarantine = tmp_path / "quarantine"
    for path in (quarantine, *quarantine.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_event_says_what_was_found_and_not_the_value(tmp_path: Path) -> None:
    """`leak.found` names file, kind, form, place and remedy."""
    record = fill(open_record(tmp_path / "outputs"))
    attach_secret(record)
    run = close(record)
    events = read_chain(run.folder / EVENTS).events
    (leak,) = [event for event in events if event["event"] == "leak.found"]
    file = "evidence/sap-notes-implemented/2-statement.txt"
    assert leak["file"] == file
    assert leak["quarantine"] == f"quarantine/contoso/example/{file}"
    assert leak["problem"] == "credential disclosed: rotate"
    found = [{"what": "client secret of Microsoft Entra ID", "form": "plain"}]
    assert leak["found"] == found


def test_notebook_with_a_token_goes_into_quarantine(tmp_path: Path) -> None:
    """The record then has no notebook, and says so."""
    record = fill(open_record(tmp_path / "outputs"))
    shown = {"output_type": "stream", "name": "stdout", "text": [TOKEN]}
    run = close(record, notebook(tmp_path / "out.ipynb", outputs=[shown]))
    assert run.disclosed == ("notebook.ipynb",)
    assert not (run.folder / "notebook.ipynb").exists()
    last = read_chain(run.folder / EVENTS).events[-1]
    assert last["notebook"] is None
    assert audit([tmp_path / "outputs"]).intact


def test_events_with_a_credential_are_masked_anew(tmp_path: Path) -> None:
    """Every event stays with its time; only the text in question is masked."""
    record = fill(open_record(tmp_path / "outputs"))
    tell_secret(record)
    before, original = record.events, (record.folder / EVENTS).read_bytes()
    run = close(record)
    chain = read_chain(run.folder / EVENTS)
    after = chain.events
    assert [e["event"] for e in after][: len(before)] == [e["event"] for e in before]
    assert [e["time"] for e in after][: len(before)] == [e["time"] for e in before]
    assert ends(after)["sender-mailbox"]["facts"] == {"seen": "•••", "n": 1}
    assert ends(after)["sign-in-to-smtp"]["outcome"] == "ok"
    assert run.disclosed == (EVENTS,)
    assert run.result is Result.FAILED
    away = tmp_path / "quarantine" / "contoso" / "example" / EVENTS
    assert away.read_bytes().startswith(original)
    leak = next(event for event in after if event["event"] == "leak.found")
    assert leak["head"] == digest(original.splitlines()[-1])
    assert find_patterns(tmp_path / "outputs") == []
    assert audit([tmp_path / "outputs"]).intact


def test_credential_known_by_its_key_is_masked(tmp_path: Path) -> None:
    """A value that looks like nothing is known by the property it stands in."""
    record = fill(open_record(tmp_path / "outputs"))
    reply = {"reply": {"secretText": "0123456789abcdefghij", "keyId": "k"}}
    end(record, "sender-mailbox", "ok", facts=reply)
    run = close(record)
    facts = ends(read_chain(run.folder / EVENTS).events)["sender-mailbox"]["facts"]
    assert facts == {"reply": {"secretText": "•••", "keyId": "k"}}


@pytest.mark.parametrize("spoil", [attach_secret, tell_secret])
@pytest.mark.parametrize("after", [False, True])
def test_killed_closing_still_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: object, after: bool
) -> None:
    """Wherever it is killed, the credential is gone and the run has failed."""
    assert callable(spoil)
    for number in range(1, 100):
        outputs = tmp_path / str(number) / "outputs"
        record = fill(open_record(outputs))
        spoil(record)
        record.close()
        with monkeypatch.context() as patched:
            kill_at(patched, number, after=after)
            try:
                close(record)
            except Killed:
                survived = False
            else:
                survived = True
        run = close(record)
        assert run.result is Result.FAILED, number
        assert find_patterns(outputs) == []
        report = audit([outputs])
        assert report.intact, (number, report.lines())
        if survived:
            break
    assert number > 12, "the closing flushes more often than this"


def test_quarantine_on_another_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file cannot be renamed it is copied, then removed."""
    record = fill(open_record(tmp_path / "outputs"))
    attach_secret(record)
    rename = os.replace

    def replace(source: Path, target: Path) -> None:
        if "quarantine" in str(target.relative_to(tmp_path)):
            raise OSError(18, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    run = close(record)
    assert find_patterns(run.folder) == []
    assert len([p for p in (tmp_path / "quarantine").rglob("*") if p.is_file()]) == 1


def test_without_a_place_for_quarantine_the_run_is_not_closed(tmp_path: Path) -> None:
    """The file stays where it is, the run open, and the folder is named."""
    record = fill(open_record(tmp_path / "outputs"))
    attach_secret(record)
    (tmp_path / "quarantine").write_text("in the way")
    with pytest.raises(RecordBroken, match="there is no quarantine"):
        close(record)
    assert not (record.folder / "SHA256SUMS").exists()
    (tmp_path / "quarantine").unlink()
    assert close(record).result is Result.FAILED


def test_document_that_would_hold_a_credential_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is drawn from clean events is searched as well: a defect shows."""
    monkeypatch.setattr(closing, "report_html", lambda events, folder: CREDENTIAL)
    record = fill(open_record(tmp_path / "outputs"))
    with pytest.raises(RecordBroken, match="would hold what looks like a credential"):
        close(record)
    assert not (record.folder / "report.html").exists()


def test_report_tells_of_the_disclosure(tmp_path: Path) -> None:
    """Whoever reads only the report learns that a credential must be rotated."""
    record = fill(open_record(tmp_path / "outputs"))
    attach_secret(record)
    run = close(record)
    assert "credential disclosed" in run.report.read_text("utf-8").lower()


def test_leaks_are_json_in_run_closed(tmp_path: Path) -> None:
    """`run.closed` lists the files, for whoever reads only its last line."""
    record = fill(open_record(tmp_path / "outputs"))
    attach_secret(record)
    run = close(record)
    last = json.loads((run.folder / EVENTS).read_bytes().splitlines()[-1])
    assert last["disclosed"] == ["evidence/sap-notes-implemented/2-statement.txt"]
    assert last["leak_search"] == "patterns"

"""Closing a run: what is written, in which order, and what a kill leaves."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import closed, ends
from runbook_lib.engine.record import EVENTS, Record
from runbook_lib.engine.result import Result
from runbook_lib.engine.step import Mode
from runbook_lib.errors import RecordBroken, Refused
from runbook_lib.evidence.audit import audit
from runbook_lib.evidence.close import Closed, close_run
from runbook_lib.evidence.files import entries
from runbook_lib.evidence.ledger import read_ledger
from runbook_lib.evidence.sums import SUMS, check_sums
from tests.evidence.sample import (
    CHANGED,
    begin,
    closed_run,
    end,
    fill,
    ledger_of,
    notebook,
    open_record,
    ticking,
)


def close(record: Record, *, ended: str = "died", saved: Path | None = None) -> Closed:
    """Release a record and close its run."""
    record.close()
    return close_run(
        record.folder,
        ledger=ledger_of(record.folder.parent.parent),
        kernel_ended=ended,
        notebook=saved,
        closer="runbook run",
        clock=ticking(12),
    )


def test_files_of_a_closed_run(tmp_path: Path) -> None:
    """A closed run has these files and no other, and its sums hold."""
    run = closed_run(tmp_path)
    assert entries(run.folder) == [
        SUMS,
        "VERIFY.md",
        EVENTS,
        "evidence/sap-notes-implemented/1-statement.txt",
        "handover.html",
        "handover.md",
        "notebook.ipynb",
        "report.html",
        "traffic.ndjson",
    ]
    assert check_sums(run.folder) == []
    assert run.report == run.folder / "report.html"


def test_only_the_owner_reads_the_record(tmp_path: Path) -> None:
    """Files have mode 0600, folders 0700, whatever they had before."""
    record = fill(open_record(tmp_path))
    (record.folder / "evidence").chmod(0o755)
    (record.folder / EVENTS).chmod(0o644)
    saved = notebook(tmp_path / "out.ipynb")
    saved.chmod(0o664)
    folder = close(record, saved=saved).folder
    for path in (folder, *folder.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_run_closed_says_how_it_ended(tmp_path: Path) -> None:
    """The last event holds result, outcomes, kernel, notebook, closer, search."""
    run = closed_run(tmp_path)
    events = read_chain(run.folder / EVENTS).events
    data = (run.folder / "notebook.ipynb").read_bytes()
    last = dict(events[-1])
    kept = {name: last[name] for name in last if name not in ("prev", "seq", "time")}
    assert kept == {
        "schema": 1,
        "run": "example",
        "mode": "apply",
        "event": "run.closed",
        "result": "succeeded",
        "exit_code": 0,
        "outcomes": {"ok": 2, "changed": 1},
        "kernel": {"ended": "finished"},
        "notebook": {
            "name": "notebook.ipynb",
            "sha256": hashlib.sha256(data).hexdigest(),
            "executed_sha256": executed_digest(events),
        },
        "closer": "runbook run",
        "leak_search": "patterns",
        "disclosed": [],
    }
    assert (run.result, run.exit_code) == (Result.SUCCEEDED, 0)
    assert run.outcomes == {"ok": 2, "changed": 1}


def executed_digest(events: Sequence[Event]) -> object:
    """Return the digest of the notebook as it was executed."""
    return next(e["sha256"] for e in events if e["event"] == "notebook.executed")


def test_ledger_holds_the_digest_of_the_sums(tmp_path: Path) -> None:
    """The closing line binds everything in the folder."""
    run = closed_run(tmp_path)
    opened, line = read_ledger(ledger_of(tmp_path).path).lines
    sums = (run.folder / SUMS).read_bytes()
    assert opened.fields["line"] == "opened"
    assert line.fields["digest"] == hashlib.sha256(sums).hexdigest()
    assert line.fields["result"] == "succeeded"


def test_plan_run_has_a_plan(tmp_path: Path) -> None:
    """Only a plan run has plan.json; planned changes end with exit code 4."""
    run = closed_run(tmp_path, mode=Mode.PLAN)
    plan = json.loads((run.folder / "plan.json").read_bytes())
    assert plan["approvable"] is True
    assert (run.result, run.exit_code) == (Result.SUCCEEDED, 4)


def test_steps_not_reached_are_blocked(tmp_path: Path) -> None:
    """A kernel that died leaves steps that the closer names, and no success."""
    record = open_record(tmp_path)
    end(record, "sender-mailbox", "ok")
    run = close(record)
    done = ends(read_chain(run.folder / EVENTS).events)
    assert run.outcomes == {"ok": 1, "blocked": 2}
    assert run.result is Result.INCOMPLETE
    assert str(done[CHANGED]["problem"]).startswith("Not reached")
    assert done[CHANGED]["title"] == "Activate SMTP AUTH for the mailbox"
    assert "Not reached" in (run.folder / "report.html").read_text("utf-8")


def test_interrupted_write_is_an_error_not_a_blocked_step(tmp_path: Path) -> None:
    """A step that was under way may have written: that is never said away."""
    record = open_record(tmp_path)
    end(record, "sender-mailbox", "ok")
    begin(record, CHANGED)
    run = close(record)
    ended = ends(read_chain(run.folder / EVENTS).events)[CHANGED]
    assert ended["outcome"] == "error"
    assert ended["before"] == {"SmtpClientAuthenticationDisabled": None}
    assert run.result is Result.FAILED


def test_interrupted_second_look_is_an_error_too(tmp_path: Path) -> None:
    """An earlier good end does not hide that the step was under way again."""
    record = fill(open_record(tmp_path))
    begin(record, CHANGED)
    assert close(record).result is Result.FAILED


@pytest.mark.parametrize(
    ("finished", "result"), [(True, Result.ROLLED_BACK), (False, Result.INCOMPLETE)]
)
def test_rollback_has_no_steps_that_it_did_not_reach(
    tmp_path: Path, finished: bool, result: Result
) -> None:
    """A rollback reaches what was changed; it is rolled back only at its end."""
    record = open_record(tmp_path, mode=Mode.ROLLBACK)
    end(record, CHANGED, "reverted", mode=Mode.ROLLBACK)
    if finished:
        record.append("run.finished", mode=Mode.ROLLBACK)
    run = close(record)
    assert (run.result, run.outcomes) == (result, {"reverted": 1})


def test_refused_run_is_closed_as_refused(tmp_path: Path) -> None:
    """The exit code is that of a refusal."""
    record = open_record(tmp_path)
    record.append("run.refused", mode=Mode.APPLY, problem="Not yet.", remedy="Wait.")
    run = close(record, ended="raised")
    assert (run.result, run.exit_code) == (Result.REFUSED, 5)


def test_notebook_is_moved(tmp_path: Path) -> None:
    """The notebook is in the record and nowhere else; it names its run already."""
    given = 'run_id = "example"\nmode = "plan"'
    saved = notebook(tmp_path / "out.ipynb", injected=given)
    data = saved.read_bytes()
    folder = close(fill(open_record(tmp_path)), saved=saved).folder
    assert (folder / "notebook.ipynb").read_bytes() == data
    assert not saved.exists()


@pytest.mark.parametrize("mode", ["apply", "rollback"])
def test_archive_of_a_writing_run_only_looks(tmp_path: Path, mode: str) -> None:
    """The mode that it gives last is verify, and its old digest is kept."""
    given = f'run_id = "example"\nmode = "{mode}"'
    saved = notebook(tmp_path / "out.ipynb", injected=given)
    executed = hashlib.sha256(saved.read_bytes()).hexdigest()
    folder = close(fill(open_record(tmp_path)), saved=saved).folder
    cells = json.loads((folder / "notebook.ipynb").read_bytes())["cells"]
    source = "".join(cells[1]["source"])
    assert source.startswith(given)
    assert 'mode = "verify"' in source.splitlines()[-1]
    assert executed_digest(read_chain(folder / EVENTS).events) == executed


def test_run_without_a_notebook(tmp_path: Path) -> None:
    """A kernel that died before its notebook was saved is closed all the same."""
    record = fill(open_record(tmp_path), finished=False)
    folder = close(record, saved=tmp_path / "never-written.ipynb").folder
    end = closed(read_chain(folder / EVENTS).events)
    assert end
    assert end["notebook"] is None
    assert end["kernel"] == {"ended": "died"}
    assert audit([tmp_path]).intact


def test_record_with_a_torn_line_is_closed(tmp_path: Path) -> None:
    """What a killed kernel left of a line stays in the record."""
    record = fill(open_record(tmp_path), finished=False)
    record.close()
    with (record.folder / EVENTS).open("ab") as stream:
        stream.write(b'{"event":"step.e')
    run = close(record)
    assert read_chain(run.folder / EVENTS).torn == 1
    report = audit([tmp_path])
    assert report.intact
    assert any("left unfinished" in line for line in report.lines())


def test_record_in_use_is_not_closed(tmp_path: Path) -> None:
    """A kernel that still has the record is not overtaken."""
    record = fill(open_record(tmp_path))
    with pytest.raises(Refused, match="another process writes"):
        close_run(
            record.folder,
            ledger=ledger_of(tmp_path),
            kernel_ended="finished",
            notebook=None,
            closer="runbook run",
        )
    record.close()


def everything(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder."""
    return {name: (folder / name).read_bytes() for name in entries(folder)}


def test_closing_again_changes_nothing(tmp_path: Path) -> None:
    """A second closing returns the same and writes not a byte."""
    run = closed_run(tmp_path)
    before = everything(tmp_path)
    again = close_run(
        run.folder,
        ledger=ledger_of(tmp_path),
        kernel_ended="died",
        notebook=None,
        closer="runbook seal",
    )
    assert again == run
    assert everything(tmp_path) == before


def test_changed_record_is_not_closed_again(tmp_path: Path) -> None:
    """A closing that is repeated does not give a changed file its blessing."""
    run = closed_run(tmp_path)
    run.report.write_text("better")
    with pytest.raises(RecordBroken, match="the file was changed after closing"):
        close_run(
            run.folder,
            ledger=ledger_of(tmp_path),
            kernel_ended="finished",
            notebook=None,
            closer="runbook run",
        )


class Killed(BaseException):
    """The process ended here."""


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool) -> None:
    """End the process at the n-th flush or rename, before or after it."""
    calls = 0

    def killing(call: Callable[..., None]) -> Callable[..., None]:
        def counted(*arguments: object) -> None:
            nonlocal calls
            calls += 1
            if calls == number and not after:
                raise Killed
            call(*arguments)
            if calls == number:
                raise Killed

        return counted

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, killing(getattr(os, name)))


@pytest.mark.parametrize("after", [False, True])
def test_closing_killed_anywhere_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Wherever a closing is killed, closing again completes it."""
    for number in range(1, 100):
        outputs = tmp_path / str(number)
        record = open_record(outputs)
        end(record, "sender-mailbox", "ok")
        record.close()
        saved = notebook(outputs / "out.ipynb")
        with monkeypatch.context() as patched:
            kill_at(patched, number, after=after)
            try:
                close(record, saved=saved)
            except Killed:
                survived = False
            else:
                survived = True
        run = close(record, saved=saved)
        assert run.outcomes == {"ok": 1, "blocked": 2}
        report = audit([outputs], head=ledger_of(outputs).head())
        assert report.intact, (number, report.lines())
        if survived:
            break
    assert number > 12, "the closing flushes more often than this"

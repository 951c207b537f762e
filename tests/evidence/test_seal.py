"""`runbook seal`: the record and the saved notebook belong together."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.record import EVENTS, Record
from runbook_lib.engine.result import Result
from runbook_lib.errors import InputError, RecordBroken, Refused
from runbook_lib.evidence.audit import audit
from runbook_lib.evidence.close import Closed
from runbook_lib.evidence.ledger import read_ledger
from runbook_lib.evidence.seal import seal_record
from tests.evidence.sample import end, fill, ledger_of, notebook, open_record, ticking
from tests.evidence.test_close import Killed, everything, kill_at


def left_open(outputs: Path, *, finished: bool = True) -> Record:
    """Return the record that a kernel without a closer left open."""
    record = fill(open_record(outputs), finished=finished)
    record.close()
    return record


def seal(record: Record, saved: Path | None) -> Closed:
    """Seal a record with a fixed clock."""
    outputs = record.folder.parent.parent
    return seal_record(
        record.folder, ledger=ledger_of(outputs), notebook=saved, clock=ticking(12)
    )


def archived(run: Closed) -> dict[str, Any]:
    """Return the archived notebook."""
    notebook: dict[str, Any] = json.loads((run.folder / "notebook.ipynb").read_bytes())
    return notebook


def sources(notebook: dict[str, Any]) -> list[str]:
    """Return the source of each cell as one text."""
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def closing_event(run: Closed) -> dict[str, Any]:
    """Return `run.closed`."""
    return dict(read_chain(run.folder / EVENTS).events[-1])


LOOKS = 'mode = "verify"  # added on closing: this file is an archive'
ARCHIVE = 'run_id = "example"  # added on closing: this file is an archive'


def test_notebook_of_jupyterlab_gets_a_cell_that_names_its_run(tmp_path: Path) -> None:
    """The cell stands right after the parameters cell, tagged as papermill does."""
    record = left_open(tmp_path)
    saved = notebook(tmp_path / "out.ipynb", head=record.head)
    before = saved.read_bytes()
    run = seal(record, saved)
    assert saved.read_bytes() == before
    assert sources(archived(run)) == ['run_id: str = ""', ARCHIVE, "print(run_id)"]
    cell = archived(run)["cells"][1]
    assert cell["metadata"] == {"tags": ["injected-parameters"]}
    assert cell["id"] == "archived-run"
    assert (run.result, audit([tmp_path]).intact) == (Result.SUCCEEDED, True)


def test_notebook_of_papermill_gets_a_line_that_names_its_run(tmp_path: Path) -> None:
    """The line comes last in the injected cell, so that it decides."""
    record = left_open(tmp_path)
    given = '# Parameters\nrun_id = ""\nmode = "apply"'
    saved = notebook(tmp_path / "out.ipynb", head=record.head, injected=given)
    run = seal(record, saved)
    assert sources(archived(run))[1] == f"{given}\n{ARCHIVE}\n{LOOKS}"
    kept = archived(run)["cells"][1]["source"]
    lines = [*given.splitlines(), ARCHIVE]
    assert kept == [*(f"{line}\n" for line in lines), LOOKS]


def test_only_that_line_differs_from_the_executed_file(tmp_path: Path) -> None:
    """Outputs, ids, metadata and the other cells are as they were saved."""
    record = left_open(tmp_path)
    saved = notebook(
        tmp_path / "out.ipynb", head=record.head, injected='mode = "apply"'
    )
    run = seal(record, saved)
    executed, kept = json.loads(saved.read_bytes()), archived(run)
    executed["cells"][1]["source"] = kept["cells"][1]["source"]
    assert kept == executed


@pytest.mark.parametrize("earlier", ["", 'run_id = "other"\n'])
def test_notebook_that_names_its_run_is_kept_to_the_byte(
    tmp_path: Path, earlier: str
) -> None:
    """Nothing is added where nothing is missing; the last value counts."""
    record = left_open(tmp_path)
    given = f'{earlier}run_id: str = "example"\n'
    saved = notebook(tmp_path / "out.ipynb", head=record.head, injected=given)
    run = seal(record, saved)
    assert (run.folder / "notebook.ipynb").read_bytes() == saved.read_bytes()
    assert "is an archive" not in (run.folder / "VERIFY.md").read_text("utf-8")


@pytest.mark.parametrize("injected", [None, 'mode = "apply"', 'run_id = "example"'])
def test_archive_run_again_names_the_closed_run(
    tmp_path: Path, injected: str | None
) -> None:
    """Executed in order, the parameter cells give the run id of the record."""
    record = left_open(tmp_path)
    saved = notebook(tmp_path / "out.ipynb", head=record.head, injected=injected)
    names: dict[str, object] = {}
    for source in sources(archived(seal(record, saved)))[:-1]:
        exec(source, names)  # noqa: S102 - the cells that this test wrote
    assert names["run_id"] == "example"


def test_run_closed_keeps_the_digest_of_the_executed_file(tmp_path: Path) -> None:
    """Both digests are recorded, and that the head was shown."""
    record = left_open(tmp_path)
    saved = notebook(tmp_path / "out.ipynb", head=record.head)
    run = seal(record, saved)
    kept = (run.folder / "notebook.ipynb").read_bytes()
    assert closing_event(run)["notebook"] == {
        "name": "notebook.ipynb",
        "sha256": hashlib.sha256(kept).hexdigest(),
        "executed_sha256": hashlib.sha256(saved.read_bytes()).hexdigest(),
        "shows_chain_head": True,
    }
    verify = (run.folder / "VERIFY.md").read_text("utf-8")
    assert "is an archive" in verify
    assert hashlib.sha256(saved.read_bytes()).hexdigest() in verify
    assert "The notebook shows the chain head" in verify


def test_kernel_that_reached_the_end_has_finished(tmp_path: Path) -> None:
    """`run.finished` says so, and who closed is recorded."""
    record = left_open(tmp_path)
    run = seal(record, notebook(tmp_path / "out.ipynb", head=record.head))
    last = closing_event(run)
    assert (last["kernel"], last["closer"]) == ({"ended": "finished"}, "runbook seal")


def test_notebook_that_raised_shows_no_head_and_is_sealed(tmp_path: Path) -> None:
    """Its last cell did not run; VERIFY.md says what then ties the two."""
    record = open_record(tmp_path)
    end(record, "sender-mailbox", "failed")
    record.close()
    run = seal(record, notebook(tmp_path / "out.ipynb", exception=True))
    last = closing_event(run)
    assert last["kernel"] == {"ended": "raised"}
    assert last["notebook"]["shows_chain_head"] is False
    assert run.result is Result.FAILED
    assert "does not show the chain head" in (run.folder / "VERIFY.md").read_text()


def test_run_without_notebook_is_sealed(tmp_path: Path) -> None:
    """A kernel that died in JupyterLab may have saved nothing."""
    run = seal(left_open(tmp_path, finished=False), None)
    assert closing_event(run)["kernel"] == {"ended": "unknown"}
    assert closing_event(run)["notebook"] is None


def test_attempt_after_the_end_has_not_finished(tmp_path: Path) -> None:
    """A run that was resumed after its last cell is judged by the later attempt."""
    record = fill(open_record(tmp_path))
    record.append("run.resumed", mode="apply")
    record.close()
    assert closing_event(seal(record, None))["kernel"] == {"ended": "unknown"}


def untouched(
    record: Record, saved: Path | None, error: type[Exception], match: str
) -> None:
    """Check that sealing is refused and leaves every byte as it was."""
    before = everything(record.folder)
    with pytest.raises(error, match=match):
        seal(record, saved)
    assert everything(record.folder) == before


def test_head_of_another_record_is_broken(tmp_path: Path) -> None:
    """A head that the record does not contain ties nothing."""
    record = left_open(tmp_path)
    saved = notebook(tmp_path / "out.ipynb", head="a" * 64)
    untouched(record, saved, RecordBroken, "not in this record")


def test_changed_record_does_not_have_the_shown_head(tmp_path: Path) -> None:
    """Events rewritten with new links no longer carry the head that was shown."""
    shown = left_open(tmp_path / "true").head
    record = fill(open_record(tmp_path / "false"), finished=False)
    end(record, "sender-mailbox", "ok", context={"forged": True})
    record.append("run.finished", mode="apply")
    record.close()
    saved = notebook(tmp_path / "out.ipynb", head=shown)
    untouched(record, saved, RecordBroken, "not in this record")


def test_notebook_saved_too_early_is_refused(tmp_path: Path) -> None:
    """The run went on after the head was printed."""
    record = fill(open_record(tmp_path))
    saved = notebook(tmp_path / "out.ipynb", head=record.head)
    end(record, "sender-mailbox", "ok")
    record.append("run.finished", mode="apply")
    record.close()
    untouched(record, saved, Refused, "went on after the notebook was saved")


def test_last_head_shown_counts(tmp_path: Path) -> None:
    """A cell that was run again shows an older head above the newer one."""
    record = left_open(tmp_path)
    older = {"output_type": "stream", "text": f"chain head {'b' * 64}\n"}
    saved = notebook(tmp_path / "out.ipynb", head=record.head, outputs=[older])
    assert seal(record, saved).result is Result.SUCCEEDED


def test_finished_run_needs_a_notebook_that_shows_its_head(tmp_path: Path) -> None:
    """A notebook that was not saved after its last cell is refused."""
    saved = notebook(tmp_path / "out.ipynb")
    untouched(left_open(tmp_path), saved, Refused, "shows no chain head")


def test_notebook_of_another_run_is_refused(tmp_path: Path) -> None:
    """An injected run id that differs is never overwritten."""
    record = left_open(tmp_path, finished=False)
    saved = notebook(tmp_path / "out.ipynb", injected='run_id = "other"')
    untouched(record, saved, Refused, "belongs to the run other")


def test_archive_that_was_run_again_is_archived_for_its_new_run(
    tmp_path: Path,
) -> None:
    """The chain head shows whose notebook it is; the line that is added decides."""
    record = left_open(tmp_path)
    saved = notebook(
        tmp_path / "out.ipynb", head=record.head, injected='run_id = "earlier"'
    )
    assert sources(archived(seal(record, saved)))[1] == (
        f'run_id = "earlier"\n{ARCHIVE}'
    )


def test_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    """The message names the file."""
    saved = tmp_path / "out.txt"
    saved.write_text("text")
    untouched(left_open(tmp_path), saved, InputError, r"out\.txt: not a notebook")


def test_missing_notebook_is_an_input_error(tmp_path: Path) -> None:
    """A path that leads nowhere is not taken for `no notebook`."""
    record = left_open(tmp_path)
    untouched(record, tmp_path / "gone.ipynb", InputError, "cannot be read")


def test_missing_record_is_an_input_error(tmp_path: Path) -> None:
    """Nothing is made where no record is."""
    with pytest.raises(InputError, match="no record"):
        seal_record(tmp_path / "x", ledger=ledger_of(tmp_path), notebook=None)
    assert list(tmp_path.iterdir()) == []


def test_record_in_use_is_refused(tmp_path: Path) -> None:
    """The kernel has to be shut down first."""
    record = fill(open_record(tmp_path))
    with pytest.raises(Refused, match="another process writes") as refused:
        seal(record, None)
    assert "kernel" in str(refused.value.remedy)
    record.close()


def test_closed_run_is_refused(tmp_path: Path) -> None:
    """A second seal has nothing to do, whatever notebook it is given."""
    record = left_open(tmp_path)
    saved = notebook(tmp_path / "out.ipynb", head=record.head)
    seal(record, saved)
    untouched(record, saved, Refused, "the run is closed")


def test_closing_of_another_command_is_completed_by_seal(tmp_path: Path) -> None:
    """A run whose closer was killed needs no chain head in its notebook."""
    record = fill(open_record(tmp_path, header={"closer": "attached"}))
    record.close()
    saved = notebook(tmp_path / "out.ipynb", injected='run_id = "example"')
    run = seal(record, saved)
    assert closing_event(run)["notebook"]["shows_chain_head"] is False
    assert audit([tmp_path]).intact


@pytest.mark.parametrize("after", [False, True])
def test_sealing_killed_anywhere_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Wherever it is killed, sealing again with the same file completes it."""
    for number in range(1, 100):
        outputs = tmp_path / str(number)
        record = left_open(outputs)
        saved = notebook(outputs / "out.ipynb", head=record.head)
        with monkeypatch.context() as patched:
            kill_at(patched, number, after=after)
            try:
                seal(record, saved)
            except Killed:
                survived = False
            else:
                survived = True
        if not survived:
            seal_unless_closed(record, saved)
        report = audit([outputs], head=ledger_of(outputs).head())
        assert report.intact, (number, report.lines())
        last = json.loads((record.folder / EVENTS).read_bytes().splitlines()[-1])
        assert last["notebook"]["shows_chain_head"] is True
        if survived:
            break
    assert number > 12, "the sealing flushes more often than this"


def seal_unless_closed(record: Record, saved: Path) -> None:
    """Seal again; a kill right after the last write left nothing to do."""
    ledger = ledger_of(record.folder.parent.parent)
    if read_ledger(ledger.path).of("contoso", "example", "closed"):
        untouched(record, saved, Refused, "the run is closed")
    else:
        seal(record, saved)

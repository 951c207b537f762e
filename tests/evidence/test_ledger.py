"""The ledger: linked lines, written once, by one process at a time."""

import fcntl
import json
import multiprocessing
import stat
import threading
from pathlib import Path

import pytest

from runbook_lib.engine.chain import GENESIS, digest
from runbook_lib.errors import RecordBroken
from runbook_lib.evidence.ledger import Ledger, read_ledger
from tests.evidence.sample import ledger_of

SUM = "a" * 64


def filled(folder: Path, runs: int = 2) -> Ledger:
    """Return a ledger in which some runs were opened and closed."""
    ledger = ledger_of(folder)
    for number in range(runs):
        ledger.opened(f"run-{number}", "contoso")
        ledger.closed(f"run-{number}", "contoso", SUM, "succeeded")
    return ledger


def test_two_linked_lines_per_run(tmp_path: Path) -> None:
    """Each line carries number, digest of the one before, tenant and run."""
    ledger = filled(tmp_path)
    lines = ledger.path.read_bytes().splitlines()
    first, second = json.loads(lines[0]), json.loads(lines[1])
    assert first == {
        "schema": 1,
        "seq": 0,
        "prev": GENESIS,
        "time": "2026-11-25T10:00:00.000Z",
        "run": "run-0",
        "tenant": "contoso",
        "line": "opened",
    }
    assert second["prev"] == digest(lines[0])
    assert (second["digest"], second["result"]) == (SUM, "succeeded")
    assert ledger.head() == read_ledger(ledger.path).head == digest(lines[-1])


def test_no_ledger_has_no_head(tmp_path: Path) -> None:
    """Asking for the head makes no file."""
    assert ledger_of(tmp_path / "outputs").head() is None
    assert not (tmp_path / "outputs").exists()


def test_only_the_owner_reads_the_ledger(tmp_path: Path) -> None:
    """Ledger and lock have mode 0600, the folder that is made 0700."""
    ledger = filled(tmp_path / "outputs", runs=1)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in ledger.path.parent.iterdir()]
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


def test_a_line_is_written_once(tmp_path: Path) -> None:
    """A closing that is repeated adds nothing."""
    ledger = filled(tmp_path)
    before = ledger.path.read_bytes()
    ledger.opened("run-1", "contoso")
    ledger.closed("run-1", "contoso", SUM, "succeeded")
    assert ledger.path.read_bytes() == before


def test_same_run_id_of_another_tenant_is_another_run(tmp_path: Path) -> None:
    """Runs are told apart by tenant and run id."""
    ledger = filled(tmp_path, runs=1)
    ledger.opened("run-0", "fabrikam")
    assert len(read_ledger(ledger.path).lines) == 3


@pytest.mark.parametrize(("sums", "result"), [("b" * 64, "succeeded"), (SUM, "failed")])
def test_a_run_is_not_closed_twice_in_different_ways(
    tmp_path: Path, sums: str, result: str
) -> None:
    """A second closing line with another digest or result is refused."""
    ledger = filled(tmp_path)
    with pytest.raises(RecordBroken, match="closed with another digest or result"):
        ledger.closed("run-1", "contoso", sums, result)


def test_an_attempt_is_cut_off_once(tmp_path: Path) -> None:
    """The first word on an attempt stands; the next attempt has its own.

    A batch may be killed after the ledger's line and before its own record's.
    """
    ledger = ledger_of(tmp_path)
    ledger.opened("run", "contoso")
    for attempt, ended in (("1", "cancelled"), ("1", "died"), ("2", "died")):
        ledger.interrupted("run", "contoso", attempt, ended)
    lines = [json.loads(line) for line in ledger.path.read_bytes().splitlines()]
    said = [(line["attempt"], line["ended"]) for line in lines[1:]]
    assert said == [("1", "cancelled"), ("2", "died")]


@pytest.mark.parametrize("torn", [b'{"digest":"aa', b'{"digest":"aa\n{"line'])
def test_torn_line_is_kept_and_the_next_one_says_so(
    tmp_path: Path, torn: bytes
) -> None:
    """The next line links to the torn bytes and to the last whole line."""
    ledger = filled(tmp_path)
    whole = ledger.path.read_bytes().splitlines()[-1]
    with ledger.path.open("ab") as stream:
        stream.write(torn)
    assert ledger.head() == digest(torn.split(b"\n")[-1])
    ledger.opened("later", "contoso")
    chain = read_ledger(ledger.path)
    last = chain.lines[-1].fields
    assert last["prev"] == digest(torn.split(b"\n")[-1])
    assert last["before_torn"] == digest(whole)
    assert last["seq"] == 4
    assert chain.torn == torn.count(b"\n") + 1
    assert torn in ledger.path.read_bytes()


def test_torn_first_line(tmp_path: Path) -> None:
    """A ledger that begins with a torn line can be gone on with."""
    ledger = ledger_of(tmp_path)
    ledger.path.write_bytes(b'{"line":"op')
    ledger.opened("first", "contoso")
    assert read_ledger(ledger.path).lines[0].fields["before_torn"] == GENESIS


def test_empty_ledger(tmp_path: Path) -> None:
    """A file that a kill left empty is a ledger without lines."""
    ledger = ledger_of(tmp_path)
    ledger.path.touch()
    assert read_ledger(ledger.path).head is None
    ledger.opened("first", "contoso")
    assert read_ledger(ledger.path).lines[0].fields["prev"] == GENESIS


def test_missing_ledger_is_broken(tmp_path: Path) -> None:
    """Reading one that is not there names the path."""
    with pytest.raises(RecordBroken, match="cannot be read"):
        read_ledger(tmp_path / "ledger.ndjson")


def test_unknown_kind_of_line_is_refused(tmp_path: Path) -> None:
    """A line that this version does not know is not passed over."""
    ledger = filled(tmp_path)
    ledger._append({"run": "x", "tenant": "contoso", "line": "forged"})
    with pytest.raises(RecordBroken, match="is not one of"):
        read_ledger(ledger.path)


def test_a_second_writer_waits(tmp_path: Path) -> None:
    """While another process has the lock, nothing is appended."""
    ledger = filled(tmp_path, runs=1)
    before = ledger.path.read_bytes()
    writer = threading.Thread(target=ledger.opened, args=("later", "contoso"))
    with ledger.path.with_suffix(".lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        writer.start()
        writer.join(timeout=0.2)
        assert writer.is_alive()
        assert ledger.path.read_bytes() == before
    writer.join()
    assert len(read_ledger(ledger.path).lines) == 3


def _appended(folder: Path, worker: int) -> None:
    for number in range(10):
        ledger_of(folder).opened(f"{worker}-{number}", "contoso")


def test_processes_append_one_after_the_other(tmp_path: Path) -> None:
    """Lines of four processes at once still form one chain."""
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_appended, args=(tmp_path, worker))
        for worker in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert len(read_ledger(ledger_of(tmp_path).path).lines) == 40

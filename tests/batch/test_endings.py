"""Time-outs, audits of a batch's record, and whose secrets a tenant's process has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from runbook_lib.batch.members import Member, environment_of
from tests.batch.world import Many, many
from tests.integration.world import runbook, running


def test_a_slow_tenant_is_timed_out(tmp_path: Path) -> None:
    """It is ended, told apart from a death, stays open, and the ledger has it."""
    with running(tmp_path, "--fault", "smtp-slow=30") as world:
        there = many(world)
        done = there.batch("--timeout", "2", mode="verify")
        (tenant,) = done.tenants.values()
        assert (tenant["end"], tenant["result"]) == ("timed out", None)
        assert done.exit_code == 1
        assert "in cell" in tenant["problem"]
        assert not done.report["finished"]
        record = there.outputs / tenant["tenant"] / tenant["tenant_run"]
        assert not (record / "SHA256SUMS").exists()
        notebook = json.loads((record / "notebook-attempt-1.ipynb").read_bytes())
        ends = [cell["metadata"]["runbook"]["end"] for cell in notebook["cells"]]
        assert ends.count("timed out") == 1
        assert ends[ends.index("timed out") + 1 :].count("not run") > 5
        assert cut_off(there) == [("timed out", "1")]
        again = there.batch("--resume", "--timeout", "2", mode="verify")
        assert again.tenants[tenant["tenant"]]["attempt"] == 2
        assert cut_off(there) == [("timed out", "1"), ("timed out", "2")]


def cut_off(there: Many) -> list[tuple[str, str]]:
    """Return how attempts were cut off, and their numbers, as the ledger says."""
    lines = [line for line in there.ledger() if line["line"] == "interrupted"]
    return [(line["ended"], line["attempt"]) for line in lines]


def test_audit_sees_what_was_done_to_a_batch(tmp_path: Path) -> None:
    """A changed summary, a changed record of a tenant, a missing one."""
    with running(tmp_path) as world:
        there = many(world)
        done = there.batch()
    (tenant,) = done.tenants.values()
    record = there.outputs / tenant["tenant"] / tenant["tenant_run"]
    assert runbook("audit", there.outputs).returncode == 0
    refused = runbook("seal", done.folder)
    assert refused.returncode != 0
    assert "batch" in refused.stderr

    summary = done.folder / "summary.csv"
    kept = summary.read_bytes()
    summary.write_bytes(kept + b"more\r\n")
    assert "summary.csv" in _broken(there.outputs)
    summary.write_bytes(kept)
    assert runbook("audit", there.outputs).returncode == 0

    sums = record / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes().replace(b"report.html", b"report.htm"))
    assert "is not the record of this batch" in _broken(there.outputs)
    shutil.rmtree(record)
    assert f"{tenant['tenant']}/{record.name} is missing" in _broken(there.outputs)


def _broken(outputs: Path) -> str:
    done = runbook("audit", outputs)
    assert done.returncode == 6
    return done.stdout


def test_a_tenant_gets_only_its_own_secrets() -> None:
    """A variable of another tenant is taken away, a shared one is not."""
    environment = {"A": "1", "B": "2", "BOTH": "3", "PATH": "p"}
    member = Member("a", Path("a"), "id", Path("a"), "r", frozenset({"A", "BOTH"}))
    secrets = frozenset({"A", "B", "BOTH"})
    found = environment_of(member, secrets, environment)
    assert found == {"A": "1", "BOTH": "3", "PATH": "p"}

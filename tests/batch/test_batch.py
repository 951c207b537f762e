"""`runbook batch` against a sandbox: records, ledger, lock, refusals, resumption."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from runbook_lib.batch.cells import read_cells, sources, with_parameters
from runbook_lib.batch.ends import End
from runbook_lib.batch.forking import DirectEngine
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.locking import locked_tenant
from tests.batch.test_direct import ran, shown
from tests.batch.world import Many, awaited, many
from tests.integration.world import World, runbook, running

TENANTS = 3


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Many]:
    """Return a fresh sandbox with some tenants."""
    with running(tmp_path, "--tenants", str(TENANTS)) as world:
        yield many(world)


def spoil(there: Many, name: str) -> None:
    """Let a tenant's secret be missing, which only its opening cell finds."""
    path = there.tenants / f"{name}.yaml"
    data = yaml.safe_load(path.read_text("utf-8"))
    data["operator"]["secret"] = "env:NOT_THERE"
    path.write_text(yaml.safe_dump(data), "utf-8")


def test_every_tenant_has_its_own_closed_record(there: Many) -> None:
    """Plan: notebook, report, sums, ledger, one summary; the audit is content."""
    done = there.batch()
    assert done.exit_code == 4
    assert done.report["finished"]
    assert len(done.tenants) == TENANTS
    digests = {tenant["plan_digest"] for tenant in done.tenants.values()}
    assert len(digests) == TENANTS
    assert None not in digests
    for name, tenant in done.tenants.items():
        record = there.outputs / name / tenant["tenant_run"]
        notebook = json.loads((record / "notebook.ipynb").read_bytes())
        assert notebook["metadata"]["runbook"] == {"end": "completed"}
        ends = {cell["metadata"]["runbook"]["end"] for cell in notebook["cells"]}
        assert ends == {"completed"}
        assert (record / "SHA256SUMS").exists()
        assert [p.name for p in (there.outputs / name).iterdir()] == [record.name]
    owners = [(line["tenant"], line["line"]) for line in there.ledger()]
    assert len(owners) == len(set(owners)) == 2 * (TENANTS + 1)
    table = csv.reader((done.folder / "summary.csv").read_text("utf-8").splitlines())
    assert [line[0] for line in table][1:] == list(done.tenants)
    audit = runbook("audit", there.outputs)
    assert audit.returncode == 0, audit.stdout
    assert not there.world.writes()


def written_steps(folder: Path) -> set[str]:
    """Return the steps that any attempt of a tenant's only run changed."""
    (events,) = folder.glob("*/events.ndjson")
    found = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    ends = [event for event in found if event["event"] == "step.end"]
    return {end["step"] for end in ends if end["outcome"] == "changed"}


def test_a_tenant_that_waits_gives_its_worker_back(there: Many) -> None:
    """Apply: replication is waited for without a worker, in one record per tenant."""
    done = there.batch("--workers", "1", mode="apply")
    assert done.exit_code == 3  # nobody has attested anything
    kinds = [(event["event"], event.get("tenant")) for event in done.events()]
    names = list(done.tenants)
    waits = [place for place, (kind, _) in enumerate(kinds) if kind == "tenant.waits"]
    assert waits, kinds
    first = kinds[waits[0]][1]
    following = kinds[waits[0] + 1]
    assert following[0] == "tenant.started"
    assert following[1] != first
    assert [event for event, _ in kinds].count("tenant.ended") == TENANTS
    for name in names:
        outcomes = done.tenants[name]["outcomes"]
        assert outcomes["changed"] == len(written_steps(there.outputs / name))
        assert len(list((there.outputs / name).glob("*/events.ndjson"))) == 1
    again = there.batch(mode="verify")
    assert {t["end"] for t in again.tenants.values()} == {"completed"}


def test_a_failed_canary_stops_and_resume_goes_on(there: Many) -> None:
    """The others did not run; resuming runs them and leaves the failed one alone."""
    spoil(there, "contoso")
    done = there.batch("--canary", "1")
    ends = {name: tenant["end"] for name, tenant in done.tenants.items()}
    assert ends.pop("contoso") == "failed"
    assert set(ends.values()) == {"not run"}
    assert "NOT_THERE" in done.tenants["contoso"]["problem"]
    assert not done.report["finished"]
    assert done.exit_code == 3
    resumed = there.batch("--resume")
    assert resumed.folder == done.folder
    assert resumed.report["finished"]
    ends = {name: tenant["end"] for name, tenant in resumed.tenants.items()}
    assert ends.pop("contoso") == "failed"
    assert set(ends.values()) == {"completed"}
    assert resumed.exit_code == 3
    nothing = there.batch("--resume")
    assert nothing.exit_code == 2
    assert "no unfinished batch" in nothing.stderr


def test_a_locked_tenant_is_refused_and_the_others_run(there: Many) -> None:
    """While another process works on a tenant, no batch does."""
    (there.outputs / "contoso").mkdir(parents=True)
    with locked_tenant(there.outputs / "contoso"):
        done = there.batch()
    assert done.exit_code == 5
    assert "another run or batch" in done.tenants["contoso"]["problem"]
    assert done.tenants["fabrikam"]["result"] == "succeeded"


def test_an_interrupted_batch_leaves_open_records(there: Many) -> None:
    """Ctrl-C ends what runs; the ledger tells, and resuming finishes the runs."""
    batch = there.start(mode="apply")
    awaited(lambda: list(there.outputs.glob("[cft]*/*/events.ndjson")))
    batch.send_signal(signal.SIGINT)
    assert batch.wait(timeout=120) in (1, 3)
    assert batch.stderr is not None
    batch.stderr.close()
    lines = [line["line"] for line in there.ledger()]
    assert "interrupted" in lines
    assert lines.count("closed") < lines.count("opened")
    done = there.batch("--resume", mode="apply")
    assert done.report["finished"]
    attempts = {t["tenant"]: t["attempt"] for t in done.tenants.values()}
    assert max(attempts.values()) == 2
    audit = runbook("audit", there.outputs)
    assert audit.returncode == 0, audit.stdout


def test_both_engines_say_the_same(there: Many) -> None:
    """The stock engine gives the same outcomes and plan."""
    direct, stock = there.batch("--engine", "direct"), there.batch("--engine", "stock")
    for name, tenant in direct.tenants.items():
        other = stock.tenants[name]
        assert other["engine"] == "stock"
        for field in ("end", "result", "outcomes", "actions", "plan_digest"):
            assert other[field] == tenant[field]


def test_parameters_of_a_tenant_are_refused(world: World) -> None:
    """Each tenant has its own file and run; a batch is given neither."""
    for name in ("tenant", "run_id", "record"):
        command = ("batch", "1-smtp-oauth", "--tenants", world.tenant_file)
        done = runbook(*command, "-p", f"{name}=x")
        assert done.returncode == 2
        assert "each tenant of a batch has its own" in done.stderr


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a sandbox with one tenant."""
    with running(tmp_path) as found:
        yield found


def test_a_tenants_process_imports_nothing(there: Many, tmp_path: Path) -> None:
    """What a notebook needs was loaded once, in the template."""
    notebook = read_cells(find_notebook("1-smtp-oauth").path)
    values = {"tenant": str(there.files()[0]), "outputs": str(there.outputs)}
    cells = [cell for cell in sources(with_parameters(notebook, values)) if cell]
    cells[0] = f"import sys\nloaded = set(sys.modules)\n{cells[0]}"
    cells.append("print(sorted(set(sys.modules) - loaded))")
    with DirectEngine() as engine:
        found = ran(engine, tmp_path, *cells)
    assert found.ended() is End.COMPLETED
    assert shown(found)[-1] == "[]\n"

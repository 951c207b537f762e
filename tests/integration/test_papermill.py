"""Plain papermill: an open record, closed by seal, accepted by audit; archives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.locking import locked_tenant
from tests.integration.world import NOTEBOOK, World, run_notebook, runbook


def papermill(
    source: Path, target: Path, parameters: dict[str, str] | None
) -> subprocess.CompletedProcess[str]:
    """Run papermill as anybody would, with the parameters in a file."""
    command = [sys.executable, "-m", "papermill", str(source), str(target)]
    if parameters is not None:
        file = target.with_suffix(".yaml")
        file.write_text(yaml.safe_dump(parameters), "utf-8")
        command += ["-f", str(file)]
    return subprocess.run(
        [*command, "--no-progress-bar", "--cwd", str(target.parent)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


def the_record(world: World) -> Path:
    """Return the only record that is there."""
    (events,) = world.outputs.glob("*/*/events.ndjson")
    return events.parent


def audited(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Audit and return exit code and findings."""
    done = runbook("audit", "--json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, found


def test_seal_closes_and_audit_accepts(world: World) -> None:
    """Papermill leaves an open record; seal closes it; audit finds nothing broken."""
    out = world.folder / "out.ipynb"
    given = world.given("apply", evidence=world.evidence())
    done = papermill(find_notebook(NOTEBOOK).path, out, given)
    assert done.returncode == 0, done.stderr
    record = the_record(world)
    names = {path.name for path in record.iterdir()}
    assert "SHA256SUMS" not in names
    assert "notebook.ipynb" not in names
    executed = out.read_bytes()

    sealed = runbook("seal", record, "--notebook", out, "--json")
    assert sealed.returncode == 3, sealed.stderr
    assert json.loads(sealed.stdout)["result"] == "incomplete"
    assert (record / "notebook.ipynb").exists()
    assert out.read_bytes() == executed
    code, found = audited(world.outputs)
    assert code == 0, found
    assert "Traceback" not in sealed.stderr


def test_seal_refuses_another_notebook(world: World) -> None:
    """A notebook that does not show the chain head of the record is not archived."""
    out = world.folder / "out.ipynb"
    papermill(find_notebook(NOTEBOOK).path, out, world.given("plan"))
    record = the_record(world)
    text = out.read_text("utf-8")
    head = text.index("chain head ") + len("chain head ")
    changed = text[:head] + "0" * 64 + text[head + 64 :]
    out.write_text(changed, "utf-8")
    refused = runbook("seal", record, "--notebook", out)
    assert refused.returncode in (5, 6)
    assert "Traceback" not in refused.stderr
    assert not (record / "SHA256SUMS").exists()


def test_archived_apply_notebook_only_looks(world: World) -> None:
    """Whoever runs an archived apply notebook again writes nothing."""
    applied = run_notebook(world, "apply", evidence=world.evidence())
    assert applied["exit_code"] == 3, applied["stderr"]
    written, stored = len(world.writes()), world.dump()
    archive = Path(applied["record"]) / "notebook.ipynb"
    world.break_tenant(
        "set_cas",
        mailbox=world.tenant["mailbox"],
        name="SmtpClientAuthenticationDisabled",
        value=None,
    )
    changed = world.dump()
    assert changed != stored
    again = papermill(archive, world.folder / "again.ipynb", None)
    assert again.returncode == 0, again.stderr
    assert len(world.writes()) == written
    assert world.dump() == changed
    assert len(list(world.outputs.glob("*/*/events.ndjson"))) == 2


@pytest.mark.ci
def test_archive_of_plain_papermill_only_looks(world: World) -> None:
    """The same holds for a notebook that seal archived, which named no run."""
    out = world.folder / "out.ipynb"
    papermill(find_notebook(NOTEBOOK).path, out, world.given("apply"))
    record = the_record(world)
    runbook("seal", record, "--notebook", out)
    written = len(world.writes())
    papermill(record / "notebook.ipynb", world.folder / "again.ipynb", None)
    assert len(world.writes()) == written
    assert len(list(world.outputs.glob("*/*/events.ndjson"))) == 2


def test_unknown_and_wrong_parameters_are_refused(world: World) -> None:
    """Plain papermill only warns of an unknown name; the opening cell refuses it."""
    source, out = find_notebook(NOTEBOOK).path, world.folder / "out.ipynb"
    for wrong in ({"mailbxo": "x"}, {"mode": "aply"}, {"client_secret_days": 180}):
        done = papermill(source, out, {**world.given("plan"), **wrong})  # type: ignore[dict-item]
        assert done.returncode != 0
        name = next(iter(wrong))
        assert name in out.read_text("utf-8")
        assert list(world.outputs.glob("*/*")) == []
    assert world.log() == []


def test_run_refuses_before_any_kernel(world: World) -> None:
    """The command line says what is wrong with a parameter and exits 2."""
    done = runbook("run", NOTEBOOK, "--tenant", world.tenant_file, "-p", "mailbxo=x")
    assert done.returncode == 2
    assert "mailbxo: unknown parameter" in done.stderr
    assert "Traceback" not in done.stderr
    assert world.log() == []


@pytest.mark.ci
def test_archive_elsewhere_only_looks(world: World) -> None:
    """An archive from a change ticket, without its record, writes nothing either."""
    applied = run_notebook(world, "apply")
    ticket = world.folder / "ticket.ipynb"
    ticket.write_bytes((Path(applied["record"]) / "notebook.ipynb").read_bytes())
    shutil.rmtree(world.outputs)
    written, stored = len(world.writes()), world.dump()
    again = papermill(ticket, world.folder / "again.ipynb", None)
    assert again.returncode == 0, again.stderr
    assert len(world.writes()) == written
    assert world.dump() == stored


def test_a_second_apply_waits_its_turn(world: World) -> None:
    """While somebody works on the tenant, plain papermill is refused, and says so."""
    out = world.folder / "out.ipynb"
    folder = world.outputs / str(world.tenant["name"])
    with locked_tenant(folder):
        done = papermill(find_notebook(NOTEBOOK).path, out, world.given("apply"))
    assert done.returncode != 0
    assert "works on this tenant" in out.read_text("utf-8")
    assert world.writes() == []

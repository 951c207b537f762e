"""The notebook of option 1 in JupyterLab, against a sandbox tenant."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import ends
from runbook_lib.engine.record import EVENTS
from tests.ui.lab import Lab, NotebookPage

pytestmark = pytest.mark.ui

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "1-smtp-oauth.ipynb"
SMTP_AUTH, SAP_NOTE = "enable-authenticated-smtp", "sap-notes-implemented"
NAME = "SmtpClientAuthenticationDisabled"


class Sandbox:
    """A sandbox process that can be stopped for a while, as a slow service is."""

    def __init__(self, folder: Path) -> None:
        """Start the process and wait until it says that it is ready."""
        self._ready = folder / "ready.json"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runbook_lib.sandbox", "--ready-file", self._ready]
        )
        try:
            self.facts = self._awaited()
        except BaseException:
            self.end()
            raise

    def _awaited(self) -> dict[str, Any]:
        until = time.monotonic() + 30
        while not self._ready.exists() or not self._ready.read_text().endswith("}\n"):
            assert self._process.poll() is None, "the sandbox ended"
            assert time.monotonic() < until, "the sandbox did not become ready"
            time.sleep(0.05)
        facts: dict[str, Any] = json.loads(self._ready.read_text())
        return facts

    def writes(self) -> list[str]:
        """Return method or cmdlet of each request that wrote."""
        lines = Path(self.facts["log_file"]).read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [f"{e['method']} {e['path']}" for e in found if e["write"]]

    def pause(self) -> None:
        """Let no request be answered."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End the process."""
        self.resume()
        self._process.terminate()
        self._process.wait(timeout=30)


class Desk:
    """A copy of the notebook, its page, its sandbox and its record."""

    def __init__(
        self,
        lab: Lab,
        page: Any,
        folder: Path,
        sandbox: Sandbox,
        **parameters: str,
    ) -> None:
        """Write the copy with its parameters, and open it."""
        self.folder = folder
        self.sandbox = sandbox
        content = json.loads(NOTEBOOK.read_text())
        tenant = sandbox.facts["tenants"][0]["tenant_file"]
        self.cells = _fill(content, {"tenant": tenant, **parameters})
        (folder / NOTEBOOK.name).write_text(json.dumps(content))
        relative = (folder / NOTEBOOK.name).relative_to(lab.root).as_posix()
        self.notebook = NotebookPage(page, lab, relative)

    def events(self) -> tuple[Event, ...]:
        """Return the events of the one record that there is."""
        (path,) = (self.folder / "outputs").glob(f"*/*/{EVENTS}")
        return read_chain(path).events

    def end_of(self, step: str) -> Event:
        """Return the last end of a step on record."""
        return ends(self.events())[step]

    def run_all(self) -> None:
        """Run all cells and wait for the last cell's output."""
        self.notebook.run_all()
        last = self.notebook.page.get_by_text("Result of the run").last
        last.wait_for(timeout=60_000)

    def photograph(self, name: str) -> None:
        """Keep a picture of the page."""
        self.notebook.page.screenshot(path=str(self.folder / f"{name}.png"))


def _fill(content: dict[str, Any], parameters: dict[str, str]) -> dict[str, int]:
    """Write values into the parameters cell; return the code cells by id."""
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        source = "".join(cell["source"])
        if "parameters" in cell["metadata"].get("tags", ()):
            for name, value in parameters.items():
                pattern = rf'^{name}: str = "[^"]*"'
                source, found = re.subn(
                    pattern, f"{name}: str = {value!r}", source, flags=re.MULTILINE
                )
                assert found == 1, f"no parameter {name}"
        cell["source"] = source
        cell["outputs"], cell["execution_count"] = [], None
    return {cell["id"]: number for number, cell in enumerate(code)}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Yield a running sandbox."""
    started = Sandbox(tmp_path)
    yield started
    started.end()


@pytest.fixture
def desk(lab: Lab, page: Any, sandbox: Sandbox, request: pytest.FixtureRequest) -> Desk:
    """Return the notebook, opened, over a fresh tenant."""
    return Desk(lab, page, fresh(lab, request.node.name), sandbox)


def fresh(lab: Lab, name: str) -> Path:
    """Return an empty folder in JupyterLab's root."""
    folder = lab.root / name
    folder.mkdir()
    return folder


def test_smtp_auth_by_hand(desk: Desk) -> None:
    """Plan, Apply…, reload during the wait, Confirm; then restart and run all."""
    notebook, sandbox = desk.notebook, desk.sandbox
    desk.run_all()
    cell = desk.cells[SMTP_AUTH]
    assert sandbox.writes() == []
    assert {e["mode"] for e in desk.events() if e["event"] == "step.end"} == {"plan"}
    notebook.cell(cell).scroll_into_view_if_needed()
    notebook.button(cell, "Plan").click()
    notebook.card(cell).get_by_text("▲ Planned").wait_for()
    notebook.button(cell, "Apply…").click()
    notebook.button(cell, "Confirm").wait_for()
    desk.photograph("1-question")
    assert sandbox.writes() == []
    sandbox.pause()
    notebook.button(cell, "Confirm").click()
    notebook.status(cell).get_by_text("Applying").wait_for()
    notebook.reload()
    notebook.cell(cell).scroll_into_view_if_needed()
    assert notebook.button(cell, "Plan").is_disabled()
    desk.photograph("2-reloaded")
    sandbox.resume()
    notebook.card(cell).get_by_text("Changed and read back").wait_for()
    desk.photograph("3-changed")
    assert len(sandbox.writes()) == 1
    end = desk.end_of(SMTP_AUTH)
    assert (end["mode"], end["outcome"]) == ("apply", "changed")
    assert cast("dict[str, object]", end["after"])[NAME] is False
    nothing_acts_again(desk, cell)


def nothing_acts_again(desk: Desk, cell: int) -> None:
    """Restart, run all, run all again, run the cell: the card stays, nothing acts."""
    notebook, sandbox = desk.notebook, desk.sandbox
    ended = desk.end_of(SMTP_AUTH)
    notebook.restart_kernel()
    notebook.cell(cell).get_by_text("may be behind the record").wait_for()
    desk.photograph("4-kernel-gone")
    desk.run_all()
    desk.run_all()
    notebook.run_cell(cell)
    notebook.card(cell).get_by_text("Changed and read back").wait_for()
    assert desk.end_of(SMTP_AUTH) == ended
    assert len(sandbox.writes()) == 1
    notebook.button(cell, "Verify").click()
    notebook.card(cell).get_by_text("✔ As expected").wait_for()
    assert desk.end_of(SMTP_AUTH)["mode"] == "verify"
    assert len(sandbox.writes()) == 1


def test_kernel_lost_before_the_write(desk: Desk) -> None:
    """A kernel that is lost while the service is silent has written nothing."""
    notebook, sandbox = desk.notebook, desk.sandbox
    desk.run_all()
    cell = desk.cells[SMTP_AUTH]
    notebook.cell(cell).scroll_into_view_if_needed()
    notebook.button(cell, "Apply…").click()
    notebook.button(cell, "Confirm").wait_for()
    sandbox.pause()
    notebook.button(cell, "Confirm").click()
    notebook.status(cell).get_by_text("Applying").wait_for()
    notebook.restart_kernel()
    sandbox.resume()
    desk.run_all()
    notebook.card(cell).get_by_text("▲ Planned").wait_for()
    assert sandbox.writes() == []


def test_sap_note_by_hand(desk: Desk) -> None:
    """Evidence is handed in by a click, and stays attested when all is run again."""
    notebook = desk.notebook
    desk.run_all()
    cell = desk.cells[SAP_NOTE]
    box = notebook.cell(cell)
    box.scroll_into_view_if_needed()
    desk.photograph("1-open")
    box.get_by_label("Who looked").fill("A. Basis")
    box.get_by_label("When (UTC)").fill("2026-11-24 09:30")
    box.get_by_label("Reference").fill("CHG0031877")
    box.get_by_label("Text").fill("3581654  Completely implemented")
    notebook.button(cell, "Hand in").click()
    notebook.card(cell).get_by_text("Attested by A. Basis").wait_for()
    desk.photograph("2-attested")
    assert desk.end_of(SAP_NOTE)["outcome"] == "ok"
    notebook.restart_kernel()
    desk.run_all()
    notebook.card(cell).get_by_text("Attested by A. Basis").wait_for()
    assert len([e for e in desk.events() if e["event"] == "evidence.attached"]) == 1
    assert desk.sandbox.writes() == []


def test_mode_apply_in_the_parameters_cell(
    lab: Lab, page: Any, sandbox: Sandbox
) -> None:
    """A notebook that asks for apply writes nothing by being run."""
    folder = fresh(lab, "mode-apply")
    desk = Desk(lab, page, folder, sandbox, mode="apply")
    desk.run_all()
    assert sandbox.writes() == []


def test_mode_rollback_in_the_parameters_cell(
    lab: Lab, page: Any, sandbox: Sandbox
) -> None:
    """A notebook that asks for rollback takes nothing back by being run."""
    folder = fresh(lab, "mode-rollback")
    tenant = sandbox.facts["tenants"][0]["tenant_file"]
    outputs = str(folder / "outputs")
    command = [sys.executable, "-m", "runbook_lib.cli", "run", str(NOTEBOOK)]
    options = ["--tenant", tenant, "--mode", "apply", "-p", f"outputs={outputs}"]
    subprocess.run([*command, *options], check=False, stdout=subprocess.DEVNULL)
    (record,) = (folder / "outputs").glob("contoso/2*")
    written = sandbox.writes()
    assert len(written) > 5
    desk = Desk(lab, page, folder, sandbox, mode="rollback", record=record.name)
    desk.notebook.run_all()
    page.wait_for_timeout(3_000)
    desk.photograph("1-rollback")
    assert sandbox.writes() == written

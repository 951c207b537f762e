"""Two panels in JupyterLab over a real record: nothing acts by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.record import EVENTS
from tests.ui.lab import Lab, NotebookPage
from tests.ui.scene import make_world

pytestmark = pytest.mark.ui

OPEN, SWITCH, NOTE = 0, 1, 2


class Desk:
    """The notebook of one test, its world and its record."""

    def __init__(self, lab: Lab, page: Any, folder: Path, lag: int) -> None:
        """Write world and notebook, then open the notebook in the browser."""
        self.folder = folder
        make_world(folder, lag=lag)
        (folder / "scene.ipynb").write_text(json.dumps(_notebook(folder)))
        relative = folder.relative_to(lab.root).as_posix()
        self.notebook = NotebookPage(page, lab, f"{relative}/scene.ipynb")

    def writes(self) -> list[str]:
        """Return what was written to the tenant."""
        return (self.folder / "writes.log").read_text().split()

    def events(self) -> tuple[Event, ...]:
        """Return the record's events, from disk."""
        return read_chain(self.folder / "outputs" / "example" / EVENTS).events

    def ends(self) -> list[tuple[str, str]]:
        """Return mode and outcome of each end on record."""
        ended = [e for e in self.events() if e["event"] == "step.end"]
        return [(str(e["mode"]), str(e["outcome"])) for e in ended]

    def photograph(self, name: str) -> None:
        """Keep a picture of the page beside the notebook."""
        self.notebook.page.screenshot(path=str(self.folder / f"{name}.png"))


def _notebook(folder: Path) -> dict[str, object]:
    sources = [
        "from pathlib import Path\n"
        "from tests.ui.scene import Note, Scene, Switch\n"
        "from runbook_lib.views.panel import show\n"
        f"scene = globals().get('scene') or Scene(Path({str(folder)!r}))",
        "show(Switch(), scene, live=True)",
        "show(Note(), scene, live=True)",
    ]
    cells: list[object] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    metadata = {"kernelspec": kernel}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def desk(lab: Lab, page: Any, request: pytest.FixtureRequest) -> Desk:
    """Return a notebook over a tenant that shows a write after five reads."""
    folder = lab.root / request.node.name
    folder.mkdir()
    return Desk(lab, page, folder, lag=5)


def apply_switch(desk: Desk) -> None:
    """Click Apply… and Confirm, as a person does."""
    notebook = desk.notebook
    notebook.button(SWITCH, "Apply…").click()
    notebook.button(SWITCH, "Confirm").click()


def test_only_confirm_writes(desk: Desk) -> None:
    """Running the cells and planning write nothing; Confirm writes once."""
    notebook = desk.notebook
    notebook.run_all()
    notebook.card(SWITCH).get_by_text("Not started").wait_for()
    assert desk.ends() == []
    desk.photograph("1-not-started")
    notebook.button(SWITCH, "Plan").click()
    notebook.card(SWITCH).get_by_text("▲ Planned").wait_for()
    assert desk.ends() == [("plan", "planned")]
    notebook.button(SWITCH, "Apply…").click()
    question = notebook.cell(SWITCH).get_by_label("Confirm").first
    question.get_by_text("This will be written").wait_for()
    desk.photograph("2-question")
    for text in ("contoso", "sap@contoso.com", "CHG0031877", "null", "false"):
        assert text in question.inner_text()
    assert desk.writes() == []
    notebook.button(SWITCH, "Cancel").click()
    notebook.status(SWITCH).get_by_text("Nothing was written").wait_for()
    assert desk.writes() == []
    apply_switch(desk)
    notebook.cell(SWITCH).get_by_text("waiting for replication, ").wait_for()
    desk.photograph("3-waiting")
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    desk.photograph("4-changed")
    assert desk.writes() == ["False"]
    assert desk.ends()[-1] == ("apply", "changed")
    notebook.button(SWITCH, "Verify").click()
    notebook.card(SWITCH).get_by_text("✔ As expected").wait_for()
    assert desk.writes() == ["False"]


def test_reload_during_the_wait(desk: Desk) -> None:
    """A reload while the tenant replicates writes nothing and shows the end."""
    notebook = desk.notebook
    notebook.run_all()
    apply_switch(desk)
    notebook.cell(SWITCH).get_by_text("waiting for replication, ").wait_for()
    notebook.reload()
    desk.photograph("1-reloaded")
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    assert desk.writes() == ["False"]
    assert desk.ends()[-1] == ("apply", "changed")


def test_running_the_cell_again_during_the_wait(desk: Desk) -> None:
    """A second panel of the same step shows that it is under way, then its end."""
    notebook = desk.notebook
    notebook.run_all()
    apply_switch(desk)
    notebook.cell(SWITCH).get_by_text("waiting for replication, ").wait_for()
    notebook.run_cell(SWITCH)
    notebook.card(SWITCH).get_by_text("◔ Under way, or interrupted").wait_for()
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    assert desk.writes() == ["False"]


def test_kernel_lost_during_the_wait(desk: Desk) -> None:
    """A killed apply is shown as such; running all again does not write."""
    notebook = desk.notebook
    notebook.run_all()
    apply_switch(desk)
    notebook.cell(SWITCH).get_by_text("waiting for replication, ").wait_for()
    notebook.restart_kernel()
    notebook.static(SWITCH).get_by_text("◔ Under way, or interrupted").wait_for()
    desk.photograph("1-kernel-lost")
    assert not notebook.button(SWITCH, "Confirm").is_visible()
    assert not notebook.button(SWITCH, "Verify").is_visible()
    assert not notebook.cell(SWITCH).get_by_text("Error displaying").is_visible()
    notebook.run_all()
    notebook.card(SWITCH).get_by_text("look again with Verify").wait_for()
    desk.photograph("2-interrupted")
    assert desk.writes() == ["False"]
    assert ("apply", "changed") not in desk.ends()
    finish_interrupted(desk)


def finish_interrupted(desk: Desk) -> None:
    """Verify until the write is seen, then let apply put its end on record."""
    notebook = desk.notebook
    while desk.ends()[-1:] != [("verify", "ok")]:
        known = len(desk.ends())
        notebook.button(SWITCH, "Verify").click()
        notebook.page.wait_for_timeout(300)
        assert len(desk.ends()) > known, "Verify was clicked and is not on record"
    notebook.panel(SWITCH).get_by_text("Interrupted:").wait_for()
    desk.photograph("3-verified")
    apply_switch(desk)
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    assert desk.writes() == ["False"]
    last = [e for e in desk.events() if e["event"] == "step.end"][-1]
    assert last["before"] == {"SmtpClientAuthenticationDisabled": None}
    assert last["confirmed"] == "observed"


def test_tenant_that_changed_before_confirm(desk: Desk) -> None:
    """What was confirmed is compared with the tenant; a difference stops it."""
    notebook = desk.notebook
    notebook.run_all()
    notebook.button(SWITCH, "Apply…").click()
    notebook.button(SWITCH, "Confirm").wait_for()
    stranger = {"value": True, "old": True, "left": 0, "lag": 0}
    (desk.folder / "tenant.json").write_text(json.dumps(stranger))
    notebook.button(SWITCH, "Confirm").click()
    notebook.status(SWITCH).get_by_text("the tenant changed since").wait_for()
    assert desk.writes() == []
    assert all(mode == "plan" for mode, _ in desk.ends())


def test_run_all_twice_after_apply(desk: Desk) -> None:
    """Restarting and running all shows the changed card again, and acts on nothing."""
    notebook = desk.notebook
    notebook.run_all()
    apply_switch(desk)
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    ended = desk.ends()
    notebook.restart_kernel()
    notebook.static(SWITCH).get_by_text("Changed and read back").wait_for()
    notebook.run_all()
    notebook.run_all()
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    assert desk.ends() == ended
    assert desk.writes() == ["False"]


def test_evidence_is_handed_in(desk: Desk, tmp_path: Path) -> None:
    """Evidence goes into the record by one click, and is attested, not verified."""
    notebook, page = desk.notebook, desk.notebook.page
    notebook.run_all()
    cell = notebook.cell(NOTE)
    notebook.button(NOTE, "Hand in").click()
    cell.get_by_role("alert").get_by_text("is empty").wait_for()
    assert "Traceback" not in cell.inner_text()
    cell.get_by_label("Who looked").fill("A. Basis")
    cell.get_by_label("When (UTC)").fill("2026-11-24 09:30")
    cell.get_by_label("Reference").fill("CHG0031877")
    cell.get_by_label("Text").fill("3581654 is <b>completely implemented</b>")
    attachment = tmp_path / "snote.txt"
    attachment.write_text("3581654 implemented")
    with page.expect_file_chooser() as chooser:
        cell.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(str(attachment))
    cell.get_by_text("Choose files (1)").wait_for()
    notebook.button(NOTE, "Hand in").click()
    notebook.card(NOTE).get_by_text("Attested by A. Basis").wait_for()
    desk.photograph("1-attested")
    assert "erified" not in notebook.card(NOTE).inner_text()
    files = [p.name for p in (desk.folder / "outputs").rglob("*") if p.is_file()]
    assert any(name.endswith("-snote.txt") for name in files)
    handed = [e for e in desk.events() if e["event"] == "evidence.attached"]
    assert [event["who"] for event in handed] == ["A. Basis"]


def test_saved_notebook_without_its_kernel(desk: Desk) -> None:
    """A saved notebook that is opened again shows the static card and no widget."""
    notebook = desk.notebook
    notebook.run_all()
    apply_switch(desk)
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    notebook.command("docmanager:save")
    saved = (desk.folder / "scene.ipynb").read_text()
    assert "VBox(" not in saved
    assert "widgets" not in json.loads(saved)["metadata"]
    notebook.lab.end_sessions()
    again = NotebookPage(notebook.page, notebook.lab, notebook.path)
    again.static(SWITCH).get_by_text("Changed and read back").wait_for()
    again.cell(SWITCH).get_by_text("may be behind the record").wait_for()
    desk.photograph("1-reopened")
    assert not again.cell(SWITCH).get_by_text("Error displaying").is_visible()


def test_keyboard_and_dark_theme(desk: Desk) -> None:
    """The panel can be used without a mouse, in the dark theme as well."""
    notebook, page = desk.notebook, desk.notebook.page
    notebook.run_all()
    page.evaluate(
        "() => window.jupyterapp.commands.execute("
        "'apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    notebook.button(SWITCH, "Plan").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    notebook.button(SWITCH, "Confirm").wait_for()
    desk.photograph("1-dark-question")
    notebook.button(SWITCH, "Apply…").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    notebook.card(SWITCH).get_by_text("Changed and read back").wait_for()
    desk.photograph("2-dark-changed")
    assert desk.writes() == ["False"]

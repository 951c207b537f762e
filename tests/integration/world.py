"""A sandbox process, what it saw, and runs of the notebook against it."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest import mock

import httpx

from runbook_lib import opening
from runbook_lib.cli.demo_people import hand_in_header, submitted_by_sap
from runbook_lib.cli.demo_sap import Applied, hand_in_sap
from runbook_lib.cli.execution import checked
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.cli.sandboxed import sandbox
from runbook_lib.clients.graph import GraphClient
from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import ends
from runbook_lib.engine.record import EVENTS, utc_now
from runbook_lib.errors import RunbookError
from runbook_lib.evidence.close import Closed, close_run
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.running import Run
from runbook_lib.secret import Mask
from runbook_lib.session import open_session
from runbook_lib.tenant import read_tenant

NOTEBOOK = "1-smtp-oauth"

EVIDENCE = """\
who: A. Basis
when: "2026-01-01"
reference: CHG0001
text: "3581654  SMTP OAuth 2.0  Completely implemented"
"""


@dataclass(frozen=True)
class World:
    """A running sandbox, and a folder for records."""

    ready: Mapping[str, Any]
    folder: Path

    @property
    def tenant(self) -> Mapping[str, Any]:
        """Return the first tenant of the ready file."""
        return cast("Mapping[str, Any]", self.ready["tenants"][0])

    @property
    def tenant_file(self) -> Path:
        """Return the first tenant's file."""
        return Path(self.tenant["tenant_file"])

    @property
    def outputs(self) -> Path:
        """Return where records go."""
        return self.folder / "outputs"

    @property
    def ledger(self) -> Ledger:
        """Return the ledger of the records."""
        return Ledger(self.outputs / "ledger.ndjson")

    def record(self, run: str) -> Path:
        """Return the folder of a run's record."""
        return self.outputs / str(self.tenant["name"]) / run

    @property
    def sink(self) -> Path:
        """Return the folder of the tenant's client secrets."""
        return self.tenant_file.parent / f"client-secret-{self.tenant['name']}"

    def log(self) -> list[dict[str, Any]]:
        """Return the sandbox's access log."""
        lines = Path(self.ready["log_file"]).read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def writes(self) -> list[dict[str, Any]]:
        """Return the requests that the sandbox judged to be writes."""
        return [entry for entry in self.log() if entry["write"]]

    def dump(self) -> bytes:
        """Return the tenant's configuration, for byte comparison."""
        return self._control("GET", "/_sandbox/dump").content

    def break_tenant(self, operation: str, **arguments: object) -> dict[str, Any]:
        """Change the tenant behind everybody's back; return what came of it."""
        body = {"operation": operation, "tenant": self._id(), **arguments}
        answer = self._control("POST", "/_sandbox/state", body)
        return cast("dict[str, Any]", answer.json())

    def _id(self) -> str:
        return str(self.tenant["tenant_id"])

    def _control(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response:
        trust = ssl.create_default_context(cafile=self.ready["ca_file"])
        url = self.ready["https"].replace("127.0.0.1", "localhost") + path
        answer = httpx.request(
            method,
            url,
            params={"tenant": self._id()} if method == "GET" else None,
            json=body,
            headers={"Authorization": f"Bearer {self.ready['control_token']}"},
            verify=trust,
            trust_env=False,
        )
        assert answer.is_success, answer.text
        return answer

    def exchange(self, cmdlet: str, **parameters: object) -> None:
        """Run a cmdlet as the operator, for what a customer does by hand."""
        session = open_session(
            read_tenant(self.tenant_file),
            run="by-hand",
            environment={},
            traffic=lambda exchange: None,
            mask=Mask(),
            sink_folder=self.folder,
        )
        session.exchange.invoke(cmdlet, **parameters)
        session.close()

    @contextmanager
    def graph(self) -> Iterator[GraphClient]:
        """Lend Microsoft Graph as the operator, for what a customer does by hand."""
        session = open_session(
            read_tenant(self.tenant_file),
            run="by-hand",
            environment={},
            traffic=lambda exchange: None,
            mask=Mask(),
            sink_folder=self.folder,
        )
        yield session.graph
        session.close()

    def given(self, mode: str, **parameters: str) -> dict[str, str]:
        """Return the parameters of a run."""
        given = {"tenant": str(self.tenant_file), "outputs": str(self.outputs)}
        return {**given, "mode": mode, **parameters}

    def evidence(
        self, applied: Closed | None = None, credential: str = "secret"
    ) -> str:
        """Write prepared evidence and return its folder.

        What needs the application ID and the run's id is there only after apply;
        then SAP has sent its test message as well.
        """
        known = None
        if applied is not None:
            after = cast("Event", step_ends(applied)["register-application"]["after"])
            known = Applied(str(after["appId"]), applied.folder.name)
        folder = self.folder / "evidence"
        tenant = read_tenant(self.tenant_file)
        handed_in = hand_in_sap(folder, tenant, known, credential)
        if applied is not None:
            header = submitted_by_sap(dict(self.ready), tenant, applied.folder.name)
            hand_in_header(folder, header)
        return handed_in


@contextmanager
def running(folder: Path, *options: str) -> Iterator[World]:
    """Run a sandbox; its files and the records go below the folder."""
    place = folder / "sandbox"
    place.mkdir()
    with sandbox(place, *options) as ready:
        yield World(ready, folder)


def runbook(
    *arguments: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line as its users do, and return what it said."""
    command = [sys.executable, "-m", "runbook_lib.cli", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, check=False, timeout=120
    )


def run_notebook(world: World, mode: str, **parameters: str) -> dict[str, Any]:
    """Run the notebook by `runbook run --json`; return its object and exit code."""
    given = world.given(mode, **parameters)
    pairs = [
        part
        for name, value in given.items()
        if name not in ("tenant", "mode")
        for part in ("-p", f"{name}={value}")
    ]
    done = runbook(
        "run", NOTEBOOK, "--tenant", given["tenant"], "--mode", mode, "--json", *pairs
    )
    assert "Traceback" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return {**found, "exit_code": done.returncode, "stderr": done.stderr}


def drive(
    world: World, mode: str, *, notebook: str = NOTEBOOK, **parameters: str
) -> Closed:
    """Run a notebook's own cells in this process, without a kernel, and close.

    It is quick, for tests that need a state; papermill and the command line have
    tests of their own.
    """
    run = parameters.setdefault("run_id", opening.new_run_id(utc_now()))
    return close(world, run, attempt(world, mode, notebook=notebook, **parameters))


def attempt(
    world: World,
    mode: str,
    *,
    run_id: str,
    notebook: str = NOTEBOOK,
    **parameters: str,
) -> str:
    """Run the cells, leave the record open, and return how they ended."""
    source = find_notebook(notebook)
    values = checked(source, world.given(mode, run_id=run_id, **parameters)).values
    world.record(run_id).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    world.ledger.opened(run_id, str(world.tenant["name"]))
    return _executed(_cells(source.path), values, run_id)


def close(world: World, run: str, ended: str) -> Closed:
    """Close a run whose cells have ended."""
    return close_run(
        world.record(run),
        ledger=world.ledger,
        kernel_ended=ended,
        notebook=None,
        closer="test",
    )


def _cells(path: Path) -> list[str]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]


def _executed(cells: list[str], values: Mapping[str, str], run_id: str) -> str:
    namespace: dict[str, object] = {}
    done: list[str] = []
    with (
        mock.patch.dict(os.environ, {opening.CLOSER: run_id}),
        mock.patch("runbook_lib.views.frontend.executed_cells", return_value=done),
        mock.patch("runbook_lib.views.frontend.show_html"),
        mock.patch("runbook_lib.running.show"),
    ):
        try:
            for cell in cells:
                done.append(cell)
                exec(cell, namespace)  # noqa: S102 - the notebook's own cells
                if "mode: str" in cell:
                    namespace.update(values)
                    done.append("# Parameters\n" + _as_source(values))
        except RunbookError:
            return "raised"
        finally:
            if isinstance(run := namespace.get("run"), Run):
                run.close()
    return "finished"


def _as_source(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name} = {value!r}" for name, value in values.items())


def events(closed: Closed) -> tuple[Event, ...]:
    """Return the events of a closed run."""
    return read_chain(closed.folder / EVENTS).events


def step_ends(closed: Closed) -> dict[str, Event]:
    """Return the last end of each step of a closed run."""
    return ends(events(closed))

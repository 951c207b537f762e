"""`runbook demo`: choosing an option, and options 1 to 3 in all modes."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from runbook_lib.cli.demo_people import (
    FACTS,
    REASONS,
    hand_in,
    hand_in_header,
    publish_spf,
    received_by_inbox,
    send_from_sap,
    submitted_by_sap,
)
from runbook_lib.cli.demo_sap import Applied, hand_in_sap
from runbook_lib.cli.execution import execute
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.cli.probe import look
from runbook_lib.cli.sandboxed import sandbox
from runbook_lib.cli.show import table
from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import ends
from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.result import Result
from runbook_lib.evidence.close import Closed
from runbook_lib.session import wire_of
from runbook_lib.tenant import Tenant, read_tenant


@dataclass(frozen=True)
class Shown:
    """One run of the demo, and the result that it has to have."""

    name: str
    closed: Closed
    expected: Result


@dataclass(frozen=True)
class Stage:
    """Where the demo happens: a sandbox, its first tenant, and our folders."""

    folder: Path
    ready: dict[str, Any]
    outputs: str
    quiet: bool

    @property
    def tenant_file(self) -> str:
        """Return the path of the tenant file."""
        return str(self.ready["tenants"][0]["tenant_file"])

    @property
    def tenant(self) -> Tenant:
        """Return the tenant."""
        return read_tenant(Path(self.tenant_file))

    def run(self, notebook: str, name: str, expected: Result, **values: str) -> Shown:
        """Run a notebook; the name begins with its mode."""
        named = f"{notebook.partition('-')[0]} {name}"
        if not self.quiet:
            click.echo(f"{named} …", err=True)
        given = {"tenant": self.tenant_file, "outputs": self.outputs}
        given |= {"mode": name.partition(" ")[0].rstrip(",")}
        closed = execute(find_notebook(notebook), {**given, **values})
        return Shown(named, closed, expected)


@click.command()
@click.option("--outputs", default="outputs", show_default=True)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
def demo(outputs: str, wants_json: bool) -> None:
    """Choose an option, then run options 1 to 3 in all modes, against a sandbox."""
    with tempfile.TemporaryDirectory(prefix="runbook-demo-") as place:
        folder = Path(place)
        with sandbox(folder) as ready:
            stage = Stage(folder, ready, outputs, quiet=wants_json)
            runs = [*_choice(stage), *_oauth(stage), *_direct(stage), *_relay(stage)]
    if wants_json:
        found = {
            run.name: {"result": run.closed.result, "record": str(run.closed.folder)}
            for run in runs
        }
        click.echo(json.dumps(found, indent=2))
    else:
        table((run.name, run.closed) for run in runs)
        click.echo("Option 2 changes nothing, so there is nothing to roll back.")
        click.echo("Everything above happened in the sandbox; nothing was sent out.")
    sys.exit(0 if all(run.closed.result == run.expected for run in runs) else 1)


def _choice(stage: Stage) -> Iterator[Shown]:
    yield stage.run("0-choose-an-option", "plan", Result.SUCCEEDED, **FACTS)


def _oauth(stage: Stage) -> Iterator[Shown]:
    option = "1-smtp-oauth"
    yield stage.run(option, "plan", Result.SUCCEEDED)
    applied = stage.run(option, "apply", Result.INCOMPLETE)
    yield applied
    shown = _prepared(stage, applied)
    again = "apply again, with evidence"
    yield stage.run(option, again, Result.SUCCEEDED, **shown)
    yield stage.run(option, "verify", Result.SUCCEEDED, **shown)
    yield _rollback(stage, option, applied, Result.ROLLED_BACK)


def _prepared(stage: Stage, applied: Shown) -> dict[str, str]:
    """Write what people would hand in: evidence of SAP, and a probe of the host."""
    tenant, record = stage.tenant, applied.closed.folder
    application = ends(read_chain(record / EVENTS).events)["register-application"]
    app_id = str(cast("Event", application["after"])["appId"])
    known = Applied(app_id, record.name)
    evidence = hand_in_sap(stage.folder / "evidence", tenant, known)
    header = submitted_by_sap(stage.ready, tenant, record.name)
    hand_in_header(Path(evidence), header)
    found = look(wire_of(tenant, None), tenant.endpoints.smtp, 587)
    probe = stage.folder / "probe.json"
    probe.write_text(json.dumps(found), "utf-8")
    return {"evidence": evidence, "probe": str(probe), "completes": record.name}


def _direct(stage: Stage) -> Iterator[Shown]:
    option = "2-direct-send"
    given = {"evidence": hand_in(stage.folder / option, stage.tenant)}
    yield stage.run(option, "plan", Result.SUCCEEDED)
    applied = stage.run(option, "apply", Result.INCOMPLETE, wait="0", **given)
    yield applied
    publish_spf(stage.ready, stage.tenant)
    yield from _proven(stage, option, applied, given, outside=False)
    yield _rollback(stage, option, applied, Result.REFUSED)


def _relay(stage: Stage) -> Iterator[Shown]:
    option = "3-relay-connector"
    given = {"evidence": hand_in(stage.folder / option, stage.tenant), **REASONS}
    yield stage.run(option, "plan", Result.SUCCEEDED, **REASONS)
    applied = stage.run(option, "apply", Result.INCOMPLETE, wait="0", **given)
    yield applied
    yield from _proven(stage, option, applied, given, outside=True)
    yield _rollback(stage, option, applied, Result.ROLLED_BACK)


def _proven(
    stage: Stage, option: str, applied: Shown, given: dict[str, str], *, outside: bool
) -> Iterator[Shown]:
    """Send SAP's test mails, and find them in a verify run."""
    run = applied.closed.folder.name
    send_from_sap(stage.ready, stage.tenant, run, outside=outside)
    header = received_by_inbox(stage.ready, stage.tenant, run)
    hand_in_header(Path(given["evidence"]), header)
    name = "verify, after SAP's mail"
    yield stage.run(option, name, Result.SUCCEEDED, completes=run, **given)


def _rollback(stage: Stage, option: str, applied: Shown, expected: Result) -> Shown:
    record = applied.closed.folder.name
    return stage.run(option, "rollback", expected, record=record)

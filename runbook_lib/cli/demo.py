"""`runbook demo`: option 1 in all modes against a sandbox tenant."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from runbook_lib.cli.execution import execute
from runbook_lib.cli.notebooks import NotebookSource, find_notebook
from runbook_lib.cli.probe import look
from runbook_lib.cli.sandboxed import sandbox
from runbook_lib.cli.show import table
from runbook_lib.engine.result import Result
from runbook_lib.evidence.close import Closed
from runbook_lib.session import wire_of
from runbook_lib.tenant import read_tenant

ATTESTATION = """\
who: Demo
when: "2026-01-01"
reference: DEMO
text: |
  Demonstration text, not a real attestation.
  3581654  SMTP OAuth 2.0  Completely implemented
"""

EXPECTED = {
    "plan": Result.SUCCEEDED,
    "apply": Result.INCOMPLETE,
    "apply again, with evidence": Result.SUCCEEDED,
    "verify": Result.SUCCEEDED,
    "rollback": Result.ROLLED_BACK,
}


@click.command()
@click.option("--outputs", default="outputs", show_default=True)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
def demo(outputs: str, wants_json: bool) -> None:
    """Run option 1 against a sandbox: plan, apply twice, verify, roll back."""
    with tempfile.TemporaryDirectory(prefix="runbook-demo-") as folder:
        runs = _runs(Path(folder), outputs, quiet=wants_json)
    if wants_json:
        found = {n: {"result": c.result, "record": str(c.folder)} for n, c in runs}
        click.echo(json.dumps(found, indent=2))
    else:
        table(runs)
        click.echo("Everything above happened in the sandbox; nothing was sent out.")
    as_expected = all(closed.result == EXPECTED[name] for name, closed in runs)
    sys.exit(0 if as_expected else 1)


def _runs(folder: Path, outputs: str, *, quiet: bool) -> list[tuple[str, Closed]]:
    with sandbox(folder) as ready:
        given = {"tenant": ready["tenants"][0]["tenant_file"], "outputs": outputs}
        shown = given | _prepared(folder, ready)
        source = find_notebook("1-smtp-oauth")
        runs: list[tuple[str, Closed]] = []
        for name, mode, values in (
            ("plan", "plan", given),
            ("apply", "apply", given),
            ("apply again, with evidence", "apply", shown),
            ("verify", "verify", shown),
        ):
            runs.append((name, _run(source, name, {**values, "mode": mode}, quiet)))
        back = {**given, "mode": "rollback", "record": runs[1][1].folder.name}
        runs.append(("rollback", _run(source, "rollback", back, quiet)))
    return runs


def _run(
    source: NotebookSource, name: str, given: dict[str, str], quiet: bool
) -> Closed:
    if not quiet:
        click.echo(f"{name} …", err=True)
    return execute(source, given)


def _prepared(folder: Path, ready: dict[str, Any]) -> dict[str, str]:
    """Write what people would hand in: an attestation, and a probe of the host."""
    evidence = folder / "evidence"
    evidence.mkdir(mode=0o700)
    (evidence / "sap-notes-implemented.yaml").write_text(ATTESTATION, "utf-8")
    tenant = read_tenant(Path(ready["tenants"][0]["tenant_file"]))
    found = look(wire_of(tenant, None), tenant.endpoints.smtp, 587)
    probe = folder / "probe.json"
    probe.write_text(json.dumps(found), "utf-8")
    return {"evidence": str(evidence), "probe": str(probe)}

"""`runbook audit`: do records, sums and ledger hold together?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from runbook_lib.evidence.audit import audit as audit_paths


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--head", help="Ledger head that was kept outside (the change ticket).")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
def audit(paths: tuple[Path, ...], head: str | None, wants_json: bool) -> None:
    """Check records: a record's folder, a tenant's folder, or all outputs."""
    report = audit_paths(paths, head=head)
    if wants_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        for line in report.lines():
            click.echo(line)
    sys.exit(report.exit_code)

"""`runbook seal`: close a record that JupyterLab or plain papermill left open."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runbook_lib.cli.show import show
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.evidence.seal import seal_record


@click.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.option(
    "--notebook",
    type=click.Path(path_type=Path),
    help="The saved notebook of the run; it is archived with the record.",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
def seal(record: Path, notebook: Path | None, wants_json: bool) -> None:
    """Close an open RECORD: report, sums and ledger line."""
    ledger = Ledger(record.resolve().parent.parent / "ledger.ndjson")
    closed = seal_record(record, ledger=ledger, notebook=notebook)
    show(closed, wants_json=wants_json)
    sys.exit(closed.exit_code)

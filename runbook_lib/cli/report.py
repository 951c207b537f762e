"""`runbook report`: render the report of a record again, from its events."""

from __future__ import annotations

from pathlib import Path

import click

from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.record import EVENTS
from runbook_lib.views.report import report_html


@click.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), help="File; without it: to stdout."
)
def report(record: Path, output: Path | None) -> None:
    """Render the report of a RECORD from its events; the record is not changed."""
    html = report_html(read_chain(record / EVENTS).events, folder=record)
    if output is None:
        click.echo(html)
    else:
        output.write_text(html, "utf-8")

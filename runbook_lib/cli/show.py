"""How the command line shows closed runs: a table, or one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click
from rich.console import Console
from rich.table import Table

from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.history import ends
from runbook_lib.engine.record import EVENTS
from runbook_lib.evidence.close import Closed


def as_json(closed: Closed) -> str:
    """Return record, result, outcomes and steps of a run as one JSON object."""
    done = ends(read_chain(closed.folder / EVENTS).events)
    return json.dumps(
        {
            "record": str(closed.folder),
            "result": closed.result,
            "outcomes": closed.outcomes,
            "steps": [
                {
                    "id": step,
                    "title": end["title"],
                    "outcome": end["outcome"],
                    "remedy": end.get("remedy_id"),
                }
                for step, end in done.items()
            ],
        },
        indent=2,
    )


def show(closed: Closed, *, wants_json: bool) -> None:
    """Print one run: as a JSON object, or as a table with what did not go well."""
    if wants_json:
        click.echo(as_json(closed))
    else:
        table([(closed.folder.name, closed)])
        problems(closed)


def table(runs: Iterable[tuple[str, Closed]]) -> None:
    """Print a table of runs (name, result, outcomes), and where the reports are."""
    closed_runs = list(runs)
    shown = Table("Run", "Result", "Outcomes", pad_edge=False)
    for name, closed in closed_runs:
        counts = ", ".join(f"{n} {outcome}" for outcome, n in closed.outcomes.items())
        shown.add_row(name, closed.result, counts)
    Console().print(shown)
    click.echo("Reports:")
    for _, closed in closed_runs:
        click.echo(f"  {closed.report}")


def problems(closed: Closed) -> None:
    """Print one block per step that did not go well, with its remedy."""
    for end in ends(read_chain(closed.folder / EVENTS).events).values():
        if end["outcome"] not in ("failed", "error", "blocked", "pending"):
            continue
        click.echo(f"{end['title']}: {end['outcome']}: {end.get('problem') or ''}")
        if end.get("remedy"):
            click.echo(f"  Remedy: {end['remedy']}")
        if end.get("remedy_id"):
            click.echo(f"  See docs/troubleshooting.md#{end['remedy_id']}")

"""How the command line shows a batch: bars on a terminal, else a line per tenant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from runbook_lib.batch.batch import Report
from runbook_lib.batch.members import Member
from runbook_lib.batch.outcomes import Outcome
from runbook_lib.batch.progress import Progress, Silent
from runbook_lib.batch.summary import counted


class Lines:
    """One line on standard error for each tenant that ends."""

    def __init__(self, total: int) -> None:
        """Count up to so many tenants."""
        self._total = total
        self._done = 0

    def started(self, member: Member) -> None:
        """Say nothing: most tenants end within a second."""

    def waits(self, member: Member, seconds: float) -> None:
        """Say that a tenant waits."""
        self.notice(f"{member.name}: waits for replication, again in {seconds:.0f} s")

    def ended(self, outcome: Outcome) -> None:
        """Say what became of a tenant."""
        self._done += 1
        self.notice(f"[{self._done}/{self._total}] {described(outcome)}")

    def notice(self, text: str) -> None:
        """Say something."""
        click.echo(text, err=True)


class Terminal:
    """A bar, the tenants that run, and a line for each one that did not go well."""

    def __init__(self, bars: Bars, total: int) -> None:
        """Draw on these bars."""
        self._bars = bars
        self._task = bars.add_task("tenants", total=total)
        self._running: dict[str, None] = {}

    def started(self, member: Member) -> None:
        """Show that a tenant runs."""
        self._running[member.name] = None
        self._draw()

    def waits(self, member: Member, seconds: float) -> None:
        """Show that a tenant waits."""
        self._running.pop(member.name, None)
        self.notice(f"{member.name}: waits for replication, again in {seconds:.0f} s")

    def ended(self, outcome: Outcome) -> None:
        """Count a tenant, and show it if it did not go well."""
        self._running.pop(outcome.tenant, None)
        self._bars.advance(self._task)
        self._draw()
        if outcome.exit_code not in (0, 4):
            self.notice(described(outcome))

    def notice(self, text: str) -> None:
        """Show a line above the bar."""
        self._bars.console.print(text, markup=False, highlight=False)

    def _draw(self) -> None:
        names = ", ".join(list(self._running)[:3])
        more = len(self._running) - 3
        text = f"{names} and {more} more" if more > 0 else names
        self._bars.update(self._task, description=text or "tenants")


@contextmanager
def progress_for(total: int, *, quiet: bool) -> Iterator[Progress]:
    """Show the progress of so many tenants on standard error."""
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=Console(stderr=True)) as bars:
            yield Terminal(bars, total)
    else:
        yield Lines(total)


def described(outcome: Outcome) -> str:
    """Return one line on what became of a tenant."""
    counts = f" ({counted(outcome.outcomes)})" if outcome.outcomes else ""
    problem = f": {outcome.problem}" if outcome.problem and outcome.bad else ""
    return f"{outcome.tenant}: {outcome.result or outcome.end}{counts}{problem}"


def show_plan(report: Report) -> None:
    """Print one table of the plans of all tenants, with the digests to approve."""
    names = sorted({name for outcome in report.outcomes for name in outcome.actions})
    shown = Table("Tenant", *names, "Plan digest", pad_edge=False)
    for outcome in report.outcomes:
        counts = (str(outcome.actions.get(name, "")) for name in names)
        shown.add_row(outcome.tenant, *counts, outcome.plan_digest or "no plan")
    Console().print(shown)


def show_report(report: Report) -> None:
    """Print what did not go well, the result, and where the summary is."""
    for outcome in report.outcomes:
        if outcome.exit_code not in (0, 4):
            click.echo(described(outcome))
    click.echo(f"Result: {report.result}, {len(report.outcomes)} tenants.")
    if not report.finished:
        click.echo("Some tenants are not finished: run the same with --resume.")
    click.echo(f"Summary: {report.folder / 'summary.html'}")

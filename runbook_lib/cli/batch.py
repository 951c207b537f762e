"""`runbook batch`: one notebook, many tenants, a record for each and one for all."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from runbook_lib import opening
from runbook_lib.batch.batch import Report, resume_batch, run_batch, runs_of
from runbook_lib.batch.batch import unfinished_batch as unfinished
from runbook_lib.batch.cells import read_cells
from runbook_lib.batch.members import (
    Broken,
    Member,
    read_members,
    refuse_broken,
    tenant_files,
)
from runbook_lib.batch.plan import BatchPlan, Limits, default_workers
from runbook_lib.cli.batch_progress import progress_for, show_plan, show_report
from runbook_lib.cli.execution import checked
from runbook_lib.cli.notebooks import NotebookSource, find_notebook
from runbook_lib.cli.run import parsed
from runbook_lib.errors import InputError
from runbook_lib.parameters import MODES, Parameters

OF_A_TENANT = ("tenant", "run_id", "record")


@click.command()
@click.argument("notebook")
@click.option(
    "--tenants",
    "paths",
    multiple=True,
    required=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="A tenant file, or a folder of them; may be given many times.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--mode", type=click.Choice(MODES), default="plan", show_default=True)
@click.option("-p", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter.")
@click.option("--outputs", metavar="FOLDER", help="Where records go.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Tenants at a time.  [default: up to 40, as far as memory goes]",
)
@click.option(
    "--canary",
    type=click.IntRange(min=0),
    default=0,
    help="Run so many first; the others only if none of them fails.",
)
@click.option(
    "--stop-after-failures",
    "stop_after",
    type=click.IntRange(min=1),
    help="Begin no further tenant after so many failures.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    help="Seconds for one tenant.",
)
@click.option("--resume", is_flag=True, help="Finish the batch that was left.")
@click.option(
    "--keep-going", is_flag=True, help="Run the others if a tenant file is broken."
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "direct", "stock"]),
    default="auto",
    show_default=True,
    help="How notebooks are executed.",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
def batch(
    notebook: str,
    paths: tuple[Path, ...],
    more: tuple[Path, ...],
    mode: str,
    pairs: tuple[str, ...],
    outputs: str | None,
    workers: int | None,
    canary: int,
    stop_after: int | None,
    timeout: float,
    resume: bool,
    keep_going: bool,
    engine: str,
    wants_json: bool,
) -> None:
    """Run a NOTEBOOK for many tenants, headlessly, and close each record.

    Nothing is tried again by itself. A batch that was killed or stopped is
    finished with --resume.
    """
    given = parsed(pairs) | {"mode": mode} | ({"outputs": outputs} if outputs else {})
    source = find_notebook(notebook)
    parameters = _parameters(source, given)
    files = tenant_files((*paths, *more))
    place = opening.outputs_folder(parameters)
    folder = unfinished(source.name, given, place) if resume else None
    runs = runs_of(folder) if folder else {}
    members, broken = read_members(files, parameters, runs)
    if not keep_going:
        refuse_broken(broken, of=len(files))
    count = workers or default_workers(len(files), engine)
    limits = Limits(count, canary, stop_after, timeout)
    plan = _plan(source, parameters, given, members, broken, limits, engine)
    with progress_for(len(members), quiet=wants_json) as progress:
        if folder:
            report = resume_batch(plan, folder, progress)
        else:
            report = run_batch(plan, progress)
    _show(report, mode, wants_json=wants_json)
    sys.exit(report.exit_code)


def _parameters(source: NotebookSource, given: Mapping[str, str]) -> Parameters:
    """Check the parameters, which may not be those that each tenant has its own.

    Raises:
        InputError: one is unknown, wrong, or a tenant's own.
    """
    for name in OF_A_TENANT:
        if name in given:
            raise InputError(
                f"-p {name}: each tenant of a batch has its own",
                remedy="Leave it out; tenant files are given with --tenants.",
            )
    parameters = checked(source, given)
    opening.certificate_of(parameters)
    return parameters


def _plan(
    source: NotebookSource,
    parameters: Parameters,
    given: Mapping[str, str],
    members: list[Member],
    broken: list[Broken],
    limits: Limits,
    engine: str,
) -> BatchPlan:
    return BatchPlan(
        name=source.name,
        source=source.path.absolute(),
        sha256=source.sha256,
        notebook=read_cells(source.path),
        parameters=parameters,
        given=given,
        members=tuple(members),
        outputs=opening.outputs_folder(parameters),
        limits=limits,
        broken=tuple(broken),
        engine=engine,
        environment=dict(os.environ),
    )


def _show(report: Report, mode: str, *, wants_json: bool) -> None:
    if wants_json:
        click.echo(json.dumps(as_json(report), indent=2))
        return
    if mode == "plan":
        show_plan(report)
    show_report(report)


def as_json(report: Report) -> dict[str, object]:
    """Return record, result and tenants of a batch as one JSON object."""
    return {
        "record": str(report.folder),
        "result": report.result,
        "finished": report.finished,
        "tenants": [outcome.fields() for outcome in report.outcomes],
    }

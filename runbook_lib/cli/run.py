"""`runbook run`: one notebook, one tenant, one record."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runbook_lib.cli.execution import execute
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.cli.show import show
from runbook_lib.errors import InputError
from runbook_lib.parameters import MODES, ParametersFile
from runbook_lib.yamlfile import read_model


def parsed(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return `name=value` texts as a mapping.

    Raises:
        InputError: a text without `=`.
    """
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise InputError(f"-p {wrong[0]}: not of the form name=value")
    return dict(pair.split("=", 1) for pair in pairs)


def stored_parameters(path: Path, notebook: str) -> dict[str, str]:
    """Read a file of parameters, as the choice of an option leaves one.

    Raises:
        InputError: it is wrong, or for another notebook.
    """
    found = read_model(path, ParametersFile, what="parameter file")
    if found.runbook != Path(notebook).name.removesuffix(".ipynb"):
        raise InputError(
            f"{path}: these parameters are for {found.runbook}, not for {notebook}",
            remedy=f"Run {found.runbook} with them.",
        )
    return found.parameters


@click.command()
@click.argument("notebook")
@click.option("--tenant", metavar="FILE", help="The tenant file.")
@click.option("--mode", type=click.Choice(MODES), default="plan", show_default=True)
@click.option("-p", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter.")
@click.option(
    "--parameters",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file of parameters; -p counts more.",
)
@click.option("--outputs", metavar="FOLDER", help="Where records go.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
def run(
    notebook: str,
    tenant: str | None,
    mode: str,
    pairs: tuple[str, ...],
    parameters: Path | None,
    outputs: str | None,
    wants_json: bool,
) -> None:
    """Run a NOTEBOOK headlessly and close its record."""
    stored = stored_parameters(parameters, notebook) if parameters else {}
    given = stored | parsed(pairs) | {"mode": mode}
    given |= {"tenant": tenant} if tenant else {}
    given |= {"outputs": outputs} if outputs else {}
    closed = execute(find_notebook(notebook), given)
    show(closed, wants_json=wants_json)
    sys.exit(closed.exit_code)

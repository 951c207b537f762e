"""`runbook run`: one notebook, one tenant, one record."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import yaml

from runbook_lib.cli.execution import execute
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.cli.show import as_json, problems, table
from runbook_lib.errors import InputError
from runbook_lib.parameters import MODES


def parsed(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return `name=value` texts as a mapping.

    Raises:
        InputError: a text without `=`.
    """
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise InputError(f"-p {wrong[0]}: not of the form name=value")
    return dict(pair.split("=", 1) for pair in pairs)


def read_parameters_file(path: Path, notebook: str) -> dict[str, str]:
    """Read a file of parameters, as the choice of an option leaves one.

    Its key `runbook` names the notebook that it is for.

    Raises:
        InputError: unreadable, for another notebook, or a value is no text.
    """
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a list of names with values")
    wanted = found.pop("runbook", notebook)
    if wanted != Path(notebook).name.removesuffix(".ipynb"):
        raise InputError(
            f"{path}: these parameters are for {wanted}, not for {notebook}",
            remedy=f"Run {wanted} with them.",
        )
    wrong = [str(name) for name, value in found.items() if not isinstance(value, str)]
    if wrong:
        raise InputError(f"{path}: {wrong[0]}: not a text; put it in quotes")
    return {str(name): value for name, value in found.items()}


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
    stored = read_parameters_file(parameters, notebook) if parameters else {}
    given = stored | parsed(pairs) | {"mode": mode}
    given |= {"tenant": tenant} if tenant else {}
    given |= {"outputs": outputs} if outputs else {}
    closed = execute(find_notebook(notebook), given)
    if wants_json:
        click.echo(as_json(closed))
    else:
        table([(closed.folder.name, closed)])
        problems(closed)
    sys.exit(closed.exit_code)

"""`runbook lab`: JupyterLab on the notebooks, with a sandbox beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.cli.sandboxed import sandbox
from runbook_lib.opening import DEFAULT_TENANT


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--tenant", help="A tenant file, in place of a sandbox.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def lab(tenant: str | None, arguments: tuple[str, ...]) -> None:
    """Open JupyterLab; ARGUMENTS go to jupyter lab."""
    if tenant is not None:
        sys.exit(_jupyter(tenant, arguments))
    temporary = tempfile.TemporaryDirectory(prefix="runbook-lab-")
    with temporary as folder, sandbox(Path(folder)) as ready:
        code = _jupyter(ready["tenants"][0]["tenant_file"], arguments)
    sys.exit(code)


def _jupyter(tenant: str, arguments: tuple[str, ...]) -> int:
    path = find_notebook("1-smtp-oauth").path
    environment = {**os.environ, DEFAULT_TENANT: tenant}
    command = [sys.executable, "-m", "jupyterlab", str(path), *arguments]
    child = subprocess.Popen(command, env=environment)  # noqa: S603 - as asked
    try:
        return child.wait()
    except KeyboardInterrupt:
        return child.wait()

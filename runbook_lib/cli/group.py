"""The `runbook` group: commands are loaded when they are asked for."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

import click

from runbook_lib.errors import RunbookError

COMMANDS = {
    "audit": "runbook_lib.cli.audit",
    "batch": "runbook_lib.cli.batch",
    "demo": "runbook_lib.cli.demo",
    "lab": "runbook_lib.cli.lab",
    "probe": "runbook_lib.cli.probe",
    "relay-token": "runbook_lib.cli.relay_token",
    "report": "runbook_lib.cli.report",
    "run": "runbook_lib.cli.run",
    "sandbox": "runbook_lib.sandbox.command",
    "seal": "runbook_lib.cli.seal",
}


class Commands(click.Group):
    """A group whose commands stand in modules of their own.

    A foreseeable fault of any command ends with its own lines and exit code,
    never with a stack.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        gc.disable()  # importing makes no garbage that is worth looking for
        found = getattr(import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        gc.freeze()
        gc.enable()
        return found if isinstance(found, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and show a fault as its lines."""
        try:
            return super().invoke(ctx)
        except RunbookError as error:
            click.echo("\n".join(error.lines()), err=True)
            sys.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sap-exchange-runbooks")
def main() -> None:
    """Set up and prove outbound mail from SAP through Exchange Online.

    Exit codes: 2 usage, 6 record broken, 5 refused, 1 failed, 3 incomplete,
    4 the plan has changes, 0 otherwise.
    """

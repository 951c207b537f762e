"""Headless execution: a notebook through papermill, closed outside its kernel."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from runbook_lib import opening
from runbook_lib.cli.notebooks import NotebookSource
from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.history import closed
from runbook_lib.engine.record import EVENTS, utc_now
from runbook_lib.engine.step import Mode
from runbook_lib.errors import InputError, Refused, RunbookError
from runbook_lib.evidence.close import Closed, close_run
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.locking import locked_tenant
from runbook_lib.parameters import Parameters, check_parameters
from runbook_lib.secret import Mask

LAST_LINES = 10
NOTEBOOK_DIGEST = "RUNBOOK_NOTEBOOK_SHA256"


@dataclass(frozen=True)
class Kernel:
    """How the kernel ended: `finished`, `raised` or `died`.

    `error` is the class name of what was raised and `lines` what it said.
    """

    ended: str
    error: str = ""
    lines: str = ""


def checked(source: NotebookSource, given: Mapping[str, str]) -> Parameters:
    """Return the notebook's parameters with the given ones in their place.

    Raises:
        InputError: a name or value is wrong.
    """
    values = {**source.declared, **given}
    return check_parameters(source.declared, values, where=source.name)


def execute(source: NotebookSource, given: Mapping[str, str]) -> Closed:
    """Run a notebook headlessly and close its record.

    Everything that can be refused without a kernel is refused before one starts.

    Raises:
        InputError, Refused: as above; or as the opening cell raised them.
    """
    parameters = checked(source, given)
    tenant = opening.tenant_of(parameters, os.environ)
    opening.certificate_of(parameters)
    opening.allowed(Mode(parameters["mode"]), tenant)
    tenants = opening.tenant_folder(parameters, tenant)
    tenants.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    writes = parameters["mode"] in (Mode.APPLY, Mode.ROLLBACK)
    with locked_tenant(tenants) if writes else nullcontext():
        return _closed(source, given, parameters, tenants)


def _closed(
    source: NotebookSource,
    given: Mapping[str, str],
    parameters: Parameters,
    tenants: Path,
) -> Closed:
    """Run the notebook in a kernel; its record lies in the tenant's folder."""
    run = parameters["run_id"] or opening.new_run_id(utc_now())
    record = tenants / run
    _still_open(record)
    tenants.mkdir(exist_ok=True, mode=0o700)
    output = tenants / f".{run}.ipynb"
    ledger = Ledger(tenants.parent / "ledger.ndjson")
    if not (record / EVENTS).exists():
        ledger.opened(run, tenants.name)
    values = {**given, "run_id": run}
    with _environment({opening.CLOSER: run, NOTEBOOK_DIGEST: source.sha256}):
        kernel = _papermill(source.path, output, values)
    if not (record / EVENTS).exists():
        output.unlink(missing_ok=True)
        raise _opening_failed(kernel)
    if kernel.ended == "died":
        click.echo(f"The kernel died. Its last words:\n{kernel.lines}", err=True)
    return close_run(
        record,
        ledger=ledger,
        kernel_ended=kernel.ended,
        notebook=output if output.exists() else None,
        closer="runbook run",
    )


def _still_open(record: Path) -> None:
    events = record / EVENTS
    if events.exists() and closed(read_chain(events).events) is not None:
        raise Refused(
            f"run_id: the run {record.name} is closed",
            remedy="Leave run_id out, or give one that is new.",
        )


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the kernel, which inherits this process's environment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _papermill(source: Path, output: Path, values: Mapping[str, str]) -> Kernel:
    """Execute a notebook; every way in which it can end is a `Kernel`."""
    from runbook_lib.batch import papermill_engines  # first: it spares a slow import

    papermill_engines.register()
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    with tempfile.TemporaryFile() as said:
        try:
            execute_notebook(
                str(source),
                str(output),
                parameters=dict(values),
                progress_bar=False,
                log_output=False,
                engine_name="stock",
                kernel_manager_class=_kernel_manager(said),
            )
        except PapermillExecutionError as error:
            return Kernel("raised", error.ename, "\n".join(error.traceback))
        except (DeadKernelError, RuntimeError):  # it did not start, or it is gone
            return Kernel("died", lines=_last_words(said))
    return Kernel("finished")


def _kernel_manager(said: IO[bytes]) -> type:
    """Return a manager of kernels that print into a file."""
    from runbook_lib.batch.papermill_plugin import LocalKernelManager

    class HeardKernelManager(LocalKernelManager):
        """Keeps what the kernel's process prints.

        It may trip over itself while it ends, and that is nobody's concern
        unless it died.
        """

        async def start_kernel(self, **arguments: Any) -> None:  # type: ignore[override, unused-ignore]
            """Start it with its own standard output and error."""
            await super().start_kernel(stdout=said, stderr=said, **arguments)

    return HeardKernelManager


def _last_words(said: IO[bytes]) -> str:
    """Return the end of what a dead kernel printed, without what is secret."""
    said.seek(0)
    text = said.read().decode(errors="replace").strip()
    return Mask().text("\n".join(text.splitlines()[-LAST_LINES:]))


def _opening_failed(kernel: Kernel) -> RunbookError:
    """Return the error of an opening cell that raised before there was a record."""
    kinds: dict[str, type[RunbookError]] = {
        kind.__name__: kind for kind in (InputError, Refused)
    }
    lines = kernel.lines or f"the kernel {kernel.ended} before the run was opened"
    return kinds.get(kernel.error, RunbookError)(lines)

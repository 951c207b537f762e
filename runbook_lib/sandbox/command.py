"""`runbook sandbox`: run a sandbox in the foreground."""

from datetime import UTC, datetime
from pathlib import Path

import click

from runbook_lib.sandbox.behaviours import known_rows
from runbook_lib.sandbox.faults import FAULTS, Fault, parse_fault
from runbook_lib.sandbox.hosts import CLOUDS


def _faults(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Fault, ...]:
    """Read --fault; a wrong one is a usage error."""
    try:
        return tuple(parse_fault(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _rows(
    _context: click.Context, _parameter: click.Parameter, rows: tuple[str, ...]
) -> frozenset[str]:
    """Read --break; a row that is not listed is a usage error."""
    for row in rows:
        if row not in known_rows():
            raise click.BadParameter(f"{row!r} is no row of docs/sandbox.md")
    return frozenset(rows)


@click.command(epilog=f"Faults: {', '.join(sorted(FAULTS))}.")
@click.option(
    "--ready-file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file (mode 0600) that says where everything is; written when all"
    " servers answer. Other files are written beside it.",
)
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Access log, one JSON object a line.  [default: log.ndjson beside the ready"
    " file]",
)
@click.option("--seed", default=1, show_default=True, help="Decides all ids.")
@click.option(
    "--tenants",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many tenants: contoso, fabrikam, tenant0003, …",
)
@click.option(
    "--cloud",
    default="global",
    show_default=True,
    type=click.Choice(list(CLOUDS)),
    help="Which cloud is played: host names, resources and ids of app roles.",
)
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Fixed date (UTC) for stored dates; TLS and tokens keep the real time.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    callback=_faults,
    metavar="NAME[@SCOPE]=N",
    help="Play a fault; may be given many times.",
)
@click.option(
    "--break",
    "broken",
    multiple=True,
    callback=_rows,
    metavar="ROW",
    help="Turn a behaviour of docs/sandbox.md off; may be given many times.",
)
def sandbox(
    ready_file: Path,
    log_file: Path | None,
    seed: int,
    tenants: int,
    cloud: str,
    now: datetime | None,
    faults: tuple[Fault, ...],
    broken: frozenset[str],
) -> None:
    """Run a Microsoft 365 sandbox tenant on loopback until it is interrupted."""
    # Loaded here: the servers take a while, and --help needs none of them.
    from runbook_lib.sandbox.server import Options, serve

    ready = ready_file.resolve()
    log = log_file.resolve() if log_file else ready.with_name("log.ndjson")
    moment = now.replace(tzinfo=UTC) if now else None
    try:
        serve(Options(ready, log, seed, tenants, moment, faults, broken, cloud))
    except OSError as error:
        raise click.ClickException(str(error)) from None

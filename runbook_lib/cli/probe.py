"""`runbook probe`: network facts from the sender's host, as one JSON file."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from runbook_lib.cli.relay_view import Asked, look_here
from runbook_lib.clients.dns import Resolver
from runbook_lib.clients.http import Wire
from runbook_lib.clients.smtp import SubmissionClient
from runbook_lib.engine.expect import State, met
from runbook_lib.engine.record import timestamp, utc_now
from runbook_lib.errors import CannotLook, UntrustedCertificate
from runbook_lib.sap.endpoint import PROBE_SCHEMA
from runbook_lib.secret import Mask
from runbook_lib.session import wire_of
from runbook_lib.steps.mx_endpoint import PORT as MX_PORT
from runbook_lib.steps.mx_endpoint import MxPort
from runbook_lib.steps.prerequisites import SubmissionEndpoint
from runbook_lib.steps.relay_running import RelayRunning
from runbook_lib.steps.smtp_endpoint import endpoint_seen
from runbook_lib.tenant import read_tenant


@click.command()
@click.option("--host", default="smtp.office365.com", show_default=True)
@click.option("--port", default=587, show_default=True)
@click.option("--tenant", type=click.Path(path_type=Path), help="For a sandbox.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write.")
@click.option("--relay", metavar="ADDRESS:PORT", help="Look at a relay of option 4.")
@click.option("--sender", default="", help="A sender that the relay serves.")
@click.option("--queue", default="", help="The folder of the relay's main.cf.")
@click.option("--token", default="", help="The token file, or the proxy's config.")
@click.option("--ca", type=click.Path(path_type=Path), help="The relay's authority.")
def probe(
    host: str,
    port: int,
    tenant: Path | None,
    output: Path | None,
    relay: str | None,
    sender: str,
    queue: str,
    token: str,
    ca: Path | None,
) -> None:
    """Resolve, connect, STARTTLS and look at the certificate; nothing is sent.

    With --relay a relay of option 4 is looked at from its own host.
    """
    if relay:
        found = look_here(Asked(relay, host, sender, queue, token, ca))
        expected = RelayRunning(relay_host=host, probe="").expect()
    else:
        wire = wire_of(read_tenant(tenant), None) if tenant else Wire()
        found, expected = look(wire, host, port), _expected(host, port)
    text = json.dumps(found, indent=2, sort_keys=True)
    if output is None:
        click.echo(text)
    else:
        _write(output, text)
    sys.exit(0 if met(expected, _properties(found)) else 1)


def _expected(host: str, port: int) -> State:
    """Return what the host has to show: an MX endpoint takes no sign-in."""
    step = MxPort(host=host) if port == MX_PORT else SubmissionEndpoint(host=host)
    return step.expect()


def _properties(found: Mapping[str, object]) -> Mapping[str, object]:
    properties = found["properties"]
    return properties if isinstance(properties, Mapping) else {}


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")


def look(wire: Wire, host: str, port: int) -> dict[str, object]:
    """Return what is seen of an SMTP host from here: one JSON object.

    A property is null where it could not be seen; `problems` say why.
    """
    problems: list[str] = []
    resolved = _resolved(wire, host, problems)
    endpoint = _endpoint(wire, host, port, problems)
    return {
        "schema": PROBE_SCHEMA,
        "host": host,
        "port": port,
        "seen_from": socket.gethostname(),
        "time": timestamp(utc_now()),
        "properties": {"resolves": resolved, **endpoint},
        "problems": problems,
    }


def _resolved(wire: Wire, host: str, problems: list[str]) -> bool | None:
    server = wire.connect_to.get(("dns", 53))
    try:
        answer = Resolver(lambda exchange: None, server=server).addresses(host)
    except CannotLook as error:
        problems.append(error.message)
        return None
    return bool(answer.values)


def _endpoint(
    wire: Wire, host: str, port: int, problems: list[str]
) -> dict[str, object]:
    client = SubmissionClient(wire, lambda exchange: None, Mask())
    try:
        facts = client.observe_endpoint(host, port)
    except UntrustedCertificate as error:
        problems.append(error.message)
        return {"connects": True, "STARTTLS": True, "certificate": "not trusted"}
    except CannotLook as error:
        problems.append(error.message)
        return {"connects": False}
    return {**endpoint_seen(facts), "AUTH": list(facts.auth)}

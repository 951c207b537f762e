"""One sandbox process: all servers in one event loop, until it is told to end."""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runbook_lib.sandbox.certificates import make_certificates
from runbook_lib.sandbox.dns import start_dns
from runbook_lib.sandbox.faults import Fault, Faults
from runbook_lib.sandbox.files import open_private
from runbook_lib.sandbox.hosts import EXCHANGE, GRAPH, LOGIN, SUBMISSION, mx_name
from runbook_lib.sandbox.log import AccessLog
from runbook_lib.sandbox.mx import start_mx
from runbook_lib.sandbox.proxy import Address, start_proxy
from runbook_lib.sandbox.ready import LOOPBACK, Ports, write_files
from runbook_lib.sandbox.seed import seed_tenants
from runbook_lib.sandbox.smtp import start_submission
from runbook_lib.sandbox.state import Sandbox
from runbook_lib.sandbox.web import EmbeddedServer, make_app, make_server


@dataclass(frozen=True)
class Options:
    """What a sandbox is started with; see the help of `runbook sandbox`."""

    ready_file: Path
    log_file: Path
    seed: int = 1
    tenants: int = 1
    now: datetime | None = None
    faults: tuple[Fault, ...] = ()
    broken: frozenset[str] = frozenset()


def serve(options: Options) -> None:
    """Run a sandbox until SIGTERM or SIGINT."""
    with open_private(options.log_file) as file:
        sandbox = Sandbox(
            seed=options.seed,
            log=AccessLog(file),
            faults=Faults(options.faults),
            broken=options.broken,
            stored_now=options.now,
        )
        asyncio.run(_serve(sandbox, options))


async def _serve(sandbox: Sandbox, options: Options) -> None:
    """Start everything, write the ready file, wait for a signal, end everything."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    operators = seed_tenants(sandbox, options.tenants)
    certificates = make_certificates()
    sandbox.authority = certificates.authority
    control_token = secrets.token_urlsafe(24)
    app = make_app(sandbox, control_token)
    server = make_server(app, LOOPBACK, certificates.server)
    async with AsyncExitStack() as stack:
        https = await stack.enter_async_context(_https(server))
        submission = await start_submission(sandbox, LOOPBACK, 0, certificates.server)
        mail = await start_mx(sandbox, LOOPBACK, 0, certificates.edge)
        for smtp in (submission, mail):
            stack.callback(smtp.close)
        dns = await start_dns(sandbox, LOOPBACK, 0)
        stack.callback(dns.close)
        targets = _targets(sandbox, https, _port(submission), _port(mail))
        proxy = await start_proxy(sandbox.log, targets, LOOPBACK, 0)
        stack.callback(proxy.close)
        ports = Ports(https, _port(proxy), _port(submission), _port(mail), dns.port)
        write_files(
            sandbox,
            options.ready_file,
            options.log_file,
            ports,
            operators,
            certificates.authority_pem,
            control_token,
        )
        await stop.wait()
        loop.set_exception_handler(_report)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of connections that were open when the sandbox was ended."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


@asynccontextmanager
async def _https(server: EmbeddedServer) -> AsyncIterator[int]:
    """Run the HTTPS server; gives its port once it answers."""
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    try:
        yield _port(server.servers[0])
    finally:
        server.should_exit = True
        server.force_exit = True  # do not wait for idle connections
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _port(server: asyncio.Server) -> int:
    """Return the port that a server got."""
    return int(server.sockets[0].getsockname()[1])


def _targets(
    sandbox: Sandbox, https: int, submission: int, mail: int
) -> dict[Address, Address]:
    """Return which address plays each host and port of the cloud."""
    targets = {(host, 443): https for host in (*LOGIN, *GRAPH, *EXCHANGE, "localhost")}
    targets |= {("localhost", https): https, (LOOPBACK, https): https}
    targets |= {(host, port): submission for host in SUBMISSION for port in (587, 25)}
    targets |= {
        (mx_name(tenant.domain), 25): mail for tenant in sandbox.tenants.values()
    }
    return {asked: (LOOPBACK, port) for asked, port in targets.items()}

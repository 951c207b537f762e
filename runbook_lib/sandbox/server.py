"""One sandbox process: all servers in one event loop, until it is told to end."""

import asyncio
import contextlib
import secrets
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from runbook_lib.sandbox.certificates import Certificates, make_certificates
from runbook_lib.sandbox.dns import DnsServer, start_dns
from runbook_lib.sandbox.faults import Fault, Faults
from runbook_lib.sandbox.files import open_private
from runbook_lib.sandbox.hosts import BTP_SUFFIX, CLOUDS, SAP_SUFFIX
from runbook_lib.sandbox.keys import signing_key
from runbook_lib.sandbox.log import AccessLog
from runbook_lib.sandbox.loopback import (
    LOOPBACK,
    LOOPBACK6,
    listening_sockets,
    port_of,
    started_on_all,
)
from runbook_lib.sandbox.mx import start_mx
from runbook_lib.sandbox.proxy import Address, start_proxy
from runbook_lib.sandbox.ready import Ports, write_files
from runbook_lib.sandbox.seed import seed_tenants
from runbook_lib.sandbox.smtp import start_submission
from runbook_lib.sandbox.state import Sandbox
from runbook_lib.sandbox.web import make_app, make_plain_app, make_server

SLOW_SECONDS = 5


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
    cloud: str = "global"


def serve(options: Options) -> None:
    """Run a sandbox until SIGTERM or SIGINT."""
    with open_private(options.log_file) as file:
        sandbox = Sandbox(
            seed=options.seed,
            log=AccessLog(file),
            faults=Faults(options.faults),
            broken=options.broken,
            stored_now=options.now,
            cloud=CLOUDS[options.cloud],
        )
        asyncio.run(_serve(sandbox, options))


async def _serve(sandbox: Sandbox, options: Options) -> None:
    """Start everything, write the ready file, wait for a signal, end everything."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # A busy machine is no reason for a warning (asyncio's debug mode).
    loop.slow_callback_duration = SLOW_SECONDS
    # Made beside the start; the first token waits for it, nobody else does.
    key = asyncio.create_task(asyncio.to_thread(signing_key))
    plans = seed_tenants(sandbox, options.tenants)
    certificates = make_certificates(sandbox.cloud)
    sandbox.authority = certificates.authority
    control_token = secrets.token_urlsafe(24)
    async with AsyncExitStack() as stack:
        ports = await _start_servers(stack, sandbox, certificates, control_token)
        write_files(
            sandbox,
            options.ready_file,
            options.log_file,
            ports,
            plans,
            certificates.authority_pem,
            control_token,
        )
        await stop.wait()
        await key
        loop.set_exception_handler(_report)


async def _start_servers(
    stack: AsyncExitStack,
    sandbox: Sandbox,
    certificates: Certificates,
    control_token: str,
) -> Ports:
    """Start all servers on loopback; they end with the stack."""
    app = make_app(sandbox, control_token)
    https = await stack.enter_async_context(_http(app, certificates.server))

    async def submission(host: str, port: int) -> asyncio.Server:
        return await start_submission(sandbox, host, port, certificates.server)

    async def mail(host: str, port: int) -> asyncio.Server:
        judged = sandbox.holds("mx.foreign-certificate")
        edge = certificates.at_the_edge(judged=judged)
        return await start_mx(sandbox, host, port, edge)

    async def dns(host: str, port: int) -> DnsServer:
        return await start_dns(sandbox, host, port)

    submission_port, servers = await started_on_all(submission, port_of)
    mail_port, mail_servers = await started_on_all(mail, port_of)
    dns_port, dns_servers = await started_on_all(dns, lambda server: server.port)
    targets = _Targets(sandbox, https, submission_port, mail_port)

    async def proxy(host: str, port: int) -> asyncio.Server:
        return await start_proxy(sandbox.log, targets, host, port)

    proxy_port, proxies = await started_on_all(proxy, port_of)
    for server in (*servers, *mail_servers, *proxies):
        stack.callback(server.close)
    for resolver in dns_servers:
        stack.callback(resolver.close)
    plain = await stack.enter_async_context(_http(make_plain_app(sandbox), None))
    return Ports(https, proxy_port, submission_port, mail_port, dns_port, plain)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of connections that were open when the sandbox was ended."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


@asynccontextmanager
async def _http(app: Starlette, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Run an HTTP server, with TLS or without; gives its port once it answers."""
    server, sockets = make_server(app, context), listening_sockets()
    task = asyncio.create_task(server.serve(sockets))
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    try:
        yield int(sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        server.force_exit = True  # do not wait for idle connections
        with contextlib.suppress(asyncio.CancelledError):
            await task


class _Targets:
    """Which address plays each host and port of the cloud; for the proxy."""

    def __init__(self, sandbox: Sandbox, https: int, submission: int, mx: int) -> None:
        """Take the ports of the servers."""
        cloud = sandbox.cloud
        hosts = (*cloud.login, cloud.graph, *cloud.exchange, cloud.management)
        self._exact = {(host, 443): https for host in (*hosts, "localhost")}
        self._exact |= {
            (host, https): https for host in ("localhost", LOOPBACK, LOOPBACK6)
        }
        self._exact |= {(h, p): submission for h in cloud.submission for p in (587, 25)}
        self._suffixes = {
            (f".{cloud.vault_suffix}", 443): https,
            (f".{cloud.exchange[0]}", 443): https,
            (f".{SAP_SUFFIX}", 50014): https,
            (f".{BTP_SUFFIX}", 443): https,
            (f".{cloud.mx_suffix}", 25): mx,
        }

    def get(self, asked: Address) -> Address | None:
        """Return the address that plays a host and port, or null."""
        host, port = asked
        found = self._exact.get(asked)
        for (suffix, wanted), listener in self._suffixes.items():
            if port == wanted and host.endswith(suffix):
                found = listener
        return None if found is None else (LOOPBACK, found)

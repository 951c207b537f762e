"""All HTTPS services behind one listener, told apart by the host name.

A request for a host that the cloud does not have gets 421.
Source: RFC 9110 section 7.4 and 15.5.20.
"""

import ssl
from asyncio import BaseTransport, Transport
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Host, Route, Router, request_response
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from runbook_lib.sandbox import managed_identity, timestamp
from runbook_lib.sandbox.btp_communication import communication_service
from runbook_lib.sandbox.control import control_service
from runbook_lib.sandbox.entra import login_service
from runbook_lib.sandbox.exchange import exchange_routes
from runbook_lib.sandbox.graph import graph_service
from runbook_lib.sandbox.hosts import BTP_SUFFIX, LOCAL, SAP_SUFFIX
from runbook_lib.sandbox.http import Service, endpoint
from runbook_lib.sandbox.resource_manager import management_service
from runbook_lib.sandbox.sapcontrol import sapcontrol_service
from runbook_lib.sandbox.state import Sandbox
from runbook_lib.sandbox.vault import vault_service

# Longer than a person pauses between two steps, so that no idle connection is
# closed at the moment of the next request.
KEEP_ALIVE_SECONDS = 300

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def make_app(sandbox: Sandbox, control_token: str) -> Starlette:
    """Return the ASGI application of all HTTPS hosts.

    A service sees every path and method of its hosts: nothing is answered unlogged.
    """
    cloud = sandbox.cloud
    exchange = Router(exchange_routes(sandbox), default=_nothing(sandbox, 404))
    hosts: list[tuple[tuple[str, ...], ASGIApp]] = [
        (cloud.login, _app(sandbox, login_service())),
        ((cloud.graph,), _app(sandbox, graph_service())),
        ((*cloud.exchange, f"{{region}}.{cloud.exchange[0]}"), exchange),
        ((cloud.management,), _app(sandbox, management_service())),
        ((f"{{vault}}.{cloud.vault_suffix}",), _app(sandbox, vault_service())),
        ((f"{{instance}}.{SAP_SUFFIX}",), _app(sandbox, sapcontrol_service())),
        ((f"{{system}}.{BTP_SUFFIX}",), _app(sandbox, communication_service())),
        (LOCAL, _app(sandbox, control_service(control_token))),
    ]
    app = Starlette(routes=[Host(name, to) for names, to in hosts for name in names])
    app.router.default = _nothing(sandbox, 421)
    return app


def make_plain_app(sandbox: Sandbox) -> Starlette:
    """Return the ASGI application of what is spoken without TLS, on loopback only."""
    handlers = {
        "/msi/token": managed_identity.handle,
        "/timestamp": timestamp.handle,
    }
    routes = [
        Route(
            path,
            endpoint(sandbox, Service(path, handle, lambda call: False, None)),
            methods=METHODS,
        )
        for path, handle in handlers.items()
    ]
    app = Starlette(routes=routes)
    app.router.default = _nothing(sandbox, 404)
    return app


def _app(sandbox: Sandbox, service: Service) -> ASGIApp:
    """Return the application of a service that finds its own paths."""
    return request_response(endpoint(sandbox, service))


def _nothing(sandbox: Sandbox, status: int) -> ASGIApp:
    """Return what answers where nothing does: with its status, logged."""

    async def answer(request: Request) -> Response:
        sandbox.log.write(
            protocol="https",
            host=request.url.hostname or "",
            method=request.method,
            path=request.scope["path"],
            status=status,
        )
        return Response(status_code=status)

    return request_response(answer)


class SandboxProtocol(H11Protocol):
    """HTTP/1.1 that gives a request its connection, so that it can be reset."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Put the connection into the state that requests on it see."""
        super().connection_made(cast("Transport", transport))
        self.app_state = {**self.app_state, "transport": transport}


class EmbeddedServer(uvicorn.Server):
    """Uvicorn inside somebody else's loop: that one handles the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers alone."""
        yield


def make_server(app: Starlette, context: ssl.SSLContext | None) -> EmbeddedServer:
    """Return an HTTP server for sockets that are bound; `context` null: plain.

    It prints no requests, so that it prints no secret.
    """
    config = uvicorn.Config(
        app,
        http=SandboxProtocol,
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        server_header=False,
    )
    config.load()
    config.ssl = context  # made in memory; uvicorn itself reads files only
    return EmbeddedServer(config)

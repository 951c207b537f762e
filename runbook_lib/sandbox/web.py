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
from starlette.routing import BaseRoute, Host, Mount, Route, Router
from uvicorn.protocols.http.h11_impl import H11Protocol

from runbook_lib.sandbox import managed_identity, timestamp
from runbook_lib.sandbox.control import control_service
from runbook_lib.sandbox.entra import login_service
from runbook_lib.sandbox.exchange import exchange_routes
from runbook_lib.sandbox.graph import graph_service
from runbook_lib.sandbox.hosts import LOCAL
from runbook_lib.sandbox.http import Service, endpoint
from runbook_lib.sandbox.state import Sandbox
from runbook_lib.sandbox.vault import vault_service

# Longer than a person pauses between two steps, so that no idle connection is
# closed at the moment of the next request.
KEEP_ALIVE_SECONDS = 300

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def make_app(sandbox: Sandbox, control_token: str) -> Starlette:
    """Return the ASGI application of all HTTPS hosts."""
    cloud = sandbox.cloud
    local = _routes(sandbox, control_service(control_token))
    hosts: list[tuple[tuple[str, ...], list[BaseRoute]]] = [
        (cloud.login, _routes(sandbox, login_service())),
        ((cloud.graph,), _routes(sandbox, graph_service())),
        (cloud.exchange, exchange_routes(sandbox)),
        ((f"{{vault}}.{cloud.vault_suffix}",), _routes(sandbox, vault_service())),
        (LOCAL, local),
    ]
    routes: list[BaseRoute] = [
        Host(name, Router([*routes, _nothing(sandbox, 404)]))
        for names, routes in hosts
        for name in names
    ]
    elsewhere = Router([_nothing(sandbox, 421)])
    return Starlette(routes=[*routes, Mount("/", app=elsewhere)])


def make_plain_app(sandbox: Sandbox) -> Starlette:
    """Return the ASGI application of what is spoken without TLS, on loopback only."""
    services = {
        "/msi/token": ("GET", managed_identity.handle),
        "/timestamp": ("POST", timestamp.handle),
    }
    routes: list[BaseRoute] = [
        Route(
            path,
            endpoint(sandbox, Service(path, handle, lambda call: False, None)),
            methods=[method],
        )
        for path, (method, handle) in services.items()
    ]
    return Starlette(routes=[*routes, _nothing(sandbox, 404)])


def _routes(sandbox: Sandbox, service: Service) -> list[BaseRoute]:
    """Return the one route of a service that finds its own paths."""
    return [Route("/{path:path}", endpoint(sandbox, service), methods=METHODS)]


def _nothing(sandbox: Sandbox, status: int) -> Route:
    """Return the route for what nothing answers, with its status, logged."""

    async def answer(request: Request) -> Response:
        sandbox.log.write(
            protocol="https",
            host=request.url.hostname or "",
            method=request.method,
            path=request.url.path,
            status=status,
        )
        return Response(status_code=status)

    return Route("/{path:path}", answer, methods=METHODS)


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

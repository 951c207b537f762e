"""Listening on 127.0.0.1 and on ::1 with one port.

A machine without IPv6 gets 127.0.0.1 alone.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

LOOPBACK = "127.0.0.1"
LOOPBACK6 = "::1"
ATTEMPTS = 20

Started = TypeVar("Started")


def has_ipv6() -> bool:
    """Say whether the machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((LOOPBACK6, 0))
    except OSError:
        return False
    return True


def addresses() -> tuple[str, ...]:
    """Return the loopback addresses that this machine has."""
    return (LOOPBACK, LOOPBACK6) if has_ipv6() else (LOOPBACK,)


def listening_sockets() -> list[socket.socket]:
    """Return one bound TCP socket per loopback address, all with one port.

    Raises OSError where no such port is found.
    """
    for _ in range(ATTEMPTS):
        sockets = [_bound(LOOPBACK, 0)]
        try:
            port = sockets[0].getsockname()[1]
            sockets += [_bound(address, port) for address in addresses()[1:]]
        except OSError:
            sockets[0].close()
        else:
            return sockets
    raise OSError("no port is free on both loopback addresses")


def _bound(address: str, port: int) -> socket.socket:
    """Return a TCP socket bound to an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Named as TCP, so that asyncio answers without Nagle's delay.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


async def started_on_all(
    start: Callable[[str, int], Awaitable[Started]], port_of: Callable[[Started], int]
) -> tuple[int, list[Started]]:
    """Start a server on every loopback address; return its port and the servers.

    Raises OSError where no port is free on all of them.
    """
    for _ in range(ATTEMPTS):
        first = await start(LOOPBACK, 0)
        port, servers = port_of(first), [first]
        try:
            for address in addresses()[1:]:
                servers.append(await start(address, port))
        except OSError:
            close = getattr(first, "close", None)
            if close is not None:
                close()
        else:
            return port, servers
    raise OSError("no port is free on both loopback addresses")


def port_of(server: asyncio.Server) -> int:
    """Return the port that a server got."""
    return int(server.sockets[0].getsockname()[1])

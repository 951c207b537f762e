"""A CONNECT proxy for the hosts of the cloud, so that any client can be pointed at
the sandbox with proxy and CA settings alone.

A request for any other host is refused and logged; nothing ever leaves loopback.

Source: RFC 9110 section 9.3.6.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Protocol

from runbook_lib.sandbox.log import AccessLog

Address = tuple[str, int]


class Targets(Protocol):
    """Who plays which host and port of the cloud."""

    def get(self, asked: Address, /) -> Address | None:
        """Return the address that plays it, or null."""


LARGEST_HEAD = 16_384  # bytes of request line and headers
HEAD_TIMEOUT = 30  # seconds


async def start_proxy(
    log: AccessLog, targets: Targets, host: str, port: int
) -> asyncio.Server:
    """Start the proxy.

    `targets` says for (host name, port) of the cloud which address plays it.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await _serve(log, targets, reader, writer)
        finally:
            await _close(writer)

    return await asyncio.start_server(serve, host, port, limit=LARGEST_HEAD)


async def _serve(
    log: AccessLog,
    targets: Targets,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Serve one connection to the proxy: one tunnel or one refusal."""
    try:
        async with asyncio.timeout(HEAD_TIMEOUT):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        await _refuse(writer, 431, "Request Header Fields Too Large")
        return
    method, target = _request_line(head)
    asked = _address(target) if method == "CONNECT" else None
    found = targets.get(asked) if asked else None
    _log(log, method, target, 200 if found else 403)
    if found is None:
        await _refuse(writer, 403, "Forbidden")
        return
    upstream_reader, upstream = await asyncio.open_connection(*found)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    try:
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(_pump(reader, upstream))
            pumps.create_task(_pump(upstream_reader, writer))
    finally:
        await _close(upstream)


def _request_line(head: bytes) -> tuple[str, str]:
    """Return method and target; empty where the line is none."""
    line = head.partition(b"\r\n")[0].decode("ascii", errors="replace")
    method, _, rest = line.partition(" ")
    return method, rest.rpartition(" ")[0]


def _address(target: str) -> Address | None:
    """Read `host:port`; an IPv6 address stands in brackets."""
    host, _, port = target.rpartition(":")
    if not port.isdigit():
        return None
    return host.strip("[]").lower(), int(port)


def _log(log: AccessLog, method: str, target: str, status: int) -> None:
    """Log one request to the proxy. A URL keeps neither its query nor its path."""
    asked = _address(target)
    shown = f"{asked[0]}:{asked[1]}" if asked else target.partition("?")[0]
    log.write(
        protocol="proxy",
        host=asked[0] if asked else "",
        method=method,
        path=shown,
        status=status,
    )


async def _refuse(writer: asyncio.StreamWriter, status: int, reason: str) -> None:
    """Answer with an error and no body."""
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close"
    writer.write(f"{head}\r\n\r\n".encode())
    await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction until it ends; a reset on one side is a reset on both."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except ConnectionError:
        reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset instead of an orderly close."""
    peer = writer.get_extra_info("socket")
    if peer is not None and peer.fileno() >= 0:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection whatever state it is in."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()

"""One SMTP connection: lines in, replies out, and TLS on the way.

What a client sent in clear text after STARTTLS is thrown away when TLS begins:
it must not count as sent under TLS. Source: RFC 3207 section 4.2 and 6.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import cast

from runbook_lib.sandbox.smtp_source import (
    Source,
    certificate_names,
    cipher_text,
    public_address,
)

LONGEST_LINE = 65_536
IDLE_SECONDS = 300.0


class LineTooLong(Exception):
    """A client sent a longer line than any command may be."""


class SmtpConnection(asyncio.Protocol):
    """The two directions of one connection.

    `serve` is given the connection and runs until it returns; then the connection
    is closed.
    """

    def __init__(self, serve: Callable[["SmtpConnection"], Awaitable[None]]) -> None:
        """Keep what is to be done once the client is there."""
        self._serve = serve
        self._reader = asyncio.StreamReader(limit=LONGEST_LINE)
        self._task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport
        self.tls = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve a client."""
        self.transport = cast(asyncio.Transport, transport)
        self._reader.set_transport(self.transport)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def data_received(self, data: bytes) -> None:
        """Take octets that the client sent."""
        self._reader.feed_data(data)

    def eof_received(self) -> bool:
        """Take the end of what the client sends; replies still go out."""
        self._reader.feed_eof()
        return not self.tls

    def connection_lost(self, exc: Exception | None) -> None:
        """End the reading where the client is gone."""
        self._reader.feed_eof()

    @property
    def source(self) -> Source:
        """Return where the client comes from: its public address, its certificate.

        The certificate was verified when TLS began.
        """
        peer = str(self.transport.get_extra_info("peername")[0])
        session = self.transport.get_extra_info("ssl_object")
        if session is None:
            return Source(public_address(peer))
        cipher = cipher_text(session.version(), session.cipher()[0])
        names = certificate_names(session.getpeercert())
        return Source(public_address(peer), names, cipher)

    async def line(self) -> bytes:
        """Return the next line without its end.

        Raises EOFError where the client is gone, LineTooLong, and TimeoutError
        after five minutes without a line.
        """
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                text = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            raise LineTooLong from error
        return text.removesuffix(b"\n").removesuffix(b"\r")

    async def message(self, largest: int) -> bytes | None:
        """Return a message up to the line with one dot; null if it is too large.

        Only CRLF ends a line here: a bare LF around the dot ends no message.
        Source: RFC 5321 section 2.3.8 and 4.5.2.
        """
        parts: list[bytes] = []
        size, last_two = 0, b"\r\n"
        while True:
            part = await self._part()
            line_start = last_two == b"\r\n"  # a long line may be cut between them
            last_two = (last_two + part)[-2:]
            if line_start and part == b".\r\n":
                return b"".join(parts) if size <= largest else None
            if line_start:
                part = part.removeprefix(b".")
            size += len(part)
            if size <= largest:
                parts.append(part)

    async def octets(self, count: int) -> bytes:
        """Return exactly `count` octets; raises EOFError if there are fewer."""
        async with asyncio.timeout(IDLE_SECONDS):
            return await self._reader.readexactly(count)

    def send(self, data: bytes) -> None:
        """Send octets to the client."""
        if not self.transport.is_closing():
            self.transport.write(data)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Negotiate TLS; raises OSError (ssl.SSLError included) where it fails."""
        self._reader = asyncio.StreamReader(limit=LONGEST_LINE)
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(
            self.transport, self, context, server_side=True
        )
        if transport is None:
            raise ConnectionResetError
        self.transport = transport
        self._reader.set_transport(transport)
        self.tls = True

    async def left(self) -> None:
        """Wait until the client ends the connection; throw away what it sends."""
        while await self._reader.read(LONGEST_LINE):
            continue

    def abort(self) -> None:
        """Reset the TCP connection."""
        linger = struct.pack("ii", 1, 0)  # close sends RST instead of FIN
        peer = self.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    async def _part(self) -> bytes:
        """Return the next line with its end, or a piece of a very long one."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                return await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            return await self._reader.readexactly(max(error.consumed, 1))

    async def _run(self) -> None:
        """Serve until the dialogue ends, then close."""
        try:
            await self._serve(self)
        except (EOFError, OSError, LineTooLong):
            self.transport.close()
        except BaseException:  # the process ends: nobody waits for the peer
            self.transport.abort()
            raise
        else:
            self.transport.close()

"""A relay that adds a delay to everything that is sent to a sandbox."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONNECT = re.compile(r"(?P<host>\S+:\d+) -> 127\.0\.0\.1:(?P<port>\d+)")


class Relay:
    """Passes connections on; what a client sends arrives later by `delay` seconds."""

    def __init__(self, delay: float) -> None:
        """Prepare; nothing listens yet."""
        self._delay = delay
        self._ports: dict[int, int] = {}
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.StreamWriter] = set()

    async def port_for(self, target: int) -> int:
        """Return a port at which a port of the sandbox is reached with the delay."""
        if target not in self._ports:
            server = await asyncio.start_server(
                lambda reading, writing: self._connected(reading, writing, target),
                "127.0.0.1",
            )
            self._servers.append(server)
            self._ports[target] = server.sockets[0].getsockname()[1]
        return self._ports[target]

    async def close(self) -> None:
        """End the listeners, and the connections that are still open."""
        for server in self._servers:
            server.close()
        for writing in self._open:
            writing.close()
        own = asyncio.current_task()
        await asyncio.gather(*(t for t in asyncio.all_tasks() if t is not own))

    async def _connected(
        self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter, target: int
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        self._open |= {writing, back}
        await asyncio.gather(
            self._pass_on(reading, back, self._delay),
            self._pass_on(there, writing, 0.0),
        )
        self._open -= {writing, back}

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float
    ) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                await asyncio.sleep(delay)
                target.write(data)
                await target.drain()
        target.close()


@contextmanager
def delayed(tenants: list[Path], folder: Path, delay: float) -> Iterator[list[Path]]:
    """Yield copies of tenant files that lead to the sandbox by way of a relay."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    relay = Relay(delay)

    def moved(match: re.Match[str]) -> str:
        if match["host"].startswith("dns:"):
            return match[0]
        call = relay.port_for(int(match["port"]))
        port = asyncio.run_coroutine_threadsafe(call, loop).result()
        return f"{match['host']} -> 127.0.0.1:{port}"

    copies = []
    for tenant in tenants:
        copies.append(folder / tenant.name)
        copies[-1].write_text(CONNECT.sub(moved, tenant.read_text("utf-8")), "utf-8")
    try:
        yield copies
    finally:
        asyncio.run_coroutine_threadsafe(relay.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

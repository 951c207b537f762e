"""The SMTP and DNS servers of a sandbox, in a thread of the test's process."""

import asyncio
import functools
import smtplib
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from runbook_lib.sandbox.dns import DnsServer, start_dns
from runbook_lib.sandbox.mx import start_mx
from runbook_lib.sandbox.smtp import start_submission
from runbook_lib.sandbox.state import Sandbox
from tests.sandbox.mail import MAILBOX, certificates, client_tls, sign_in

Result = TypeVar("Result")


class Listeners:
    """A loop in a thread, and the servers that a test asks for."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Start the loop; servers start when they are first asked for."""
        self.sandbox = sandbox
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server | DnsServer] = []

    def __enter__(self) -> Self:
        """Use the world for the length of a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the servers."""
        self.close()

    @functools.cached_property
    def submission_port(self) -> int:
        """Return the port of the submission server; it starts now."""
        context = certificates().server
        return self._started(start_submission(self.sandbox, "127.0.0.1", 0, context))

    @functools.cached_property
    def mx_port(self) -> int:
        """Return the port of the MX server; it starts now."""
        judged = self.sandbox.holds("mx.foreign-certificate")
        context = certificates().at_the_edge(judged=judged)
        return self._started(start_mx(self.sandbox, "127.0.0.1", 0, context))

    @functools.cached_property
    def dns_port(self) -> int:
        """Return the port of the DNS server; it starts now."""
        server = self.wait(start_dns(self.sandbox, "127.0.0.1", 0))
        self._servers.append(server)
        return server.port

    @contextmanager
    def smtp(self, *, tls: bool = True) -> Iterator[smtplib.SMTP]:
        """Open a connection to submission, greeted, under TLS unless said."""
        client = smtplib.SMTP("127.0.0.1", self.submission_port, "client.contoso.com")
        try:
            client.ehlo()
            if tls:
                client.starttls(context=client_tls())
                client.ehlo()
            yield client
        finally:
            client.close()

    @contextmanager
    def signed_in_with(self, token: str) -> Iterator[smtplib.SMTP]:
        """Open a connection that is signed in with this token."""
        with self.smtp() as client:
            code, text = sign_in(client, token)
            assert code == 235, text
            yield client

    def sign_in_code(self, token: str, user: str = MAILBOX) -> tuple[int, str]:
        """Return code and text of one sign-in."""
        with self.smtp() as client:
            return sign_in(client, token, user)

    @contextmanager
    def mx(self, source: str = "127.0.0.1") -> Iterator[smtplib.SMTP]:
        """Open a connection to the MX side from a loopback address."""
        client = smtplib.SMTP(
            "127.0.0.1", self.mx_port, "erp.contoso.com", source_address=(source, 0)
        )
        try:
            client.ehlo()
            yield client
        finally:
            client.close()

    def close(self) -> None:
        """End the servers and their loop."""
        self.wait(self._close_servers())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def _started(self, start: Coroutine[Any, Any, asyncio.Server]) -> int:
        server = self.wait(start)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in the loop and return its result."""
        future: Future[Result] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(timeout=30)

    async def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
        own = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not own]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

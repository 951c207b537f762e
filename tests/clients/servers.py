"""Small servers on 127.0.0.1 that answer what a test tells them to."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import trustme


def server_context(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """Return a server's TLS context with a certificate for the names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    return context


def answer(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    """Return an HTTP/1.1 answer as it stands on the wire."""
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Listener:
    """A server on 127.0.0.1 that handles each connection in a thread.

    Subclasses override `talk`. The socket is bound before the thread starts.
    """

    def __init__(self, port: int = 0) -> None:
        """Bind to a port; 0 is any free one."""
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                owner.talk(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: object, address: object) -> None:
                """Keep the client's broken connections out of the output."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.address: tuple[str, int] = ("127.0.0.1", self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def talk(self, connection: socket.socket) -> None:
        """Serve one connection."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop and close."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class HttpsServer(Listener):
    """Answers requests, one after the other, with prepared bytes.

    Empty bytes close the connection without an answer. `heads` and `bodies` are
    what was asked, `names` the SNI name of each connection.
    """

    def __init__(self, context: ssl.SSLContext, *answers: bytes) -> None:
        """Serve the answers over TLS."""
        super().__init__()
        self._context = context
        self._context.sni_callback = self._named
        self._answers = list(answers)
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.names: list[str | None] = []

    def _named(self, _: object, name: str | None, __: object) -> None:
        self.names.append(name)

    def talk(self, connection: socket.socket) -> None:
        """Answer requests until the answers or the client end."""
        with self._context.wrap_socket(connection, server_side=True) as tls:
            self._serve(tls)

    def _serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while self._answers and self._request(stream.readline, stream.read):
                prepared = self._answers.pop(0)
                if not prepared:
                    return
                connection.sendall(prepared)
                if b"Connection: close" in prepared:
                    return

    def _request(self, readline: object, read: object) -> bool:
        assert callable(readline)
        assert callable(read)
        lines = []
        while line := readline().decode().rstrip("\r\n"):
            lines.append(line)
        if not lines:
            return False
        lengths = [x for x in lines if x.lower().startswith("content-length:")]
        size = int(lengths[0].partition(":")[2]) if lengths else 0
        self.heads.append("\n".join(lines))
        self.bodies.append(read(size))
        return True


class HttpServer(HttpsServer):
    """The same without TLS."""

    def __init__(self, *answers: bytes) -> None:
        """Serve the answers."""
        super().__init__(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), *answers)

    def talk(self, connection: socket.socket) -> None:
        """Answer requests until the answers or the client end."""
        with connection:
            self._serve(connection)


class ConnectProxy(Listener):
    """An HTTP proxy that knows CONNECT and leads everything to one address."""

    def __init__(self, target: tuple[str, int], status: int = 200) -> None:
        """Lead to `target`, after answering CONNECT with `status`."""
        super().__init__()
        self._target = target
        self._status = status
        self.heads: list[str] = []

    def talk(self, connection: socket.socket) -> None:
        """Answer CONNECT, then copy bytes both ways until one side ends."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        self.heads.append(head.decode())
        connection.sendall(f"HTTP/1.1 {self._status} x\r\n\r\n".encode())
        if self._status != 200:
            return
        with socket.create_connection(self._target) as onward:
            back = threading.Thread(target=_copy, args=(onward, connection))
            back.start()
            _copy(connection, onward)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(4096):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


class SmtpServer(Listener):
    """Speaks SMTP by a table: the start of a line, and the replies to it.

    The longest start that fits is taken; its replies are given one after the
    other, the last one for ever. The start "" answers what no other fits, "220"
    is the greeting, "." the message. A reply of "" closes the connection.
    """

    def __init__(
        self, context: ssl.SSLContext, replies: dict[str, str | list[str]]
    ) -> None:
        """Answer by the table, over TLS after STARTTLS."""
        super().__init__()
        self._context = context
        self._replies = {
            start: [given] if isinstance(given, str) else list(given)
            for start, given in replies.items()
        }
        self.received: list[str] = []
        self.messages: list[bytes] = []

    def talk(self, connection: socket.socket) -> None:
        """Speak until either side ends."""
        connection.sendall(self._reply("220"))
        stream = connection.makefile("rb")
        with stream:
            if not self._turns(connection, stream.readline):
                return
        with (
            self._context.wrap_socket(connection, server_side=True) as tls,
            tls.makefile("rb") as secured,
        ):
            self._turns(tls, secured.readline)

    def _turns(self, connection: socket.socket, readline: Callable[[], bytes]) -> bool:
        """Answer lines; return whether TLS is to begin."""
        while line := readline().decode():
            self.received.append(line.rstrip("\r\n"))
            reply = self._reply(line.rstrip("\r\n"))
            connection.sendall(reply)
            if not reply:
                return False
            if line.startswith("STARTTLS") and reply.startswith(b"220"):
                return True
            if reply.startswith(b"354"):
                self._message(readline)
                connection.sendall(self._reply("."))
        return False

    def _message(self, readline: Callable[[], bytes]) -> None:
        lines = []
        while (line := readline()) not in (b".\r\n", b""):
            lines.append(line)
        self.messages.append(b"".join(lines))

    def _reply(self, line: str) -> bytes:
        fitting = [start for start in self._replies if line.startswith(start)]
        given = self._replies[max(fitting, key=len)]
        reply = given.pop(0) if len(given) > 1 else given[0]
        return "".join(f"{text}\r\n" for text in reply.split("\n") if text).encode()

"""The CONNECT proxy: the hosts of the cloud and nothing else."""

import socket
from pathlib import Path

import httpx
import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.test_server import client_of


def ask(sandbox: Running, request: bytes) -> bytes:
    """Send bytes to the proxy and return all that comes back."""
    url = httpx.URL(sandbox.ready["proxy"])
    with socket.create_connection((url.host, url.port or 0), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(4096):
            answer += data
    return answer


@pytest.mark.parametrize(
    ("target", "greeting"),
    [
        ("smtp.office365.com:587", b"220 "),
        ("smtp.office365.com:25", b"220 "),
        ("contoso-com.mail.protection.outlook.com:25", b"220 "),
        ("SMTP.OFFICE365.COM:587", b"220 "),
    ],
)
def test_mail_hosts_are_tunnelled(
    shared_sandbox: Running, target: str, greeting: bytes
) -> None:
    """The tunnel leads to the server that plays the host."""
    answer = ask(shared_sandbox, f"CONNECT {target} HTTP/1.1\r\n\r\nQUIT\r\n".encode())
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(greeting)


@pytest.mark.parametrize(
    "request_line",
    [
        "CONNECT example.com:443 HTTP/1.1",
        "CONNECT login.microsoftonline.us:443 HTTP/1.1",
        "CONNECT graph.microsoft.com:80 HTTP/1.1",
        "CONNECT 203.0.113.10:443 HTTP/1.1",
        "CONNECT graph.microsoft.com HTTP/1.1",
        "GET http://graph.microsoft.com/v1.0/organization HTTP/1.1",
        "nonsense",
    ],
)
def test_everything_else_is_refused_and_logged(
    shared_sandbox: Running, request_line: str
) -> None:
    """403 at once: nothing leaves loopback."""
    answer = ask(shared_sandbox, f"{request_line}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ")
    line = shared_sandbox.log()[-1]
    assert (line["protocol"], line["status"]) == ("proxy", 403)


def test_endless_head_is_refused(shared_sandbox: Running) -> None:
    """A head without end is not collected for ever."""
    request = b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\nX: " + b"x" * 40_000
    answer = ask(shared_sandbox, request)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_tunnels_are_logged_with_their_host(sandbox_process: Running) -> None:
    """One line for the tunnel, one for the request inside."""
    with client_of(sandbox_process) as client:
        answer = client.get("https://graph.microsoft.com/v1.0/organization")
    assert answer.status_code == 401
    tunnel, request = sandbox_process.log()
    assert tunnel["protocol"] == "proxy"
    assert tunnel["method"] == "CONNECT"
    assert tunnel["host"] == "graph.microsoft.com"
    assert tunnel["path"] == "graph.microsoft.com:443"
    assert request["protocol"] == "https"
    assert request["host"] == "graph.microsoft.com"


def test_localhost_is_reached_through_the_proxy_too(shared_sandbox: Running) -> None:
    """A client with a proxy for everything still finds the control endpoint."""
    port = shared_sandbox.ready["https"].rpartition(":")[2]
    token = shared_sandbox.ready["control_token"]
    with client_of(shared_sandbox) as client:
        answer = client.get(
            f"https://localhost:{port}/_sandbox/dump?tenant=contoso.com",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 200


def test_refusals_end_cleanly(sandbox_process: Running) -> None:
    """A client that goes away in the middle leaves no trace on stderr."""
    url = httpx.URL(sandbox_process.ready["proxy"])
    for data in (b"", b"CONNECT ", b"CONNECT smtp.office365.com:587 HTTP/1.1\r\n\r\n"):
        with socket.create_connection((url.host, url.port or 0)) as connection:
            connection.sendall(data)
    assert Path(sandbox_process.ready["log_file"]).exists()
    assert sandbox_process.stop() == (0, b"")

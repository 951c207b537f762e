"""What an endpoint shows, and lines that are no SMTP."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from runbook_lib.clients.smtp import SubmissionClient
from runbook_lib.clients.smtp_refusals import session_of
from runbook_lib.clients.wire import Wire
from runbook_lib.errors import (
    UnknownReply,
    Unreachable,
)
from runbook_lib.secret import Mask
from tests.clients.smtp_endpoint import (
    HOST,
    Endpoint,
)


def test_an_endpoint_is_described(endpoint: Endpoint, traffic: list[Any]) -> None:
    """What it offers is read after TLS; nobody signs in."""
    with endpoint.server() as server:
        facts = endpoint.client(server).observe_endpoint(HOST)
    assert facts.addresses == ("127.0.0.1",)
    assert facts.peer == f"127.0.0.1:{server.address[1]}"
    assert facts.banner.startswith("SY5.outlook.office365.com Microsoft ESMTP")
    assert facts.starttls
    assert facts.tls_version == "TLSv1.3"
    assert facts.cipher
    assert facts.auth == ("LOGIN", "XOAUTH2")
    assert facts.size == 157286400
    assert facts.certificate is not None
    assert facts.certificate["names"] == [HOST]
    assert len(str(facts.certificate["sha256"])) == 64
    assert server.received == [
        *("EHLO sap.contoso.com", "STARTTLS", "EHLO sap.contoso.com", "QUIT")
    ]
    assert json.loads(json.dumps(traffic)) == traffic
    assert [entry["protocol"] for entry in traffic] == ["smtp"]
    assert (traffic[0]["write"], traffic[0]["error"]) == (False, None)
    assert traffic[0]["tls"]["version"] == "TLSv1.3"


def test_an_endpoint_without_tls_is_described_too(endpoint: Endpoint) -> None:
    """That STARTTLS is missing is an observation, not a fault."""
    with endpoint.server(ehlo="250 contoso") as server:
        facts = endpoint.client(server).observe_endpoint(HOST)
    assert not facts.starttls
    assert (facts.tls_version, facts.certificate, facts.size) == (None, None, None)
    assert facts.auth == ()


@pytest.mark.parametrize(
    "greeting",
    ["HTTP/1.1 400 Bad Request", "220-one\n250 two", "2200", "220+x"],
)
def test_a_line_that_is_no_reply_is_unknown(endpoint: Endpoint, greeting: str) -> None:
    """Another protocol on the port is not taken for SMTP."""
    with (
        endpoint.server(greeting=greeting) as server,
        pytest.raises(UnknownReply, match="no SMTP reply"),
    ):
        endpoint.client(server).observe_endpoint(HOST)


def test_a_reply_without_text_is_a_reply(endpoint: Endpoint) -> None:
    """RFC 5321 allows a bare code."""
    with endpoint.server(quit="221", greeting="220") as server:
        assert endpoint.client(server).observe_endpoint(HOST).banner == ""


def test_a_silent_server_is_unreachable(endpoint: Endpoint, traffic: list[Any]) -> None:
    """Implicit TLS on the port looks like this: nobody greets."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wire = Wire(connect_to={(HOST, 587): silent.getsockname()})
        client = SubmissionClient(wire, traffic.append, Mask(), timeout=0.2)
        with pytest.raises(Unreachable, match="greeting"):
            client.observe_endpoint(HOST)
    assert traffic[0]["lines"] == []
    assert traffic[0]["error"].startswith("Unreachable")


@pytest.mark.parametrize(
    ("text", "session"),
    [
        (
            "Authentication unsuccessful [SN2PR00CA0018.namprd00.prod.outlook.com]",
            {"host": "SN2PR00CA0018.namprd00.prod.outlook.com"},
        ),
        ("Hello [203.0.113.7]", {}),
        ("banned sender [sender]", {}),
        ("no brackets", {}),
    ],
)
def test_the_session_is_read_from_brackets(text: str, session: object) -> None:
    """Only a host name counts, neither an address nor a word."""
    assert session_of(text) == session

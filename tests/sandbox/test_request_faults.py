"""Faults that befall one request among all: reads, SMTP commands, DNS queries."""

from __future__ import annotations

import smtplib
import time
from email.utils import parsedate_to_datetime

import dns.message
import dns.rcode
import httpx
import pytest

from runbook_lib.sandbox.dns import answered
from runbook_lib.sandbox.faults import Faults, parse_fault
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.directory import Directory
from tests.sandbox.test_server import client_of
from tests.sandbox.world import World

METADATA = "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/"
OPENID = f"{METADATA}openid-configuration"


def test_every_request_counts() -> None:
    """Without a scope all services share the count; with one the others do not."""
    faults = Faults((parse_fault("request-429=3"), parse_fault("request-429@graph=1")))
    seen = [faults.disturbance(name) for name in ("login", "graph", "dns", "graph")]
    assert seen == ["", "429", "429", ""]


def test_cleared_faults_hold_no_more() -> None:
    """Neither counts nor lags are left, and a fault can be asked for again."""
    faults = Faults((parse_fault("lag=3"), parse_fault("request-429=1")))
    faults.start_lag("secret", "a")
    assert faults.disturbance("graph") == "429"
    faults.clear()
    assert not faults.lagging("secret", "a")
    faults.add(parse_fault("request-429=1"))
    assert faults.disturbance("graph") == "429"


def test_a_read_among_others_is_throttled() -> None:
    """The second request and no other, in seconds and as a date."""
    with World(faults="request-429@graph=2 request-429-date@graph=3") as world:
        directory = Directory(world)
        answers = [directory.send("GET", "applications") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "1"
    again = parsedate_to_datetime(answers[2].headers["Retry-After"]).timestamp()
    assert abs(again - time.time()) < 3


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_unavailable_before_and_after_the_effect(when: str, made: int) -> None:
    """The client sees 503 both times; only the tenant shows the difference."""
    with World(faults=f"request-503-{when}@graph=1") as world:
        directory = Directory(world)
        before = len(world.tenant.applications)
        answer = directory.send("POST", "applications", {"displayName": "x"})
        assert answer.status_code == 503
        assert len(world.tenant.applications) == before + made


@pytest.mark.parametrize("kind", ["reset", "stall"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_without_an_answer(
    start_sandbox: StartSandbox, kind: str, when: str
) -> None:
    """A reset ends the connection; a stall keeps it until the client leaves."""
    sandbox = start_sandbox("--fault", f"request-{kind}-{when}@login=2")
    with client_of(sandbox) as client:
        assert client.get(OPENID).status_code == 200
        error = httpx.ReadTimeout if kind == "stall" else httpx.NetworkError
        with pytest.raises((error, httpx.RemoteProtocolError)):
            client.get(OPENID, timeout=2)
        assert client.get(OPENID).status_code == 200
    words = {"reset": "reset", "stall": "stalled"}[kind]
    seen = [line["status"] for line in sandbox.log() if line["protocol"] == "https"]
    assert seen == [200, f"{words} {when} the effect", 200]
    assert sandbox.stop() == (0, b"")


def test_smtp_commands_are_requests() -> None:
    """421 in place of the second command; a reset; silence until the client goes."""
    with (
        World(faults="request-503-before@smtp=2") as world,
        world.smtp(tls=False) as client,
    ):
        assert client.noop()[0] == 421
    for what, said in (("reset-after", "reset"), ("stall-before", "stalled")):
        with World(faults=f"request-{what}@smtp=2") as world:
            with world.smtp(tls=False) as client:
                assert client.sock is not None
                client.sock.settimeout(0.5)
                with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
                    client.noop()
            (line,) = world.logged(protocol="smtp", method="NOOP")
            assert line["status"].split()[0] == said


def test_dns_queries_are_requests() -> None:
    """No answer, SERVFAIL, and then the records."""
    with World(faults="request-stall-before=1 request-503-before@dns=2") as world:
        query = dns.message.make_query("contoso.com", "MX").to_wire()
        answers = [answered(world.sandbox, query, udp=True) for _ in range(3)]
    assert answers[0] is None
    codes = [dns.message.from_wire(a or b"").rcode() for a in answers[1:]]
    assert codes == [dns.rcode.SERVFAIL, dns.rcode.NOERROR]

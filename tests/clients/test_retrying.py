"""What is repeated, how long is waited, and what is never repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from runbook_lib.clients.http import Wire
from runbook_lib.errors import OutcomeUnknown, Unreachable
from tests.clients.conftest import Opened
from tests.clients.servers import HttpsServer, answer, server_context

URL = "https://graph.microsoft.com/v1.0/applications"
Reply = httpx.Response | Exception


def replies(*prepared: Reply) -> Callable[[httpx.Request], httpx.Response]:
    """Return a handler that gives the prepared answers, the last one for ever."""
    waiting = list(prepared)

    def handle(request: httpx.Request) -> httpx.Response:
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(
            reply.status_code, headers=reply.headers, content=reply.content
        )

    return handle


def throttled(seconds: str) -> httpx.Response:
    """Return a 429 that asks to wait."""
    return httpx.Response(429, headers={"Retry-After": seconds})


OK = httpx.Response(200, json={})
BROKEN = (
    httpx.ReadError("reset"),
    httpx.ReadTimeout("late"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("half an answer"),
)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_throttling_waits_exactly_as_told(
    open_client: Opened, waits: list[float], method: str
) -> None:
    """After 429 any request is repeated, a write as well: nothing was done."""
    client = open_client(replies(throttled("7"), throttled("13"), OK))
    assert client.request(method, URL).status_code == 200
    assert waits == [7.0, 13.0]


def test_throttling_waits_until_the_date(
    open_client: Opened, waits: list[float]
) -> None:
    """A date counts from the answer's own Date; one in the past is now."""
    headers = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    later = {**headers, "Retry-After": "Sun, 06 Nov 1994 08:49:48 GMT"}
    past = {**headers, "Retry-After": "Sun, 06 Nov 1994 08:00:00 GMT"}
    wrong = {**headers, "Retry-After": "soon"}
    answers = [httpx.Response(429, headers=h) for h in (later, past, wrong)]
    client = open_client(replies(*answers, OK))
    assert client.get(URL).status_code == 200
    assert waits == [11.0, 0.0, 8.0]


def test_throttling_without_a_time_backs_off(
    open_client: Opened, waits: list[float]
) -> None:
    """Without Retry-After the waits double, up to 120 s together."""
    client = open_client(replies(httpx.Response(429)))
    assert client.get(URL).status_code == 429
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0]


def test_patience_ends_at_two_minutes(open_client: Opened, waits: list[float]) -> None:
    """A wait that would pass the limit is not begun."""
    client = open_client(replies(throttled("60"), throttled("61"), OK))
    assert client.get(URL).status_code == 429
    assert waits == [60.0]


def test_throttling_without_a_pause_ends(
    open_client: Opened, waits: list[float]
) -> None:
    """A Retry-After of 0 does not repeat for ever."""
    assert open_client(replies(throttled("0"))).get(URL).status_code == 429
    assert len(waits) == 120


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_is_repeated_on_a_server_fault(
    open_client: Opened, waits: list[float], status: int
) -> None:
    """Three repeats after 2, 4 and 8 s, then the answer is what it is."""
    client = open_client(replies(httpx.Response(status)))
    assert client.get(URL).status_code == status
    assert waits == [2.0, 4.0, 8.0]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_is_not_repeated_on_a_server_fault(
    open_client: Opened, waits: list[float], status: int
) -> None:
    """The client sees the fault at once: the write may have happened."""
    client = open_client(replies(httpx.Response(status), OK))
    assert client.post(URL, json={}).status_code == status
    assert waits == []


@pytest.mark.parametrize("error", BROKEN, ids=lambda e: type(e).__name__)
def test_a_read_is_repeated_on_a_broken_connection(
    open_client: Opened, waits: list[float], error: Exception
) -> None:
    """A reset or time-out does no harm to a read."""
    assert open_client(replies(error, error, OK)).get(URL).status_code == 200
    assert waits == [2.0, 4.0]


@pytest.mark.parametrize("error", BROKEN, ids=lambda e: type(e).__name__)
def test_a_write_on_a_broken_connection_is_unknown(
    open_client: Opened,
    waits: list[float],
    traffic: list[Mapping[str, object]],
    error: Exception,
) -> None:
    """It is sent once, and nobody knows what became of it."""
    with pytest.raises(OutcomeUnknown, match=r"POST /v1\.0/applications"):
        open_client(replies(error, OK)).post(URL, json={})
    assert waits == []
    assert [item["write"] for item in traffic] == [True]


def test_a_read_without_an_answer_ends_unreachable(
    open_client: Opened, waits: list[float]
) -> None:
    """After the repeats it is told where nobody answered."""
    with pytest.raises(Unreachable) as caught:
        open_client(replies(httpx.ReadTimeout("late"))).get(URL)
    assert caught.value.facts["endpoint"] == "graph.microsoft.com:443"
    assert waits == [2.0, 4.0, 8.0]


def test_a_break_after_long_throttling_still_ends(open_client: Opened) -> None:
    """Patience used up by 429 leaves no repeat for a broken read."""
    client = open_client(replies(throttled("119"), httpx.ReadError("reset")))
    with pytest.raises(Unreachable):
        client.get(URL)


def test_the_client_says_what_a_write_is(
    open_client: Opened, waits: list[float]
) -> None:
    """A POST that only reads is repeated as a read."""
    client = open_client(replies(httpx.Response(503), OK))
    response = client.post(URL, json={}, extensions={"write": False})
    assert response.status_code == 200
    assert waits == [2.0]


def test_each_attempt_has_its_own_id(open_client: Opened, traffic: list[Any]) -> None:
    """The service's support finds every attempt by its own GUID."""
    open_client(replies(httpx.Response(503), OK)).get(URL)
    ids = {item["request_headers"]["client-request-id"] for item in traffic}
    assert len(ids) == 2


def test_half_an_answer_over_tls(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """A body that ends early is a broken read, not an answer."""
    half = answer(200, b'{"value":[]}', "Connection: close")[:-5]
    with HttpsServer(server_context(ca, "127.0.0.1"), half, answer(200)) as server:
        url = f"https://127.0.0.1:{server.address[1]}/"
        with open_client(wire=Wire(ca_file=ca_file)) as client:
            assert client.get(url).json() == {}
    assert len(server.heads) == 2


def test_a_reset_after_a_write_over_tls(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """The server took the request and closed: sent once, effect unknown."""
    with HttpsServer(server_context(ca, "127.0.0.1"), b"", answer(200)) as server:
        url = f"https://127.0.0.1:{server.address[1]}/"
        with pytest.raises(OutcomeUnknown):
            open_client(wire=Wire(ca_file=ca_file)).post(url, json={"a": 1})
    assert len(server.heads) == 1


def test_a_silent_server_times_out(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """A write to a server that says nothing ends unknown within the time-out."""
    with HttpsServer(server_context(ca, "127.0.0.1"), answer(200)[:9]) as server:
        url = f"https://127.0.0.1:{server.address[1]}/"
        with (
            open_client(wire=Wire(ca_file=ca_file, timeout=0.3)) as client,
            pytest.raises(OutcomeUnknown),
        ):
            client.patch(url, json={})

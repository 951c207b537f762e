"""Fairness: what one process was told, the others heed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runbook_lib.clients.http import Wire, open_http
from runbook_lib.clients.pacing import LONGEST, WINDOW, SharedPace
from runbook_lib.secret import Mask


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def pair(tmp_path: Path, clock: Clock) -> Iterator[tuple[SharedPace, SharedPace]]:
    """Return the paces of two processes that work on one tenant."""
    paces = (paced(tmp_path, clock), paced(tmp_path, clock))
    yield paces
    for pace in paces:
        pace.close()


def paced(
    folder: Path, clock: Clock, tenant: str = "t1", budget: int = 3
) -> SharedPace:
    """Return a pace with this clock and without chance."""
    return SharedPace(folder, tenant, budget, lambda: clock.now, lambda: 0.5)


def test_retry_after_holds_for_all(
    pair: tuple[SharedPace, SharedPace], clock: Clock
) -> None:
    """A process waits for what another one was told, and a little longer."""
    pair[0].refused("graph.example", 30)
    pair[1].wait("graph.example", clock.sleep)
    assert 30 < sum(clock.slept) < 36


def test_other_hosts_and_tenants_go_on(
    pair: tuple[SharedPace, SharedPace], clock: Clock, tmp_path: Path
) -> None:
    """Throttling is by tenant and host."""
    pair[0].refused("graph.example", 30)
    pair[1].wait("outlook.example", clock.sleep)
    other = paced(tmp_path, clock, tenant="t2")
    other.wait("graph.example", clock.sleep)
    other.close()
    assert clock.slept == []


def test_budget_is_shared(pair: tuple[SharedPace, SharedPace], clock: Clock) -> None:
    """Once the requests of a window are used up, everybody waits for the next."""
    for pace in (*pair, pair[0]):
        pace.wait("graph.example", clock.sleep)
    assert clock.slept == []
    pair[1].wait("graph.example", clock.sleep)
    assert sum(clock.slept) >= WINDOW


def test_nobody_waits_for_ever(
    pair: tuple[SharedPace, SharedPace], clock: Clock
) -> None:
    """After two minutes the request is sent, and its own answer counts."""
    pair[0].refused("graph.example", 10_000)
    pair[1].wait("graph.example", clock.sleep)
    assert LONGEST <= sum(clock.slept) < 10_000


def test_a_429_is_told_to_the_others(tmp_path: Path, clock: Clock) -> None:
    """While a client waits for its Retry-After, every other one waits as well."""
    answers = iter([httpx.Response(429, headers={"retry-after": "7"})])
    reply = httpx.MockTransport(lambda _: next(answers, httpx.Response(200)))
    pace, other = paced(tmp_path, clock), paced(tmp_path, clock)
    others: list[float] = []

    def sleep(seconds: float) -> None:
        """Let another process come along meanwhile."""
        assert seconds == 7
        other.wait("graph.example", clock.sleep)
        others.extend(clock.slept)

    traffic: list[object] = []
    with open_http(
        Wire(), traffic.append, Mask(), sleep=sleep, transport=reply, pace=pace
    ) as client:
        assert client.get("https://graph.example/").status_code == 200
    assert 7 <= others[0] < 8
    pace.close()
    other.close()

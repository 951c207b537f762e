"""429 with Retry-After on every request in turn, one in each run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from runbook_lib.clients.http import open_http
from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.result import result
from tests.integration.fault_cases import Request
from tests.integration.world import World, attempt, running

TENANTS = 80
TENANT = re.compile(r"(tenant\d+|contoso|fabrikam)(\.example|\.com)?\b")
LATE_EVIDENCE = "incomplete"  # what SAP shows is handed in after the run
FORMS = ("request-429", "request-429-date")


@dataclass
class Tenants:
    """A sandbox with a tenant for each run, so that nothing is rolled back."""

    whole: World
    left: list[dict[str, Any]] = field(default_factory=list)
    offset: int = 0

    def next(self) -> World:
        """Return the world of a tenant that no run has seen."""
        tenant = self.left.pop()
        return World({**self.whole.ready, "tenants": [tenant]}, self.whole.folder)

    def lines(self) -> list[dict[str, Any]]:
        """Return what was logged since the last call, without what tests ask."""
        with Path(self.whole.ready["log_file"]).open("rb") as stream:
            stream.seek(self.offset)
            text = stream.read()
        self.offset += len(text)
        lines: list[dict[str, Any]] = [json.loads(one) for one in text.splitlines()]
        return [line for line in lines if not line["path"].startswith("/_sandbox/")]


@pytest.fixture
def tenants(tmp_path: Path) -> Iterator[Tenants]:
    """Return a sandbox with enough tenants."""
    with running(tmp_path, "--tenants", str(TENANTS)) as world:
        yield Tenants(world, list(world.ready["tenants"]))


@contextmanager
def waiting() -> Iterator[list[float]]:
    """Note what the client waits for, and do not wait."""
    waits: list[float] = []
    client = partial(open_http, sleep=waits.append)
    with (
        mock.patch("runbook_lib.session.open_http", client),
        mock.patch("runbook_lib.engine.attempt.FIRST_PAUSE", 0.005),
    ):
        yield waits


def request_of(line: dict[str, Any]) -> Request:
    """Return a line of the log without what differs between tenants."""
    path = TENANT.sub("<tenant>", str(line["path"]))
    return Request.of({**line, "path": path})


def run(tenants: Tenants, *faults: str) -> tuple[list[dict[str, Any]], list[float]]:
    """Run apply on a fresh tenant; return its requests and the client's waits."""
    world = tenants.next()
    world.break_tenant("clear_faults")
    for fault in faults:
        world.break_tenant("add_fault", fault=fault)
    tenants.lines()
    with waiting() as waits:
        ended = attempt(world, "apply", run_id="run", evidence=world.evidence())
    events = read_chain(world.record("run") / EVENTS).events
    assert (ended, result(events)) == ("finished", LATE_EVIDENCE), faults
    return tenants.lines(), waits


def throttle_each(tenants: Tenants, first: int) -> None:
    """Throttle each request in turn, by seconds and by date alternately."""
    plain = [request_of(line) for line in run(tenants)[0]]
    places = [n for n, one in enumerate(plain, start=1) if one.protocol == "https"]
    assert len(places) > 50
    for place in places:
        form = FORMS[(place + first) % 2]
        lines, waits = run(tenants, f"{form}={place}")
        sent = [request_of(line) for line in lines]
        assert lines[place - 1]["status"] == 429
        assert sent == [*plain[:place], *plain[place - 1 :]], (form, place)
        (wait,) = waits
        # A date has whole seconds, and so has the Date that it is taken against.
        assert (wait == 1) if form == FORMS[0] else (0 <= wait <= 2), (form, place)


def test_a_throttled_request_is_sent_once_more(tenants: Tenants) -> None:
    """The run succeeds, and there is one request more than in any other."""
    throttle_each(tenants, 0)


def test_a_throttled_request_is_sent_once_more_the_other_way(tenants: Tenants) -> None:
    """The same with seconds and dates exchanged."""
    throttle_each(tenants, 1)

"""A temporary secret that a killed run left, removed before anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_lib.evidence.close import Closed
from tests.integration.fault_bench import Bench
from tests.integration.fault_cases import undisturbed
from tests.integration.world import close, events, step_ends

pytestmark = pytest.mark.ci

STEP = "sign-in-with-temporary-secret"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a sandbox for runs with a certificate and a temporary secret."""
    with Bench.open(tmp_path / "bench", "certificate") as bench:
        yield bench


def killed_with_it(bench: Bench, when: str, method: str) -> str:
    """Kill a run at the making or removing of its secret; return the run id."""
    sent = [request.what for request in undisturbed(bench).requests]
    number = sent.index(method) + 1
    bench.disturb("lag=3", f"request-stall-{when}={number}")
    run = bench.new_run()
    assert bench.apply(run, kill=True) == "died"
    return run


def secrets(bench: Bench) -> list[str]:
    """Return the names of all client secrets of our application."""
    found = json.loads(bench.world.dump())["tenant"]["applications"].values()
    ours = next(one for one in found if one["displayName"] == "SAP SMTP OAuth")
    return [str(one["displayName"]) for one in ours["passwordCredentials"]]


def returned(closed: Closed) -> int:
    """Count the secrets that the record says were left and then removed."""
    kinds = [e for e in events(closed) if e["event"] == "credential.returned"]
    return sum("left_by" in event for event in kinds)


@pytest.mark.parametrize(
    ("when", "method", "left"),
    [("after", "addPassword", 1), ("before", "removePassword", 1)],
)
def test_it_goes_also_if_its_step_is_not_reached(
    bench: Bench, when: str, method: str, left: int
) -> None:
    """The mailbox is gone, so the run stops long before the sign-in."""
    run = killed_with_it(bench, when, method)
    assert len(secrets(bench)) == left
    bench.world.break_tenant("delete_mailbox", mailbox=bench.world.tenant["mailbox"])
    closed = close(bench.world, run, bench.apply(run))
    assert step_ends(closed)["sender-mailbox"]["outcome"] == "failed"
    assert secrets(bench) == []
    assert returned(closed) == 1


def test_one_that_is_gone_is_no_fault(bench: Bench) -> None:
    """It was removed, and the process ended before that was written down."""
    run = killed_with_it(bench, "after", "removePassword")
    assert secrets(bench) == []
    ended = bench.apply(run)
    closed = close(bench.world, run, ended)
    end = step_ends(closed)[STEP]
    assert (ended, end["outcome"]) == ("finished", "ok")


LOST_ANSWERS = [
    ("addPassword", "request-reset-after"),
    ("removePassword", "request-503-before"),
    ("removePassword", "request-reset-after"),
]


def test_after_a_lost_answer_it_goes_in_the_same_attempt(bench: Bench) -> None:
    """Nobody runs again, and what was made is found although lists lag behind."""
    sent = [request.what for request in undisturbed(bench).requests]
    for method, fault in LOST_ANSWERS:
        bench.disturb("lag=3", f"{fault}={sent.index(method) + 1}")
        run = bench.new_run()
        ended = bench.apply(run)
        paths = [str(line["path"]) for line in bench.seen()]
        assert sum(path.endswith("/addPassword") for path in paths) == 1
        assert secrets(bench) == [], (method, fault)
        end = step_ends(close(bench.world, run, ended))[STEP]
        assert end["outcome"] == ("error" if method == "addPassword" else "ok")
        bench.roll_back(run)
        assert bench.world.dump() == bench.start


def test_a_rollback_removes_it_as_well(bench: Bench) -> None:
    """The run was closed as it was left, and nobody ran it again."""
    run = killed_with_it(bench, "after", "addPassword")
    close(bench.world, run, "died")
    new, ended = bench.roll_back(run)
    closed = close(bench.world, new, ended)
    assert returned(closed) == 1
    assert bench.world.dump() == bench.start

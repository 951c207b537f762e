"""Somebody else acts while a killed run waits to be resumed or rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.fault_bench import Bench
from tests.integration.test_other_applications import applications, stranger
from tests.integration.world import close, step_ends

pytestmark = pytest.mark.ci

STEP = "register-application"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a sandbox for runs with a client secret."""
    with Bench.open(tmp_path / "bench", "secret") as bench:
        yield bench


def killed_before_registering(bench: Bench) -> str:
    """Kill a run at its first write, before the effect; return the run id."""
    bench.disturb()
    bench.apply("first")
    sent = bench.seen()
    place = next(n for n, line in enumerate(sent, start=1) if line["write"])
    assert sent[place - 1]["path"].endswith("/applications")
    close(bench.world, "first", "finished")
    bench.roll_back("first")
    bench.disturb(f"request-stall-before={place}")
    assert bench.apply("killed", kill=True) == "died"
    bench.disturb()
    return "killed"


def test_an_application_made_meanwhile_is_neither_used_nor_deleted(
    bench: Bench,
) -> None:
    """The run had begun to make one of that name; this one is not its own."""
    run = killed_before_registering(bench)
    stranger(bench.world)
    before = bench.world.dump()
    closed = close(bench.world, run, bench.apply(run))
    assert closed.result == "failed"
    end = step_ends(closed)[STEP]
    assert (end["outcome"], end["remedy_id"]) == ("failed", STEP)
    assert "somebody else" in str(end["problem"])
    assert bench.world.dump() == before
    bench.roll_back(run)
    assert bench.world.dump() == before
    assert len(applications(bench.world)) == 1

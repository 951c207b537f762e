"""A run that died in a write, was closed, and is rolled back without a resumption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.fault_bench import Bench
from tests.integration.fault_cases import LAG, undisturbed
from tests.integration.world import close

pytestmark = pytest.mark.ci

# The write, and whether it took effect before the process died.
DEATHS = (
    ("Set-CASMailbox", "after"),
    ("Set-CASMailbox", "before"),
    ("addPassword", "after"),
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a sandbox for runs with a client secret."""
    with Bench.open(tmp_path / "bench", "secret") as bench:
        yield bench


def test_a_rollback_undoes_what_nobody_saw(bench: Bench) -> None:
    """A sealed record is not resumed, so the rollback has to look itself."""
    sent = [request.what for request in undisturbed(bench).requests]
    for cmdlet, when in DEATHS:
        bench.disturb(LAG, f"request-stall-{when}={sent.index(cmdlet) + 1}")
        run = bench.new_run()
        assert bench.apply(run, kill=True) == "died"
        bench.disturb()
        close(bench.world, run, "died")
        new, ended = bench.roll_back(run)
        assert close(bench.world, new, ended).result == "rolled back", (cmdlet, when)
        assert bench.world.dump() == bench.start, (cmdlet, when)
        assert bench.stored() == 0

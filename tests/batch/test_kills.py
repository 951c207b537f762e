"""Killed anywhere, resumed: the tenants end as if nothing had happened."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.engine.record import EVENTS
from tests.batch.strike import VICTIMS, strike
from tests.batch.world import Many, awaited, kill, many
from tests.integration.alike import differing
from tests.integration.world import runbook, running

TENANTS = 4
INCOMPLETE = 3  # nobody attests anything here
KILLS = 10
MOST = 0.9  # of all requests: the batch is still at work
MADE, REMOVED = "POST addPassword", "POST removePassword"

# A busy machine takes longer to go on than the sandbox's windows are.
WINDOWS = {"visibility": 30, "effect": 120, "trace": 30}

pytestmark = pytest.mark.ci


@dataclass(frozen=True)
class Ended:
    """What a batch came to: the tenants' dumps, and the counts of their outcomes.

    `writes` counts what each tenant was sent to change it, which a repetition may
    add to, `requests` everything that was sent.
    """

    dumps: list[Any]
    outcomes: list[dict[str, int]]
    writes: dict[str, Counter[str]] = field(compare=False)
    requests: int = field(compare=False)

    @classmethod
    def of(cls, there: Many, starts: list[bytes]) -> Ended:
        """Return what the batch came to, as tenants and record say."""
        last = {e["tenant"]: e["outcomes"] for e in events(there, "tenant.ended")}
        outcomes = [last[name] for name in sorted(last)]
        return cls(there.ends(starts), outcomes, there.writes(), there.requests())


def undisturbed_batch(folder: Path) -> Ended:
    """Return what an undisturbed batch comes to."""
    with running(folder, "--tenants", str(TENANTS)) as world:
        there = many(world, windows=WINDOWS)
        starts = there.dumps()
        assert there.batch(mode="apply").exit_code == INCOMPLETE
        return Ended.of(there, starts)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Return what an undisturbed batch comes to."""
    return undisturbed_batch(tmp_path_factory.mktemp("calm"))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Many]:
    """Return a fresh sandbox with some tenants."""
    with running(tmp_path, "--tenants", str(TENANTS)) as world:
        yield many(world, windows=WINDOWS)


@pytest.mark.parametrize("seed", range(KILLS))
def test_resumed_batch_ends_as_an_undisturbed_one(
    there: Many, undisturbed: Ended, seed: int
) -> None:
    """A kill of worker, template or parent shows in the ledger and in nothing else."""
    check_resumed(there, undisturbed, seed)


def test_waiting_tenants_are_visited_after_a_kill(
    there: Many, undisturbed: Ended
) -> None:
    """A tenant that waited for replication when the batch was killed still waits."""
    starts = there.dumps()
    batch = there.start("--workers", "2", mode="apply")
    awaited(lambda: len(events(there, "tenant.waits")) >= 2)
    assert kill(batch.pid)
    ended(batch)
    waiting = {event["tenant"] for event in events(there, "tenant.waits")}
    assert there.batch("--resume", mode="apply").report["finished"]
    assert Ended.of(there, starts) == undisturbed
    begun = [event["tenant"] for event in events(there, "tenant.started", attempt=2)]
    assert waiting & set(begun)
    assert interrupted(there) >= {"batches", *(waiting & set(begun))}


def events(there: Many, kind: str, **having: object) -> list[Any]:
    """Return the events of one kind in the batch's record."""
    wanted = {"event": kind, **having}
    return [
        event
        for path in there.outputs.glob(f"batches/*/{EVENTS}")
        for event in lines_of(path)
        if wanted.items() <= event.items()
    ]


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a record that may still be written to."""
    whole = path.read_text("utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def interrupted(there: Many) -> set[str]:
    """Return the tenants of which the ledger says that an attempt was cut off."""
    lines = there.ledger()
    return {line["tenant"] for line in lines if line["line"] == "interrupted"}


def check_resumed(there: Many, undisturbed: Ended, seed: int) -> None:
    """Kill something at some request, resume until it is finished, and compare.

    The ledger names each tenant whose attempt the kill cut off, and no other: but
    with the template the one that was just to be forked, with the parent those that
    waited for replication.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable
    victim = VICTIMS[seed % len(VICTIMS)]
    starts = there.dumps()
    batch = there.start("--workers", "2", mode="apply")
    sent = chance.uniform(0, MOST) * undisturbed.requests
    struck = strike(batch, victim, chance, when=lambda: there.requests() >= sent)
    assert struck, "the batch ended before it was struck"
    ended(batch)
    was_open = is_open(there.ledger())
    while there.batch("--resume", mode="apply").report:
        pass
    end = Ended.of(there, starts)
    assert end.outcomes == undisturbed.outcomes
    pairs = zip(end.dumps, undisturbed.dumps, strict=True)
    assert [line for pair in pairs for line in differing(*pair)] == []
    lines = [line["line"] for line in there.ledger()]
    assert lines.count("opened") == lines.count("closed")
    found = interrupted(there)
    if victim == "parent":
        assert struck.tenants <= found
        assert ("batches" in found) == was_open
    else:
        assert struck.tenants <= found
        more = len(found - struck.tenants) - struck.unnamed
        assert more == 0 or (more == 1 and victim == "template")
    check_writes(end.writes, undisturbed.writes, found)
    audit = runbook("audit", there.outputs)
    assert audit.returncode == 0, audit.stdout


def check_writes(
    ours: dict[str, Counter[str]], undisturbed: dict[str, Counter[str]], cut: set[str]
) -> None:
    """Check that nothing was written twice but what nobody can know.

    A secret that was made and never arrived is removed and made anew. A message
    whose acknowledgement never arrived is looked for, and not sent again.
    """
    for name, writes in ours.items():
        assert undisturbed[name] <= writes
        more = writes - undisturbed[name]
        assert not more or name in cut
        assert more.keys() <= {MADE, REMOVED}, more
        assert more[MADE] == more[REMOVED]


def is_open(ledger: list[dict[str, Any]]) -> bool:
    """Tell whether a batch was opened and not closed."""
    lines = [entry["line"] for entry in ledger if entry["tenant"] == "batches"]
    return lines.count("opened") > lines.count("closed")


def ended(batch: subprocess.Popen[bytes]) -> None:
    """Wait until a batch has ended."""
    batch.wait(timeout=120)
    assert batch.stderr is not None
    batch.stderr.close()

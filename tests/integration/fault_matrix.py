"""Shares of all cases, played in several processes at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from random import Random

from tests.integration.fault_bench import KINDS, Bench
from tests.integration.fault_cases import Case, play, undisturbed

# A case waits as well as it works, so there are more processes than processors.
WORKERS = 3 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Share:
    """A part of the cases of one kind: one of `parts` slices of a seeded choice."""

    kind: str
    seed: int
    fraction: float
    part: int
    parts: int

    def of(self, cases: list[Case]) -> list[Case]:
        """Return the cases of this share."""
        chosen = round(len(cases) * self.fraction)
        drawn = Random(self.seed).sample(cases, chosen)  # noqa: S311 - no secret
        return drawn[self.part :: self.parts]


@dataclass(frozen=True)
class Played:
    """What a share came to: how many cases, of how many, and what was not right."""

    kind: str
    count: int
    whole: int
    failures: tuple[str, ...]


def play_share(share: Share, folder: Path) -> Played:
    """Play the cases of a share, on a new sandbox where one was left dirty."""
    places = (folder / f"{share.kind}-{share.part}-{number}" for number in count())
    whole: list[Case] = []
    waiting: list[Case] | None = None
    failures: list[str] = []
    while waiting is None or waiting:
        with Bench.open(next(places), share.kind) as bench:
            reference = undisturbed(bench)
            whole = whole or reference.cases(share.kind)
            waiting = share.of(whole) if waiting is None else waiting
            while waiting and bench.world.dump() == bench.start:
                case = waiting.pop()
                found = play(bench, reference, case)
                failures += [f"{case}: {line}" for line in found]
    played = len(share.of(whole))
    return Played(share.kind, played, len(whole), tuple(failures))


def play_matrix(
    folder: Path,
    *,
    seed: int,
    fraction: float,
    kinds: Iterable[str] = tuple(KINDS),
    parts: int = 2,
) -> list[Played]:
    """Play a seeded fraction of all cases, in several processes at once."""
    shares = [
        Share(kind, seed, fraction, part, parts)
        for part in range(parts)
        for kind in kinds
    ]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        return list(pool.map(play_share, shares, [folder] * len(shares)))

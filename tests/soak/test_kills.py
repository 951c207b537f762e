"""Resets, 503 and kills at every request: all cases.

`make soak NAME=test_kills`; what a run found goes to docs/soak/.
"""

from __future__ import annotations

from pathlib import Path

from tests.integration.fault_matrix import play_matrix
from tests.soak.conftest import Counted

SEED = 1


def test_kills(tmp_path: Path, counted: Counted) -> None:
    """As the third that continuous integration plays, and whole."""
    played = play_matrix(tmp_path, seed=SEED, fraction=1, parts=4)
    cases = sum(share.count for share in played)
    failures = [line for share in played for line in share.failures]
    counted(cases, SEED)
    assert failures == []
    assert cases == sum({share.kind: share.whole for share in played}.values())

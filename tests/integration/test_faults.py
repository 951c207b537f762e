"""Resets, 503 and kills at every request: a seeded third of all cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.fault_matrix import play_matrix

SEED = 20261125
# Further senders add a few requests to "secret": those have a test of their own.
KINDS = ("secret", "certificate", "app-rbac")


@pytest.mark.ci
def test_a_run_that_was_disturbed_ends_as_any_other(tmp_path: Path) -> None:
    """The same command again: same tenant, same record's tale, same rollback."""
    played = play_matrix(tmp_path, seed=SEED, fraction=1 / 3, kinds=KINDS)
    assert [line for share in played for line in share.failures] == []
    assert {share.kind for share in played} == set(KINDS)
    for kind in KINDS:
        shares = [share for share in played if share.kind == kind]
        assert len({share.whole for share in shares}) == 1
        assert shares[0].whole > 400
        assert sum(share.count for share in shares) == round(shares[0].whole / 3)

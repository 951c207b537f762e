"""A tenant that is visited again after waiting: what each visit is known by."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from runbook_lib.batch import forking
from runbook_lib.batch.forking import DirectEngine
from runbook_lib.batch.processes import Process
from runbook_lib.cli import main
from tests.batch.world import Many
from tests.integration.world import running


def test_a_visit_that_never_began_is_not_taken_for_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its process dies before it reads its request: the attempt was cut off."""
    start, visits = DirectEngine.start, Counter[str]()

    def start_or_die(engine: DirectEngine, request: dict[str, Any]) -> Process:
        visits[request["journal"]] += 1
        if visits[request["journal"]] != 2:
            return start(engine, request)
        with mock.patch.object(forking, "send"):
            process = start(engine, request)
        os.kill(process.pid, signal.SIGKILL)
        return process

    with running(tmp_path) as world:
        there = Many(world, world.tenant_file.parent)
        dying = mock.patch.object(DirectEngine, "start", start_or_die)
        with dying, pytest.raises(SystemExit):
            main(there.command("--json", mode="apply"), standalone_mode=False)
        assert set(visits.values()) == {2}
        lines = [(line["line"], line.get("ended")) for line in there.ledger()]
        assert ("interrupted", "died") in lines
        assert [line for line, _ in lines].count("closed") == 0
        assert "before the first cell" in capsys.readouterr().out
        resumed = there.batch("--resume", mode="apply")
    (tenant,) = resumed.tenants.values()
    assert (tenant["result"], tenant["attempt"]) == ("incomplete", 2)

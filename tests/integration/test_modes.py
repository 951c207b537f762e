"""Plan, apply, verify and rollback, judged by the sandbox's own log and dump."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from runbook_lib.cli.execution import execute
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.engine.chain import Event
from runbook_lib.evidence.close import Closed
from tests.integration.world import NOTEBOOK, World, events, step_ends


def run(world: World, mode: str, **parameters: str) -> Closed:
    """Run the notebook through papermill and close its record."""
    return execute(find_notebook(NOTEBOOK), world.given(mode, **parameters))


def test_all_modes(world: World) -> None:
    """One tenant through plan, apply, apply again, verify and rollback."""
    before = world.dump()
    plan = run(world, "plan")
    assert (plan.result, plan.exit_code) == ("succeeded", 4)
    assert world.writes() == []
    assert world.dump() == before

    apply = run(world, "apply")
    assert (apply.result, apply.exit_code) == ("incomplete", 3)
    assert_apply_did_what_plan_said(plan, apply)
    assert_begun_before_written(world, apply)
    assert_private(world, apply)
    applied = world.dump()
    assert applied != before
    written = len(world.writes())

    late = {"evidence": world.evidence(apply), "completes": apply.folder.name}
    again = run(world, "apply", **late)
    assert (again.result, again.exit_code) == ("succeeded", 0)
    verify = run(world, "verify", **late)
    assert (verify.result, verify.exit_code) == ("succeeded", 0)
    assert len(world.writes()) == written
    assert world.dump() == applied

    back = run(world, "rollback", record=apply.folder.name)
    assert (back.result, back.exit_code) == ("rolled back", 0)
    assert world.dump() == before
    assert not any(world.sink.iterdir())


def assert_apply_did_what_plan_said(plan: Closed, apply: Closed) -> None:
    """Compare the plan's rows with what apply changed: steps, action, expected."""
    rows = json.loads((plan.folder / "plan.json").read_text("utf-8"))["rows"]
    planned = {
        row["step"]: (row["action"], sorted(row["expected"]))
        for row in rows
        if row["action"] in ("create", "update")
    }
    done = {
        event["step"]: (event["action"], sorted(cast("Event", event["expected"])))
        for event in events(apply)
        if event["event"] == "step.begin" and event["action"] in ("create", "update")
    }
    ends = step_ends(apply)
    assert all(ends[str(step)]["outcome"] in ("changed", "ok") for step in done)
    assert done == planned


def assert_begun_before_written(world: World, apply: Closed) -> None:
    """Each write of the log is later than its step's begin in the record."""
    begun = {
        str(e["step"]): str(e["time"])
        for e in events(apply)
        if e["event"] == "step.begin"
    }
    ended = {
        str(e["step"]): str(e["time"])
        for e in events(apply)
        if e["event"] == "step.end"
    }
    changed = [s for s, e in step_ends(apply).items() if e["outcome"] == "changed"]
    times = [entry["time"] for entry in world.writes()]
    for step in changed:
        assert any(begun[step] <= time <= ended[step] for time in times), step
    first = min(begun[step] for step in changed)
    assert all(time >= first for time in times)


def assert_private(world: World, apply: Closed) -> None:
    """Nobody but the owner reads records, ledger and secrets."""
    for path in [*apply.folder.rglob("*"), *world.sink.iterdir(), apply.folder]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert (world.outputs / "ledger.ndjson").stat().st_mode & 0o077 == 0
    assert leftovers(world.outputs) == []


def leftovers(outputs: Path) -> list[Path]:
    """Return files of a tenant's folder that belong to no record."""
    return [p for p in outputs.glob("*/*") if p.is_file() or p.name.startswith(".")]

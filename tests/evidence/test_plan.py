"""plan.json: rows that rebuild steps, and a digest that says what was decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook_lib.engine.chain import Event
from runbook_lib.engine.record import Record
from runbook_lib.engine.step import Mode
from runbook_lib.evidence.plan import ROW, digest_of, plan_of
from tests.evidence.sample import CHANGED, TENANT, end, fill, open_record

REFERENCE = {"known after apply": "register-application.appId"}
PARAMETERS = {"tenant": "contoso.yaml", "product": "ecc", "mode": "plan"}


def planned(outputs: Path, run: str = "plan", **header: object) -> Record:
    """Return the closed record of a good plan run."""
    record = open_record(outputs, run, mode=Mode.PLAN, header=header)
    fill(record, mode=Mode.PLAN)
    record.close()
    return record


def test_rows_hold_what_rebuilds_a_step(tmp_path: Path) -> None:
    """Every step has one row, in the order of the runbook."""
    rows = plan_of(planned(tmp_path).events)["rows"]
    assert isinstance(rows, list)
    assert [row["step"] for row in rows] == [
        "sender-mailbox",
        CHANGED,
        "sign-in-to-smtp",
    ]
    assert all(tuple(row) == ROW for row in rows)
    assert (rows[1]["action"], rows[1]["outcome"]) == ("update", "planned")
    assert rows[1]["inputs"] == {"mailbox": "sap@contoso.com"}


def test_references_stay_unresolved(tmp_path: Path) -> None:
    """A row shows what is known only after apply as such."""
    record = open_record(tmp_path, mode=Mode.PLAN)
    end(record, CHANGED, "planned", mode=Mode.PLAN, inputs={"app_id": REFERENCE})
    record.close()
    rows = plan_of(record.events)["rows"]
    assert isinstance(rows, list)
    assert rows[0]["inputs"] == {"app_id": REFERENCE}


def test_two_runs_of_one_plan_have_one_digest(tmp_path: Path) -> None:
    """Run id, time and what only says how to run do not count."""
    first = planned(tmp_path, "first")
    how = {"run_id": "other", "outputs": "x", "wait": "5", "tenant": "elsewhere.yaml"}
    second = planned(tmp_path, "second", parameters={**PARAMETERS, **how})
    assert plan_of(first.events)["digest"] == plan_of(second.events)["digest"]


@pytest.mark.parametrize(
    "header",
    [
        {"parameters": {**PARAMETERS, "product": "s4-onprem"}},
        {"parameters": {**PARAMETERS, "application_name": "Other"}},
        {"tenant": {**TENANT, "tenant_id": "99999999-2222-3333-4444-555555555555"}},
        {"tenant": {**TENANT, "cloud": "china"}},
        {"tenant": {**TENANT, "target": "real"}},
        {"digests": {"catalogue": "e" * 64, "library": "d" * 64}},
    ],
)
def test_what_decides_changes_the_digest(
    tmp_path: Path, header: dict[str, object]
) -> None:
    """Tenant, cloud, target, parameters and the code's digests all count."""
    first, second = planned(tmp_path, "a"), planned(tmp_path, "b", **header)
    assert plan_of(first.events)["digest"] != plan_of(second.events)["digest"]


@pytest.mark.parametrize("field", ROW)
def test_every_field_of_a_row_changes_the_digest(tmp_path: Path, field: str) -> None:
    """No part of a row is left out."""
    plan = plan_of(planned(tmp_path).events)
    rows = plan["rows"]
    assert isinstance(rows, list)
    rows[1][field] = "other"
    assert digest_of(plan) != plan["digest"]


def test_good_plan_is_approvable(tmp_path: Path) -> None:
    """Planned, ok and skipped rows say what apply would do."""
    record = planned(tmp_path)
    plan = plan_of(record.events)
    assert (plan["approvable"], plan["reason"]) == (True, None)


def _failed(record: Record) -> None:
    end(record, "sender-mailbox", "failed", mode=Mode.PLAN)


def _could_not_look(record: Record) -> None:
    end(record, "sender-mailbox", "error", mode=Mode.PLAN)


def _blocked(record: Record) -> None:
    end(record, "sign-in-to-smtp", "blocked", mode=Mode.PLAN)


def _refused(record: Record) -> None:
    record.append("run.refused", mode=Mode.PLAN, problem="no", remedy=None)


def _leaked(record: Record) -> None:
    record.append("leak.found", mode=Mode.PLAN, file="notebook.ipynb")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_failed, "Sender mailbox exists: failed"),
        (_could_not_look, "Sender mailbox exists: error"),
        (_blocked, "Sign in to SMTP with OAuth 2.0: blocked"),
        (_refused, "the run was refused"),
        (_leaked, "the record held a credential"),
    ],
)
def test_spoiled_plan_is_not_approvable(
    tmp_path: Path, spoil: Callable[[Record], None], reason: str
) -> None:
    """The reason names the step, or what happened to the run."""
    record = fill(open_record(tmp_path, mode=Mode.PLAN), mode=Mode.PLAN)
    spoil(record)
    record.close()
    plan = plan_of(record.events)
    assert (plan["approvable"], plan["reason"]) == (False, reason)


def test_step_not_reached_is_not_approvable(tmp_path: Path) -> None:
    """A plan that stopped half-way is no plan."""
    record = open_record(tmp_path, mode=Mode.PLAN)
    end(record, "sender-mailbox", "ok", mode=Mode.PLAN)
    record.close()
    events: tuple[Event, ...] = record.events
    assert (
        plan_of(events)["reason"] == "Activate SMTP AUTH for the mailbox: not reached"
    )


def test_plan_without_a_step_is_not_approvable(tmp_path: Path) -> None:
    """Nothing looked at is nothing to approve."""
    record = open_record(tmp_path, mode=Mode.PLAN, header={"steps": []})
    record.close()
    assert plan_of(record.events)["reason"] == "no step was planned"

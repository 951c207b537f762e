"""plan.json: what an apply run would do, and the digest that an approval signs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import cast

from runbook_lib.engine.chain import Event, encode
from runbook_lib.engine.history import ends, header
from runbook_lib.engine.step import Outcome

PLAN = "plan.json"
SCHEMA = 1

# These say how a run is made, not what it does to the tenant: another run may
# give others and still carry out the plan. The tenant file is a path; what it
# decides is covered as tenant ID, cloud, target and the inputs of the rows.
NOT_COVERED = frozenset(
    {
        "evidence",
        "completes",
        "mode",
        "outputs",
        "probe",
        "record",
        "run_id",
        "tenant",
        "wait",
    }
)
ROW = (
    "step",
    "class",
    "version",
    "title",
    "inputs",
    "before",
    "expected",
    "action",
    "outcome",
)
APPROVABLE = frozenset({Outcome.OK, Outcome.PLANNED, Outcome.SKIPPED})


def plan_of(events: Sequence[Event]) -> dict[str, object]:
    """Return the plan of a plan run as a JSON object.

    `rows` stand in the order of the runbook; a row rebuilds its step, with
    references to earlier steps unresolved. `reason` says why the plan cannot
    be approved, or is null.
    """
    first = header(events)
    reason = why_not_approvable(events)
    covered = _covered(first, _rows(events))
    return {
        "schema": SCHEMA,
        "run": first["run"],
        "notebook": first.get("notebook"),
        **covered,
        "digest": digest_of(covered),
        "approvable": reason is None,
        "reason": reason,
    }


def plan_text(events: Sequence[Event]) -> str:
    """Return plan.json of a plan run, to the byte."""
    return json.dumps(plan_of(events), indent=2, ensure_ascii=False) + "\n"


def _covered(first: Event, rows: list[dict[str, object]]) -> dict[str, object]:
    tenant = cast("Mapping[str, object]", first["tenant"])
    parameters = cast("Mapping[str, object]", first.get("parameters") or {})
    return {
        "tenant_id": tenant["tenant_id"],
        "cloud": tenant["cloud"],
        "target": tenant["target"],
        "parameters": {k: v for k, v in parameters.items() if k not in NOT_COVERED},
        "digests": first.get("digests") or {},
        "rows": rows,
    }


def _rows(events: Sequence[Event]) -> list[dict[str, object]]:
    """Return the steps that ended, in the runbook's order, unlisted ones last."""
    listed = cast("list[Event]", header(events).get("steps") or [])
    order = {str(step["step"]): place for place, step in enumerate(listed)}
    ended = ends(events)
    names = sorted(ended, key=lambda name: order.get(name, len(order)))
    return [{field: ended[name].get(field) for field in ROW} for name in names]


def digest_of(plan: Mapping[str, object]) -> str:
    """Return the SHA-256 over what a plan decides: no time, no run id.

    Covered are the tenant ID, the cloud, the target, the parameters that bear
    on the tenant, the digests of what made the plan, and all rows.
    """
    fields = ("tenant_id", "cloud", "target", "parameters", "digests", "rows")
    covered = encode({"schema": SCHEMA, **{name: plan[name] for name in fields}})
    return hashlib.sha256(covered).hexdigest()


def why_not_approvable(events: Sequence[Event]) -> str | None:
    """Return why nobody may approve the plan, or None.

    A plan with a step that failed, could not look, was blocked or was not
    reached does not say what apply would do.
    """
    kinds = {event["event"] for event in events}
    if "leak.found" in kinds:
        return "the record held a credential"
    if "run.refused" in kinds:
        return "the run was refused"
    ended = ends(events)
    listed = cast("list[Event]", header(events).get("steps") or [])
    for step in listed:
        if step["step"] not in ended:
            return f"{step['title']}: not reached"
    for end in ended.values():
        if end["outcome"] not in APPROVABLE:
            return f"{end['title']}: {end['outcome']}"
    return None if ended else "no step was planned"

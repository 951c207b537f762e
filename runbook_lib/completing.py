"""The closed run that another one completes with late evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from runbook_lib.engine.chain import digest, encode, read_chain
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.record import EVENTS, begun
from runbook_lib.engine.result import result
from runbook_lib.errors import Refused
from runbook_lib.tenant import Tenant


def completed(
    folder: Path, run: str, notebook: str, tenant: Tenant
) -> dict[str, str] | None:
    """Return run id, result and chain head of the run to complete; None without one.

    `folder` holds the tenant's records. The run whose marker messages carry has
    to be there, closed, of the same notebook and of the same tenant: otherwise
    evidence of anything could be handed in under its name.

    Raises:
        Refused: there is no such run, or it is another's, or still open.
        RecordBroken: its record does not hold.
    """
    if not run:
        return None
    if not begun(folder / run):
        raise _refused(run, "is not among the records of this tenant")
    events = read_chain(folder / run / EVENTS).events
    first = header(events)
    declared = cast("Mapping[str, object]", first["tenant"])
    if first["notebook"] != notebook:
        raise _refused(run, f"is of the notebook {first['notebook']}")
    if declared["tenant_id"] != str(tenant.tenant_id):
        raise _refused(run, "is of another tenant")
    if closed(events) is None:
        raise _refused(run, "is still open")
    head = digest(encode(events[-1]))
    return {"run": run, "result": str(result(events)), "head": head}


def _refused(run: str, why: str) -> Refused:
    return Refused(
        f"completes: run {run} {why}",
        remedy="Name the closed run whose marker the message carries, and give the "
        "same outputs; an open run is closed by runbook seal, or goes on by run_id.",
    )

"""The record of a batch: `outputs/batches/<id>/`, of the same form as a run's.

run.opened     kind: batch; notebook, mode, parameters, the tenants and the
               names of their runs, limits, and what could not be used
tenant.started tenant, tenant_run, attempt, visit, engine
tenant.waits   tenant, tenant_run, seconds
tenant.ended   what became of it, with the digest of its SHA256SUMS
engine.changed engine, why
run.resumed    after the process that ran the batch was killed
run.closed     result, exit code, counts
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Self, cast

from runbook_lib import opening
from runbook_lib.batch.closing import CLOSER
from runbook_lib.batch.ends import End
from runbook_lib.batch.members import BATCHES, Member
from runbook_lib.batch.outcomes import Outcome, unusable
from runbook_lib.batch.plan import BatchPlan
from runbook_lib.batch.summary import summary_csv, summary_html
from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import header
from runbook_lib.engine.record import EVENTS, Record, utc_now
from runbook_lib.engine.result import result_of, worst
from runbook_lib.evidence.files import write_whole
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.evidence.quarantine import search_record
from runbook_lib.evidence.sums import write_sums
from runbook_lib.secret import Mask

KIND = "batch"
CSV, HTML = "summary.csv", "summary.html"


class BatchRecord:
    """Writes what happens in a batch, and closes its record."""

    def __init__(self, record: Record, ledger: Ledger) -> None:
        """Take over an open record; use `create` or `reopen`."""
        self._record = record
        self._ledger = ledger

    @property
    def folder(self) -> Path:
        """Return the folder of the record."""
        return self._record.folder

    @property
    def run(self) -> str:
        """Return the id of the batch."""
        return self._record.run

    @property
    def events(self) -> tuple[Event, ...]:
        """Return the events so far."""
        return self._record.events

    @classmethod
    def create(cls, folder: Path, plan: BatchPlan, ledger: Ledger) -> Self:
        """Begin the record of a batch."""
        head = ledger.head()
        ledger.opened(folder.name, BATCHES)
        record = cls(Record.create(folder, mask=Mask()), ledger)
        record._record.append(
            "run.opened", mode=plan.parameters["mode"], **_declared(plan, head)
        )
        for item in plan.broken:
            record.ended(unusable(item))
        return record

    @classmethod
    def reopen(cls, folder: Path, ledger: Ledger) -> Self:
        """Go on with the record of a batch whose process was killed, or stopped."""
        record = cls(Record.reopen(folder, mask=Mask()), ledger)
        if record.events[-1]["event"] != "batch.stopped":
            number = sum(event["event"] == "run.resumed" for event in record.events)
            ledger.interrupted(record.run, BATCHES, str(number + 1), str(End.DIED))
        record._append("run.resumed")
        return record

    def started(self, member: Member, attempt: int, visit: int, engine: str) -> None:
        """Write that a tenant's process begins, before it does."""
        self._append(
            "tenant.started",
            **_named(member),
            attempt=attempt,
            visit=visit,
            engine=engine,
        )

    def waits(self, member: Member, seconds: float) -> None:
        """Write that a tenant waits for replication."""
        self._append("tenant.waits", **_named(member), seconds=round(seconds, 3))

    def ended(self, outcome: Outcome) -> None:
        """Write what became of a tenant."""
        self._append("tenant.ended", **outcome.fields())

    def changed_engine(self, engine: str, why: str) -> None:
        """Write that another engine runs the rest, and why."""
        self._append("engine.changed", engine=engine, why=why)

    def write_summaries(self) -> None:
        """Write summary.html and summary.csv from the events."""
        events = self._record.events
        write_whole(self.folder / HTML, summary_html(events, outcomes(events)).encode())
        write_whole(self.folder / CSV, summary_csv(outcomes(events)).encode())

    def close(self) -> None:
        """Close the record in the order of a run's: events, files, sums, ledger."""
        self._record = search_record(
            self._record, mode=mode_of(self.events), clock=utc_now
        )
        found = outcomes(self.events)
        code = exit_code(self.events)
        self._append(
            "run.closed",
            result=str(result_of(code)),
            exit_code=code,
            outcomes=dict(sorted(Counter(o.end for o in found).items())),
            kernel={"ended": "finished"},
            notebook=None,
            closer=CLOSER,
            leak_search="patterns",
            disclosed=[],
        )
        self._record.close()
        complete(self.folder, self._ledger)

    def release(self) -> None:
        """Leave the record open, with summaries of what there is."""
        self._append("batch.stopped")
        self.write_summaries()
        self._record.close()

    def _append(self, event: str, **fields: object) -> None:
        self._record.append(event, mode=mode_of(self.events), **fields)


def complete(folder: Path, ledger: Ledger) -> None:
    """Write the summaries, the sums and the ledger line of a closed batch."""
    events = read_chain(folder / EVENTS).events
    write_whole(folder / HTML, summary_html(events, outcomes(events)).encode())
    write_whole(folder / CSV, summary_csv(outcomes(events)).encode())
    digest = write_sums(folder)
    ledger.closed(folder.name, BATCHES, digest, str(events[-1]["result"]))


def outcomes(events: Sequence[Event]) -> list[Outcome]:
    """Return what became of each tenant, the last word of each, in the order asked.

    A tenant of which nothing is known did not run.
    """
    said = {
        str(event["tenant"]): Outcome.of_event(event)
        for event in events
        if event["event"] == "tenant.ended"
    }
    first = header(events)
    missing = {
        member["name"]: Outcome(
            tenant=member["name"],
            tenant_id=member["tenant_id"],
            run=member["run"],
            file=member["file"],
            end=str(End.NOT_RUN),
            exit_code=3,
        )
        for member in cast("list[dict[str, str]]", first["members"])
    }
    return list({**missing, **said}.values())


def attempts(events: Iterable[Event]) -> dict[str, int]:
    """Return how often each tenant was begun anew; its visits count once."""
    numbers: dict[str, int] = {}
    for event in events:
        if event["event"] == "tenant.started":
            numbers[str(event["tenant"])] = int(str(event["attempt"]))
    return numbers


def exit_code(events: Sequence[Event]) -> int:
    """Return that of the worst tenant."""
    return worst(outcome.exit_code for outcome in outcomes(events))


def mode_of(events: Sequence[Event]) -> str:
    """Return the mode of a batch."""
    return str(header(events)["mode"])


def _named(member: Member) -> dict[str, object]:
    return {"tenant": member.name, "tenant_run": member.run}


def _declared(plan: BatchPlan, head: str | None) -> dict[str, object]:
    limits = plan.limits
    return {
        "kind": KIND,
        "notebook": plan.name,
        "title": f"Batch: {plan.name}",
        "tenant": {"name": BATCHES},
        "members": [
            {
                "name": member.name,
                "tenant_id": member.tenant_id,
                "run": member.run,
                "file": str(member.file),
            }
            for member in plan.members
        ],
        "parameters": dict(plan.given),
        "asked_engine": plan.engine,
        "limits": dict(vars(limits)),
        "digests": {"notebook": plan.sha256, "library": opening.library_digest()},
        "library": version("sap-exchange-runbooks"),
        "closer": CLOSER,
        "ledger_head": head,
    }

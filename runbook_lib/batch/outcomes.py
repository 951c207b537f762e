"""What became of a tenant in a batch, and what a batch comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, cast

from runbook_lib.batch.ends import INTERRUPTED, End
from runbook_lib.batch.members import Broken, Member
from runbook_lib.engine.result import EXIT_CODES, Result
from runbook_lib.errors import InputError, Refused

BAD = frozenset({2, 6, 5, 1})


@dataclass(frozen=True)
class Outcome:
    """What became of one tenant.

    `result` is that of its run, or None where there is no closed record.
    `actions` counts the rows of its plan by what they would do; `plan_digest`
    is what an approval signs. `sums` is the digest of its SHA256SUMS.
    """

    tenant: str
    file: str
    end: str
    exit_code: int
    tenant_id: str = ""
    run: str = ""
    result: str | None = None
    outcomes: Mapping[str, int] = field(default_factory=dict)
    actions: Mapping[str, int] = field(default_factory=dict)
    plan_digest: str | None = None
    sums: str | None = None
    problem: str | None = None
    attempt: int = 0
    visits: int = 0
    engine: str | None = None

    @property
    def bad(self) -> bool:
        """Tell whether it counts as a failure: so does a notebook that raised."""
        return self.exit_code in BAD or self.end == End.FAILED

    @property
    def final(self) -> bool:
        """Tell whether resuming the batch has nothing to do for the tenant."""
        return self.end not in UNFINISHED

    def fields(self) -> dict[str, object]:
        """Return it as an event has it, whose own `run` is the batch."""
        fields = asdict(self)
        run = fields.pop("run")
        return {**fields, "tenant_run": run}

    @classmethod
    def of_event(cls, event: Mapping[str, object]) -> Self:
        """Read it from an event."""
        names = cls.__dataclass_fields__.keys() - {"run"}
        known = {name: event[name] for name in names}
        return cls(**cast("dict[str, Any]", {**known, "run": event["tenant_run"]}))


UNFINISHED = frozenset({*INTERRUPTED, End.NOT_RUN})


def cut_off(member: Member, end: End, **known: Any) -> Outcome:
    """Return the outcome of a tenant whose attempt was cut off, or never began."""
    code = EXIT_CODES[Result.INCOMPLETE]
    if end in (End.DIED, End.TIMED_OUT):
        code = EXIT_CODES[Result.FAILED]
    return _of(member, end, code, **known)


def refused(member: Member, error: Exception, code: int, **known: Any) -> Outcome:
    """Return the outcome of a tenant whose run could not be opened."""
    return _of(member, End.FAILED, code, problem=str(error), **known)


def unusable(item: Broken) -> Outcome:
    """Return the outcome of a tenant file that cannot be used."""
    return Outcome(
        tenant=item.file.stem,
        file=str(item.file),
        end=str(End.FAILED),
        exit_code=item.error.exit_code
        if isinstance(item.error, Refused)
        else InputError.exit_code,
        problem=item.error.message,
    )


def _of(member: Member, end: End, code: int, **known: Any) -> Outcome:
    return Outcome(
        tenant=member.name,
        file=str(member.file),
        tenant_id=member.tenant_id,
        run=member.run,
        end=str(end),
        exit_code=code,
        **known,
    )


def ran(member: Member, end: End, code: int, result: str, **known: Any) -> Outcome:
    """Return the outcome of a tenant whose record is closed."""
    return _of(member, end, code, result=result, **known)

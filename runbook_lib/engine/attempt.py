"""One pass over the steps of a run: what a step's performance has at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from runbook_lib.engine.chain import Event
from runbook_lib.engine.codec import describe
from runbook_lib.engine.expect import State, met, plain
from runbook_lib.engine.record import Record
from runbook_lib.engine.step import Action, Mode, Observation, Outcome, Step
from runbook_lib.errors import (
    NotPermitted,
    OutcomeUnknown,
    RunbookError,
    ServiceRefused,
    Unreachable,
    UntrustedCertificate,
)

if TYPE_CHECKING:  # the clients: closing and audit do without them
    from runbook_lib.session import Session

# After these a write surely did not happen: it was refused, or never sent.
NOTHING_WRITTEN = (ServiceRefused, NotPermitted, Unreachable, UntrustedCertificate)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


@dataclass(frozen=True)
class Attempt:
    """Session, record and mode of one pass.

    `wait` is how many seconds a headless run waits for replication of an
    effect before it records `pending`. `sleep` and `monotonic` are the clock
    for waiting; a panel replaces `sleep` to show progress.
    """

    session: Session
    record: Record
    mode: Mode
    wait: float = 120
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def begin(
        self, step: Step, resolved: Step, before: State, action: Action | None
    ) -> None:
        """Put on disk what is about to happen, before it happens."""
        self.record.append(
            "step.begin",
            mode=self.mode,
            **describe(step),
            resolved=describe(resolved)["inputs"],
            before=plain(before),
            expected=plain(resolved.expect()),
            action=action,
        )

    def refused(self, step: Step, error: RunbookError, **named: str) -> None:
        """Put on disk that what was begun did not happen, or one message of it."""
        self.record.append(
            "step.refused",
            mode=self.mode,
            step=step.id,
            problem=error.message,
            **named,
        )

    def still_to_show(self, begin: Event) -> float:
        """Return for how many seconds more something begun then may not show yet."""
        begun = datetime.fromisoformat(str(begin["time"]))
        passed = (self.session.now() - begun).total_seconds()
        return self.session.tenant.windows.visibility - passed

    def pauses(self, seconds: float) -> Pauses:
        """Return growing pauses that end after that many seconds."""
        return Pauses(self, self.monotonic() + seconds, FIRST_PAUSE)


@dataclass
class Pauses:
    """Growing pauses until a deadline."""

    attempt: Attempt
    deadline: float
    length: float

    def again(self) -> bool:
        """Pause and return True, or return False once the deadline has passed."""
        left = self.deadline - self.attempt.monotonic()
        if left <= 0:
            return False
        self.attempt.sleep(min(self.length, left))
        self.length = min(self.length * 2, LONGEST_PAUSE)
        return True


@dataclass(frozen=True)
class Ending:
    """How a step ends, ready to be written as `step.end`."""

    outcome: Outcome
    expected: State
    before: State = field(default_factory=dict)
    after: State = field(default_factory=dict)
    action: Action | None = None
    context: State = field(default_factory=dict)
    problem: str | None = None
    remedy: str | None = None
    remedy_id: str | None = None
    advice: str | None = None
    vantage: str | None = None
    reason: str | None = None
    confirmed: str | None = None
    until: str | None = None
    facts: State = field(default_factory=dict)
    attested: State | None = None
    measured: State | None = None
    service: str | None = None

    @classmethod
    def of(
        cls, outcome: Outcome, step: Step, seen: Observation, **fields: object
    ) -> Ending:
        """Return an ending that shows what was observed."""
        known: dict[str, object] = {
            "expected": step.expect(),
            "before": seen.properties,
            "after": seen.properties,
            "context": seen.context,
            "advice": seen.advice,
            "vantage": seen.vantage,
            "facts": seen.facts,
            "service": seen.service,
            **fields,
        }
        return cls(outcome, **known)  # type: ignore[arg-type]

    def fields(self) -> dict[str, object]:
        """Return the fields of the event; unset ones are left out."""
        kept = {k: plain(v) for k, v in vars(self).items() if v not in (None, {})}
        return {"before": {}, "after": {}, **kept}


def settle(
    attempt: Attempt, step: Step, wanted: State, seconds: float | None = None
) -> Observation:
    """Observe until the state is as wanted or the visibility window has passed.

    Entra ID and Exchange Online replicate: a read right after a write may show
    the old state. `seconds` is what is left of the window, if not all of it.
    Returns the last observation.
    """
    window = attempt.session.tenant.windows.visibility
    pauses = attempt.pauses(window if seconds is None else seconds)
    while True:
        try:
            seen = step.observe(attempt.session)
        except ServiceRefused as refusal:
            if step.explains(refusal) and pauses.again():
                continue
            raise
        if met(wanted, seen.properties) or not pauses.again():
            return seen


def write(
    attempt: Attempt, step: Step, send: Callable[[], None], wanted: State
) -> str | None:
    """Send a write once; again only if it was refused or surely did not happen.

    A refusal that is a known symptom of replication is tried again within the
    visibility window. After an unknown outcome the tenant is observed for that
    window first. Returns `observed` where the write was confirmed only so.
    """
    pauses = attempt.pauses(attempt.session.tenant.windows.visibility)
    unknown = 0
    while True:
        try:
            send()
        except OutcomeUnknown:
            if met(wanted, settle(attempt, step, wanted).properties):
                return "observed"
            unknown += 1
            if unknown == 3:
                raise
            # Looking took the window: what is sent now has one of its own.
            pauses = attempt.pauses(attempt.session.tenant.windows.visibility)
        except NOTHING_WRITTEN as error:
            lagging = isinstance(error, ServiceRefused) and step.explains(error)
            if lagging and pauses.again():
                continue
            if not unknown:
                attempt.refused(step, error)
            raise
        else:
            return None

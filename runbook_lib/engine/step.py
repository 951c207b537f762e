"""Steps: frozen values that say what is expected, observed, and how to get there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from runbook_lib.engine.evidence import Evidence as Evidence
from runbook_lib.engine.evidence import Measured as Measured
from runbook_lib.engine.expect import KnownAfterApply, State
from runbook_lib.engine.naming import kebab, titled
from runbook_lib.errors import RunbookError, ServiceRefused

if TYPE_CHECKING:  # the clients: closing and audit do without them
    from runbook_lib.session import Session


class Mode(StrEnum):
    """What a run may do."""

    PLAN = "plan"
    APPLY = "apply"
    VERIFY = "verify"
    ROLLBACK = "rollback"


class Outcome(StrEnum):
    """How a step ended. `failed`: we looked; `error`: we could not look."""

    OK = "ok"
    CHANGED = "changed"
    PLANNED = "planned"
    PENDING = "pending"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    FAILED = "failed"
    ERROR = "error"
    REVERTED = "reverted"


Action = Literal["create", "update", "delete", "no-op", "manual", "adopt"]


@dataclass(frozen=True)
class Awaited:
    """What a person has to do before a Check can pass, in one sentence.

    `planned` says it in a plan, where what the run itself decides is not known.
    `due` says that it was done, so that only the service's delay is waited for.
    """

    sentence: str
    planned: str | None = None
    due: bool = False


@dataclass(frozen=True)
class Observation:
    """What was seen: the properties that the step owns, and what stands beside.

    `properties` hold the service's own names; a property that is absent counts
    as null. `context` is shown and never compared or written. `exists` is
    false where the object itself is missing, so that the change is a `create`.
    `adopt` marks an object of the planned name that this project did not make.
    `vantage` says from where a network fact was seen. `facts` go to the record
    and are not shown in the notebook: times, digests, dialogues. `service` names
    the interface of the customer's own system that showed the properties, in whole
    or in part. A Check with `awaits` that is not met is pending, and planned in plan
    mode.
    """

    properties: State
    context: State = dataclasses.field(default_factory=dict)
    exists: bool = True
    adopt: bool = False
    advice: str | None = None
    vantage: str | None = None
    facts: State = dataclasses.field(default_factory=dict)
    service: str | None = None
    awaits: Awaited | None = None


class NotAsExpected(RunbookError):
    """A step looked and found something that no write may repair.

    `remedy_id` is an anchor of docs/troubleshooting.md.
    """

    def __init__(
        self, message: str, *, remedy: str, remedy_id: str, facts: State | None = None
    ) -> None:
        """Keep the sentence, the remedy and what was seen."""
        super().__init__(message, remedy=remedy)
        self.remedy_id = remedy_id
        self.facts = dict(facts or {})


class Waits(RunbookError):
    """A step waits for a person or another system; `remedy_id` as above."""

    def __init__(self, message: str, *, remedy: str, remedy_id: str) -> None:
        """Keep the sentence and what ends the waiting."""
        super().__init__(message, remedy=remedy)
        self.remedy_id = remedy_id


class NothingToDo(RunbookError):
    """A step does not apply here; `reason` is one of the design's skip reasons."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the reason and the sentence."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Step:
    """One unit of the guide: its fields are its inputs.

    `title` is the guide's heading, `guide` its anchor. `key` names the field
    whose value is part of the step id, for steps used more than once.
    `requires` lists the step ids that must be ok, changed or planned first,
    beside those that its inputs refer to. `remedies` maps a service's error
    code, or the name of an unmet property, to an anchor of
    docs/troubleshooting.md.
    """

    kind: ClassVar[str] = "Step"
    title: ClassVar[str]
    guide: ClassVar[str]
    version: ClassVar[int] = 1
    key: ClassVar[str | None] = None
    requires: ClassVar[tuple[str, ...]] = ()
    remedies: ClassVar[Mapping[str, str]] = {}
    replication_symptoms: ClassVar[frozenset[str]] = frozenset()

    @property
    def id(self) -> str:
        """Return the stable id: class name in kebab case, and the key's value."""
        name = kebab(type(self).__name__)
        return f"{name}:{getattr(self, self.key)}" if self.key else name

    @property
    def heading(self) -> str:
        """Return the title; a step with a key says which one it is."""
        return titled(type(self).title, getattr(self, self.key) if self.key else None)

    def applicable(self) -> None:
        """Say by `NothingToDo` that the inputs leave nothing to do; else nothing."""

    def explains(self, refusal: ServiceRefused) -> bool:
        """Tell whether a refusal is a known symptom of replication."""
        details = refusal.facts.get("details")
        codes = {refusal.code, *(details if isinstance(details, list) else [])}
        return bool(codes & self.replication_symptoms)

    def expect(self) -> State:
        """Return the expected properties; never empty."""
        raise NotImplementedError

    def observe(self, session: Session) -> Observation:
        """Read the properties from the tenant, and nothing else."""
        raise NotImplementedError

    def remedy(self, unmet: str, seen: Observation) -> str:
        """Return the remedy id where the property `unmet` is not as expected."""
        return self.remedies.get(unmet, self.id)

    def references(self) -> dict[str, KnownAfterApply]:
        """Return the inputs that an earlier step of the run provides."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {n: v for n, v in values.items() if isinstance(v, KnownAfterApply)}

    def needs(self) -> tuple[str, ...]:
        """Return the step ids that must have gone well before this one."""
        referred = (reference.step for reference in self.references().values())
        return tuple(dict.fromkeys([*self.requires, *referred]))

    def with_inputs(self, **values: object) -> Step:
        """Return the same step with some inputs replaced."""
        changes: dict[str, Any] = dict(values)
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Check(Step):
    """Reads a prerequisite."""

    kind: ClassVar[str] = "Check"


@dataclass(frozen=True)
class Change(Step):
    """Reads, merges and writes; and can go back."""

    kind: ClassVar[str] = "Change"

    def apply(self, session: Session) -> None:
        """Write what is missing. Raises a `CannotLook` if the service refuses."""
        raise NotImplementedError

    def revert(self, session: Session, before: State, after: State) -> None:
        """Undo what this step owns, from the recorded after to the before."""
        raise NotImplementedError

    def clear(self, session: Session, run: str) -> list[str]:
        """Remove what a run may have left that died in `apply`; say what it was."""
        return []

    def tidy(self, session: Session, after: State) -> None:
        """Remove what it put elsewhere than into the tenant, once that is undone."""


@dataclass(frozen=True)
class Probe(Step):
    """Does the real thing once. `effect` says what it leaves behind."""

    kind: ClassVar[str] = "Probe"
    effect: ClassVar[Literal["none", "message", "credential"]] = "none"


@dataclass(frozen=True)
class Attestation(Step):
    """A person acts where there is no API; evidence is what they hand in.

    `observe` is not used: `validate` reads the evidence, which a service of the
    system itself may add to.
    """

    kind: ClassVar[str] = "Attestation"

    def redact(self, session: Session, text: str) -> str:
        """Return a text as it may be stored; a step masks what is personal in it."""
        return text

    def measure(self, session: Session) -> Measured | None:
        """Read what a service shows of it; None where there is none to ask."""
        return None

    def left_out(self) -> str | None:
        """Return what a run without this evidence lacks; None where it is needed."""
        return None

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read what was handed in; contradicting evidence does not meet expect()."""
        raise NotImplementedError

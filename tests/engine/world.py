"""A tenant in memory, its clock, and small steps that act on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, cast

from runbook_lib.engine.attempt import Attempt
from runbook_lib.engine.chain import Event
from runbook_lib.engine.effects import Act, CredentialProbe, MessageProbe
from runbook_lib.engine.expect import KnownAfterApply, State
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.record import Record
from runbook_lib.engine.run import Engine
from runbook_lib.engine.step import (
    Attestation,
    Change,
    Check,
    Evidence,
    Mode,
    NothingToDo,
    Observation,
    Probe,
    Step,
    Waits,
)
from runbook_lib.errors import InputError, OutcomeUnknown, ServiceRefused
from runbook_lib.secret import Mask, Secret
from runbook_lib.session import Session
from runbook_lib.tenant import Windows

LAGGING = "NotThereYet"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one write: the error, and whether it took effect."""

    error: BaseException
    effect: bool = False


def lost(*, effect: bool) -> Fault:
    """Return a write whose answer was lost, with or without its effect."""
    return Fault(OutcomeUnknown("the connection was reset"), effect=effect)


def killed(*, effect: bool) -> Fault:
    """Return a write during which the process dies."""
    return Fault(KeyboardInterrupt(), effect=effect)


def refusal(code: str = "Forbidden") -> Fault:
    """Return a write that the service understood and refused."""
    return Fault(ServiceRefused(f"refused with {code}", code=code))


@dataclass
class World:
    """Values by name; reads may lag behind, writes and reads may fail.

    `lag` is how many reads after a write still show the old values. `faults`
    are the fates of the next writes (None: all is well), `blind` the errors of
    the next reads. `sent` are all writes that were tried. `before_write` is
    called before each, to look at the record. `unready` are the fates of the next
    messages before they go out. The clock moves only in `sleep`.
    `list_lag` is how many lists of what was borrowed show nothing yet.
    `adopt` says that somebody else made what is there.
    """

    values: dict[str, object] = field(default_factory=dict)
    lag: int = 0
    faults: deque[Fault | None] = field(default_factory=deque)
    blind: deque[Exception | None] = field(default_factory=deque)
    sent: list[tuple[str, object]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    tidied: list[str] = field(default_factory=list)
    unready: deque[BaseException] = field(default_factory=deque)
    reads: int = 0
    before_write: Callable[[], object] = lambda: None
    windows: Windows = field(
        default_factory=lambda: Windows(visibility=30, effect=600, trace=300)
    )
    seconds: float = 0
    adopt: bool = False
    list_lag: int = 0
    _old: dict[str, object] = field(default_factory=dict)
    _stale: int = 0

    def read(self, name: str) -> object:
        """Return a value, or the old one while the reads still lag."""
        self.reads += 1
        error = self.blind.popleft() if self.blind else None
        if error is not None:
            raise error
        if self._stale > 0:
            self._stale -= 1
            return self._old.get(name)
        return self.values.get(name)

    def write(self, name: str, value: object) -> None:
        """Set a value, as the next fault allows."""
        self.before_write()
        self.sent.append((name, value))
        fault = self.faults.popleft() if self.faults else None
        if fault is None or fault.effect:
            self._old, self._stale = dict(self.values), self.lag
            self.values[name] = value
        if fault is not None:
            raise fault.error

    def prepare(self) -> None:
        """Make a message ready, or not."""
        if self.unready:
            raise self.unready.popleft()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self.seconds

    def now(self) -> datetime:
        """Return the time."""
        return datetime(2026, 11, 25, 10, tzinfo=UTC) + timedelta(seconds=self.seconds)


def world_of(session: Session) -> World:
    """Return the world behind a session of these tests."""
    return cast("World", cast("Any", session).world)


def session_on(world: World, run: str = "example") -> Session:
    """Return what the engine and these steps use of a session, and no more."""
    tenant = SimpleNamespace(windows=world.windows)
    session = SimpleNamespace(tenant=tenant, run=run, now=world.now, world=world)
    return cast("Session", session)


@dataclass(frozen=True)
class Prerequisite(Check):
    """A value that has to stand already."""

    title: ClassVar[str] = "Prerequisite"
    guide: ClassVar[str] = "prerequisites"
    remedies: ClassVar[Mapping[str, str]] = {"value": "unreachable"}
    name: str = "prerequisite"

    def expect(self) -> State:
        """Return the value."""
        return {"value": "there"}

    def observe(self, session: Session) -> Observation:
        """Read it."""
        return Observation({"value": world_of(session).read(self.name)})


@dataclass(frozen=True)
class Make(Change):
    """One value is set; `made` is an id that exists only afterwards."""

    title: ClassVar[str] = "Make {key}"
    guide: ClassVar[str] = "make"
    key: ClassVar[str | None] = "name"
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({LAGGING})
    name: str
    value: str = "new"

    def expect(self) -> State:
        """Return the value."""
        return {"value": self.value}

    def observe(self, session: Session) -> Observation:
        """Read the value."""
        seen = world_of(session).read(self.name)
        return Observation(
            {"value": seen, "made": None if seen is None else f"id-of-{self.name}"},
            context={"neighbour": world_of(session).values.get("neighbour")},
            exists=seen is not None,
            adopt=world_of(session).adopt,
        )

    def apply(self, session: Session) -> None:
        """Set the value."""
        world_of(session).write(self.name, self.value)

    def revert(self, session: Session, before: State, after: State) -> None:
        """Set the value that stood before."""
        world_of(session).write(self.name, before.get("value"))

    def tidy(self, session: Session, after: State) -> None:
        """Note that it may tidy up now."""
        world_of(session).tidied.append(self.name)


@dataclass(frozen=True)
class BuildOn(Make):
    """A change whose input exists only after another one."""

    title: ClassVar[str] = "Build on"
    key: ClassVar[str | None] = None
    name: str = "upper"
    base: str = "base"


@dataclass(frozen=True)
class MakeBoth(Change):
    """Two values are set, by two writes."""

    title: ClassVar[str] = "Make both"
    guide: ClassVar[str] = "make"

    def expect(self) -> State:
        """Return both values."""
        return {"left": "new", "right": "new"}

    def observe(self, session: Session) -> Observation:
        """Read both."""
        return Observation({n: world_of(session).read(n) for n in self.expect()})

    def apply(self, session: Session) -> None:
        """Set what is not set."""
        self._write(session, self.expect())

    def revert(self, session: Session, before: State, after: State) -> None:
        """Set what stood before, where it does not stand already."""
        self._write(session, before)

    def _write(self, session: Session, wanted: State) -> None:
        for name, value in wanted.items():
            if world_of(session).values.get(name) != value:
                world_of(session).write(name, value)


@dataclass(frozen=True)
class Empty(Change):
    """A step that expects nothing, which anything would meet."""

    title: ClassVar[str] = "Empty"
    guide: ClassVar[str] = "empty"

    def expect(self) -> State:
        """Return nothing."""
        return {}

    def observe(self, session: Session) -> Observation:
        """Read something."""
        return Observation({"value": world_of(session).read("empty")})

    def apply(self, session: Session) -> None:
        """Write, which must not happen."""
        world_of(session).write("empty", "written")


@dataclass(frozen=True)
class NotHere(Check):
    """A step that says itself that it does not apply."""

    title: ClassVar[str] = "Not here"
    guide: ClassVar[str] = "prerequisites"

    def expect(self) -> State:
        """Return something."""
        return {"value": True}

    def observe(self, session: Session) -> Observation:
        """Say that it does not apply."""
        raise NothingToDo("not_licensed", "there is no licence")


@dataclass(frozen=True)
class BadInput(Check):
    """A step whose input is wrong, which already its expectation finds."""

    title: ClassVar[str] = "Bad input"
    guide: ClassVar[str] = "prerequisites"

    def expect(self) -> State:
        """Refuse the input."""
        raise InputError("colour: 'blu' is not known", remedy="Use blue.")

    def observe(self, session: Session) -> Observation:
        """Refuse the input as well."""
        raise InputError("colour: 'blu' is not known", remedy="Use blue.")


@dataclass(frozen=True)
class Needing(Make):
    """A change that needs another step by its id."""

    title: ClassVar[str] = "Needing"
    key: ClassVar[str | None] = None
    requires: ClassVar[tuple[str, ...]] = ("prerequisite",)
    name: str = "needing"


@dataclass(frozen=True)
class NeedingSkipped(Make):
    """A change that needs the step that does not apply."""

    title: ClassVar[str] = "Needing skipped"
    key: ClassVar[str | None] = None
    requires: ClassVar[tuple[str, ...]] = ("not-here",)
    name: str = "needing-skipped"


@dataclass(frozen=True)
class Works(Probe):
    """The real thing: it works once the value is there and has replicated."""

    title: ClassVar[str] = "It works"
    guide: ClassVar[str] = "test"
    remedies: ClassVar[Mapping[str, str]] = {LAGGING: "replication"}
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({LAGGING, "answer"})
    name: str = "works"

    def expect(self) -> State:
        """Return the answer, and that nobody stands against it."""
        return {"answer": "yes", "against": None}

    def observe(self, session: Session) -> Observation:
        """Ask; only a missing answer may be a matter of time."""
        world = world_of(session)
        against = world.values.get("against")
        return Observation({"answer": world.read(self.name), "against": against})


@dataclass(frozen=True)
class Message(MessageProbe):
    """A message that is sent once and then looked for."""

    title: ClassVar[str] = "Send a message"
    guide: ClassVar[str] = "test"
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({"status"})
    name: str = "message"

    def expect(self) -> State:
        """Return the status."""
        return {"status": "Delivered"}

    def act(self, session: Session, sending: Callable[[], None]) -> State:
        """Send it, once it is ready."""
        world = world_of(session)
        world.prepare()
        sending()
        world.write("sent", self.name)
        world.messages.append(self.name)
        return {"id": self.name}

    def follow(self, session: Session, sent: State) -> Observation:
        """Look for it."""
        seen = {"status": world_of(session).read(self.name)}
        return Observation(seen, facts={"known": sent.get("id")})


@dataclass(frozen=True)
class Messages(Message):
    """Three messages, each with a name."""

    title: ClassVar[str] = "Send messages"

    def parts(self) -> Mapping[str, Act]:
        """Return what sends each."""
        return {name: partial(self.send_one, name) for name in ("a", "b", "c")}

    def send_one(
        self, name: str, session: Session, sending: Callable[[], None]
    ) -> State:
        """Send one of them, once it is ready."""
        world_of(session).prepare()
        sending()
        world_of(session).write("sent", name)
        return {"id": name}

    def follow(self, session: Session, sent: State) -> Observation:
        """Look for them, and show which of them are known to have been sent."""
        seen = {"status": world_of(session).read(self.name)}
        return Observation(seen, facts={"known": dict(sent)})


@dataclass(frozen=True)
class TemporaryCredential(Probe):
    """A probe that leaves something behind, other than a message."""

    title: ClassVar[str] = "Temporary credential"
    guide: ClassVar[str] = "test"
    effect: ClassVar[Literal["none", "message", "credential"]] = "credential"

    def expect(self) -> State:
        """Return that it works."""
        return {"answer": "yes"}

    def observe(self, session: Session) -> Observation:
        """Make it, and look."""
        world_of(session).write("credential", "made")
        return Observation({"answer": "yes"})


@dataclass(frozen=True)
class Borrowing(CredentialProbe):
    """A probe with a credential of its own; `wanted` is yes or no."""

    title: ClassVar[str] = "Borrow"
    guide: ClassVar[str] = "test"
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({LAGGING})
    wanted: str = "yes"

    def applicable(self) -> None:
        """Leave it out unless it is wanted."""
        if self.wanted != "yes":
            raise NothingToDo("user_choice", "not wanted")

    def expect(self) -> State:
        """Return that it works."""
        return {"answer": "yes"}

    def borrow(self, session: Session) -> tuple[str, Secret]:
        """Make a credential."""
        world_of(session).write("borrowed", "key-1")
        return "key-1", Secret("value-of-key-1")

    def give_back(self, session: Session, key_id: str) -> None:
        """Remove it."""
        assert world_of(session).values["borrowed"] in (key_id, None)
        world_of(session).write("borrowed", None)

    def left(self, session: Session, run: str) -> list[str]:
        """Return what is there, as far as the list shows it."""
        world = world_of(session)
        if world.list_lag > 0:
            world.list_lag -= 1
            return []
        key_id = world.values.get("borrowed")
        return [str(key_id)] if key_id else []

    def observe_with(self, session: Session, secret: Secret) -> Observation:
        """Use it."""
        assert secret.reveal() == "value-of-key-1"
        return Observation({"answer": world_of(session).read("answer")})


@dataclass(frozen=True)
class NotYet(Check):
    """A step that waits for what somebody has to hand over."""

    title: ClassVar[str] = "Not yet"
    guide: ClassVar[str] = "prerequisites"

    def expect(self) -> State:
        """Return that it is there."""
        return {"there": True}

    def observe(self, session: Session) -> Observation:
        """Say that it is not there yet."""
        raise Waits("waiting for the file", remedy="Give it.", remedy_id="not-yet")


@dataclass(frozen=True)
class Statement(Attestation):
    """A person states something; the text has to say so."""

    title: ClassVar[str] = "Statement"
    guide: ClassVar[str] = "prerequisites"

    def expect(self) -> State:
        """Return what the text has to say."""
        return {"says": "done"}

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the text."""
        return Observation({"says": evidence.text.strip()})


CATALOGUE: tuple[type[Step], ...] = (
    Prerequisite,
    NotHere,
    BadInput,
    Make,
    BuildOn,
    MakeBoth,
    Needing,
    NeedingSkipped,
    Empty,
    Works,
    TemporaryCredential,
    Borrowing,
    NotYet,
    Message,
    Messages,
    Statement,
)


@dataclass
class Bench:
    """An engine on a world and a record, which can be killed and resumed."""

    world: World
    record: Record
    mode: Mode = Mode.APPLY
    wait: float = 60
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        """Open a session on the world."""
        self.session = session_on(self.world)

    @property
    def engine(self) -> Engine:
        """Return an engine in the bench's mode."""
        attempt = Attempt(
            self.session,
            self.record,
            self.mode,
            wait=self.wait,
            sleep=self.world.sleep,
            monotonic=self.world.monotonic,
        )
        return Engine(attempt, CATALOGUE)

    def run(self, step: Step, mode: Mode | None = None) -> StepResult:
        """Perform a step, in a mode of its own if one is given."""
        return self.engine.in_mode(mode or self.mode).perform(step)

    def kill_and_resume(self) -> None:
        """Let go of the record as a dead process does, and reopen it."""
        folder = self.record.folder
        self.record.close()
        self.record = Record.reopen(folder, mask=Mask(), clock=self.world.now)

    def end_and_roll_back(self) -> None:
        """Close the record and open another one, to roll back the first."""
        self.record.close()
        folder = self.record.folder.parent / "back"
        self.record = Record.create(folder, mask=Mask(), clock=self.world.now)
        self.mode = Mode.ROLLBACK

    def ends(self) -> list[Event]:
        """Return the `step.end` events."""
        return [e for e in self.record.events if e["event"] == "step.end"]

    def kinds(self) -> list[str]:
        """Return the names of all events."""
        return [str(event["event"]) for event in self.record.events]


def new_bench(folder: Path, world: World | None = None, **fields: Any) -> Bench:
    """Return a bench with a new record in a folder of its own."""
    used = world or World()
    record = Record.create(folder / "example", mask=Mask(), clock=used.now)
    return Bench(used, record, **fields)


def reference(step: str, name: str) -> Any:
    """Return a reference, untyped so that it passes for a text input."""
    return KnownAfterApply(step, name)

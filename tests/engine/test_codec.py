"""Steps to the record and back, for every step that there is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import pytest

from runbook_lib.engine.chain import encode
from runbook_lib.engine.codec import describe, rebuild
from runbook_lib.engine.expect import KnownAfterApply
from runbook_lib.engine.step import Step
from runbook_lib.errors import RecordBroken
from runbook_lib.steps.catalogue import RUNBOOKS
from tests.engine.world import CATALOGUE, BuildOn, Make, reference

CLASSES = sorted(
    {entry.step for runbook in RUNBOOKS.values() for entry in runbook.listed},
    key=lambda step: step.__name__,
)
ALL_STEPS = [step for runbook in RUNBOOKS.values() for step in runbook.catalogue]


def example(step: type[Step], value: object) -> Step:
    """Return a step whose every input but the key has this value."""
    names = [f.name for f in dataclasses.fields(step)]
    inputs = {n: "internal" if n == step.key else value for n in names}
    return step(**inputs)


def recorded(step: Step) -> dict[str, object]:
    """Return the description of a step as it comes back from a file."""
    return dict(json.loads(encode(describe(step))))


def same(left: Step, right: Step) -> bool:
    """Compare two steps by their descriptions, for references do not compare."""
    return type(left) is type(right) and describe(left) == describe(right)


def test_there_are_steps() -> None:
    """Without this, every test below would hold for nothing."""
    assert len(CLASSES) >= 20


@pytest.mark.parametrize("step", CLASSES, ids=lambda step: step.__name__)
def test_every_step_comes_back_with_all_inputs(step: type[Step]) -> None:
    """The record holds enough to build the step again, years later."""
    made = example(step, "value")
    assert rebuild(recorded(made), ALL_STEPS) == made


@pytest.mark.parametrize("step", CLASSES, ids=lambda step: step.__name__)
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("register-application", "id"),
        ("send-test-message:internal", "Message-ID"),
        ("grant-admin-consent", "appRoleAssignments[SMTP.SendAsApp]"),
    ],
)
def test_references_come_back_as_references(
    step: type[Step], source: str, name: str
) -> None:
    """An unresolved input stays one, with step and property as they were."""
    made = example(step, KnownAfterApply(source, name))
    back = rebuild(recorded(made), ALL_STEPS)
    assert same(back, made)
    for found in back.references().values():
        assert (found.step, found.property) == (source, name)


def test_both_sets_of_inputs_can_be_rebuilt() -> None:
    """An event holds the inputs as given and as resolved."""
    given = BuildOn(base=reference("make:base", "made"))
    event = {**recorded(given), "resolved": describe(BuildOn(base="id"))["inputs"]}
    assert same(rebuild(event, CATALOGUE), given)
    assert rebuild(event, CATALOGUE, inputs="resolved") == BuildOn(base="id")


@pytest.mark.parametrize(
    "change",
    [
        {"class": "Unknown"},
        {"class": None},
        {"version": 2},
        {"version": None},
        {"inputs": {"name": "a", "colour": "red"}},
        {"inputs": {}},
        {"inputs": None},
    ],
)
def test_what_the_catalogue_does_not_know_breaks_the_record(
    change: dict[str, object],
) -> None:
    """A class, version or input that does not fit is an error, never a guess."""
    event = {**recorded(Make("a")), **change}
    with pytest.raises(RecordBroken, match="make:a"):
        rebuild(event, CATALOGUE)


def steps_and_needs() -> Iterator[tuple[str, str]]:
    """Yield each step id with each step id that its class requires."""
    for runbook in RUNBOOKS.values():
        for entry in runbook.listed:
            for name in entry.step.requires:
                yield entry.id, name


@pytest.mark.parametrize(("step", "needed"), list(steps_and_needs()))
def test_what_a_step_requires_comes_before_it(step: str, needed: str) -> None:
    """A misspelt or later prerequisite would block the step for ever."""
    for runbook in RUNBOOKS.values():
        order = [entry.id for entry in runbook.listed]
        if step in order:
            assert needed in order[: order.index(step)]


def test_no_step_id_has_a_dot() -> None:
    """The written form of a reference ends the step id at its first dot."""
    ids = [entry.id for runbook in RUNBOOKS.values() for entry in runbook.listed]
    assert not [name for name in ids if "." in name]

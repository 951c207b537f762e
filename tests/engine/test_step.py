"""Step ids, headings and what a step needs first."""

from __future__ import annotations

import dataclasses

import pytest

from runbook_lib.engine.naming import kebab, titled
from runbook_lib.engine.step import Mode, Outcome, Step
from runbook_lib.errors import ServiceRefused
from tests.engine.world import LAGGING, BuildOn, Make, Needing, Works, reference


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SapNotes", "sap-notes"),
        ("SignInToSmtp", "sign-in-to-smtp"),
        ("Make", "make"),
        ("Port25Open", "port25-open"),
    ],
)
def test_class_names_become_ids(name: str, expected: str) -> None:
    """Acronyms are words in class names, so kebab case is plain."""
    assert kebab(name) == expected


def test_the_key_is_part_of_id_and_heading() -> None:
    """A step that is used more than once says which one it is."""
    step = Make("mailbox")
    assert (step.id, step.heading) == ("make:mailbox", "Make mailbox")
    assert (Works().id, Works().heading) == ("works", "It works")
    assert titled("Send to {key}", "internal") == "Send to internal"


def test_a_step_needs_what_it_requires_and_refers_to_once() -> None:
    """References count as prerequisites, in order and without repetition."""
    step = BuildOn(base=reference("make:base", "made"))
    assert step.references().keys() == {"base"}
    assert step.needs() == ("make:base",)
    both = Needing(name=reference("prerequisite", "value"))
    assert both.needs() == ("prerequisite",)


def test_resolving_replaces_inputs_and_nothing_else() -> None:
    """The resolved step is another value; the first one is as it was."""
    step = BuildOn(base=reference("make:base", "made"))
    resolved = step.with_inputs(base="id")
    assert resolved == BuildOn(base="id")
    assert step.references()


def test_steps_are_frozen() -> None:
    """A step is a value: nobody changes it behind the record's back."""
    field = dataclasses.fields(Make)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(Make("a"), field, "b")


@pytest.mark.parametrize(
    ("code", "details", "expected"),
    [
        (LAGGING, None, True),
        ("Forbidden", None, False),
        ("Forbidden", [LAGGING], True),
        ("Forbidden", LAGGING, False),
    ],
)
def test_replication_is_told_by_code_or_detail(
    code: str, details: object, expected: bool
) -> None:
    """The service's own code counts, and so do the codes of its details."""
    refusal = ServiceRefused("no", code=code, facts={"details": details})
    assert Works().explains(refusal) is expected


def test_a_bare_step_does_nothing() -> None:
    """The base class has no behaviour that a step could fall back on."""
    with pytest.raises(NotImplementedError):
        Step().expect()


def test_words_of_modes_and_outcomes() -> None:
    """The record is read for ever, so these words never change."""
    assert [str(mode) for mode in Mode] == ["plan", "apply", "verify", "rollback"]
    assert " ".join(Outcome) == (
        "ok changed planned pending skipped blocked failed error reverted"
    )

"""Mistakes are found, and what copying does is forgiven; nothing raises."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given

from runbook_lib.sap.finding import Verdict, overall
from tests.sap.form_mutations import CASES
from tests.sap.judging import JUDGES
from tests.sap.mutating import broken, damaged, kept, passes, profile_of
from tests.sap.mutations import Case, Mutation

EXAMPLES = 500

EVERY = [
    pytest.param(case, mutation, id=f"{case.judge}: {mutation.name}")
    for case in CASES
    for mutation in (*case.keep, *case.breaking)
]


@pytest.mark.parametrize(("case", "mutation"), EVERY)
def test_one_change_has_its_label(case: Case, mutation: Mutation) -> None:
    """Each change alone, on each good text that it changes, is as labelled."""
    texts = [text for text in case.texts if passes(case, text)]
    assert texts == list(case.texts)
    changed = [
        new
        for text in texts
        for seed in range(6)
        if (new := mutation.change(text, Random(seed))) != text  # noqa: S311
    ]
    assert changed, "the change changes nothing"
    assert {passes(case, text) for text in changed} == {mutation.keeps}


@profile_of(EXAMPLES)
@given(kept())
def test_keeping_changes_keep(drawn: tuple[Case, str, list[str]]) -> None:
    """What copying, layout and language do together does not turn a verdict."""
    case, text, _ = drawn
    assert passes(case, text)


@profile_of(EXAMPLES)
@given(broken())
def test_breaking_changes_break(drawn: tuple[Case, str, list[str]]) -> None:
    """One mistake is enough, whatever else was done to the text."""
    case, text, _ = drawn
    assert not passes(case, text)


@profile_of(EXAMPLES)
@given(damaged())
def test_nothing_raises(drawn: tuple[str, str]) -> None:
    """A validator answers to every text with findings."""
    judge, text = drawn
    assert overall(JUDGES[judge](text)) in Verdict

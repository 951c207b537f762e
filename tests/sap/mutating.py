"""Hypothesis strategies over the labelled changes, and what has to hold."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from runbook_lib.sap.finding import Line, Missing, Verdict, overall
from tests.sap.form_mutations import CASES
from tests.sap.judging import JUDGES
from tests.sap.mutations import Case, Mutation


def profile_of(examples: int) -> settings:
    """Return the settings of a run; nothing is stored beside the tests."""
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=examples <= 1000,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def kept(draw: st.DrawFn) -> tuple[Case, str, list[str]]:
    """Return a case, a good text after keeping changes, and their names."""
    case = draw(st.sampled_from(CASES))
    text = draw(st.sampled_from(case.texts))
    chosen = draw(st.lists(st.sampled_from(case.keep), max_size=4, unique=True))
    random = draw(st.randoms(use_true_random=False))
    return case, mutated(text, chosen, random), [m.name for m in chosen]


@st.composite
def broken(draw: st.DrawFn) -> tuple[Case, str, list[str]]:
    """Return a case, a text after one breaking and some copying changes."""
    case = draw(st.sampled_from(CASES))
    text = draw(st.sampled_from(case.texts))
    breaking = draw(st.sampled_from(case.breaking))
    copying = [m for m in case.keep if m.name in {"line ends", "blank lines"}]
    chosen = draw(st.lists(st.sampled_from(copying), max_size=2, unique=True))
    random = draw(st.randoms(use_true_random=False))
    changed = breaking.change(text, random)
    assume(changed != text)
    return case, mutated(changed, chosen, random), [breaking.name]


def mutated(text: str, chosen: list[Mutation], random: Random) -> str:
    """Return a text after some changes, one after the other."""
    for mutation in chosen:
        text = mutation.change(text, random)
    return text


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, str]:
    """Return a validator's name and a text that was cut, mixed, or is anything."""
    case = draw(st.sampled_from(CASES))
    judge = draw(st.sampled_from([case.judge, *JUDGES]))
    text = draw(st.sampled_from(case.texts))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    inserted = draw(st.text(max_size=60))
    return judge, text[:start] + inserted + text[end:]


def passes(case: Case, text: str) -> bool:
    """Tell whether the validator says pass, and every finding cites its evidence."""
    findings = JUDGES[case.judge](text)
    for finding in findings:
        assert isinstance(finding.evidence, Line | Missing)
        assert str(finding.evidence)
    return overall(findings) is Verdict.PASS

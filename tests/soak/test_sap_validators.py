"""The validators of SAP artifacts, ten thousand times each way."""

from __future__ import annotations

from hypothesis import given

from runbook_lib.sap.finding import Verdict, overall
from tests.sap.judging import JUDGES
from tests.sap.mutating import broken, damaged, kept, passes, profile_of
from tests.sap.mutations import Case

EXAMPLES = 10_000


@profile_of(EXAMPLES)
@given(kept())
def test_keeping_changes_keep(drawn: tuple[Case, str, list[str]]) -> None:
    """What copying, layout and language do does not turn a verdict."""
    case, text, _ = drawn
    assert passes(case, text)


@profile_of(EXAMPLES)
@given(broken())
def test_breaking_changes_break(drawn: tuple[Case, str, list[str]]) -> None:
    """One mistake is enough."""
    case, text, _ = drawn
    assert not passes(case, text)


@profile_of(EXAMPLES)
@given(damaged())
def test_nothing_raises(drawn: tuple[str, str]) -> None:
    """A validator answers to every text with findings."""
    judge, text = drawn
    assert overall(JUDGES[judge](text)) in Verdict

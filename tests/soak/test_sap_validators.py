"""The validators of SAP artifacts, ten thousand times each way."""

from __future__ import annotations

from hypothesis import given, seed

from runbook_lib.sap.finding import Verdict, overall
from tests.sap.judging import JUDGES
from tests.sap.mutating import broken, damaged, kept, passes, profile_of
from tests.sap.mutations import Case
from tests.soak.conftest import Counted

EXAMPLES, SEED = 10_000, 1

profile = profile_of(EXAMPLES)


def test_keeping_changes_keep(counted: Counted) -> None:
    """What copying, layout and language do does not turn a verdict."""

    @seed(SEED)
    @profile
    @given(kept())
    def check(drawn: tuple[Case, str, list[str]]) -> None:
        case, text, _ = drawn
        assert passes(case, text)

    counted(EXAMPLES, SEED)
    check()


def test_breaking_changes_break(counted: Counted) -> None:
    """One mistake is enough."""

    @seed(SEED)
    @profile
    @given(broken())
    def check(drawn: tuple[Case, str, list[str]]) -> None:
        case, text, _ = drawn
        assert not passes(case, text)

    counted(EXAMPLES, SEED)
    check()


def test_nothing_raises(counted: Counted) -> None:
    """A validator answers to every text with findings."""

    @seed(SEED)
    @profile
    @given(damaged())
    def check(drawn: tuple[str, str]) -> None:
        judge, text = drawn
        assert overall(JUDGES[judge](text)) in Verdict

    counted(EXAMPLES, SEED)
    check()

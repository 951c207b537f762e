"""The card of a step that has no end on record."""

from __future__ import annotations

from dataclasses import dataclass

from runbook_lib.engine.expect import KnownAfterApply, State
from runbook_lib.engine.step import Change
from runbook_lib.views.cards import waiting_card, waiting_text
from tests.views.html_reader import words


@dataclass(frozen=True)
class Bound(Change):
    """A step with an input that an earlier step provides."""

    title = "Bind"
    guide = "bind"
    app_id: KnownAfterApply

    def expect(self) -> State:
        """Expect the reference itself."""
        return {"AppId": self.app_id}


BOUND = Bound(KnownAfterApply("register-application", "appId"))


def test_unended_step_shows_its_expectation_and_no_result() -> None:
    """Before anything ran, the card shows what is expected, references included."""
    said = words(waiting_card(BOUND, None))
    assert "○ Not started" in said
    assert "AppId known after apply register-application.appId" in said
    assert waiting_text(BOUND, None) == "Bind: Not started"


def test_begun_step_says_that_it_may_be_interrupted() -> None:
    """A begin without an end is neither a success nor a failure."""
    begun = {"before": {"AppId": None}, "expected": {"AppId": "a"}, "kind": "Change"}
    said = words(waiting_card(BOUND, begun))
    assert "Under way, or interrupted: look again with Verify." in said
    assert "AppId null a · not known" in said
    assert waiting_text(BOUND, begun) == "Bind: Under way, or interrupted"

"""The panel without a browser: what a click does, and what drawing does not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.step import (
    Mode,
    Step,
)
from runbook_lib.errors import Refused
from runbook_lib.steps.sender_messages import SendFromFurtherSenders
from tests.views.desk import (
    NAME,
    PLANNED,
    EnableAuthenticatedSmtp,
    SapNotesImplemented,
    Scripted,
    SenderMailbox,
    SendTestMessage,
    SignIn,
    asking,
    click,
    make,
    status,
)
from tests.views.html_reader import words
from tests.views.samples import changed, end, mailbox_check


def test_drawing_performs_nothing() -> None:
    """Making and drawing a panel asks the run for nothing but its record."""
    controls = Scripted()
    panel = make(controls)
    make(controls)
    assert controls.asked == []
    assert "Not started" in panel.twin.live.value


def test_apply_asks_first_and_confirm_applies_once() -> None:
    """Apply… plans and asks; Confirm plans again, compares, and applies."""
    controls = Scripted(PLANNED, PLANNED, changed())
    panel = make(controls)
    click(panel, "Apply…")
    assert controls.asked == [Mode.PLAN]
    assert asking(panel)
    question = words(panel.question.value)
    assert f"{NAME} null false + will be set" in question
    assert "Mailbox sap@contoso.com" in question
    click(panel, "Confirm")
    assert controls.asked == [Mode.PLAN, Mode.PLAN, Mode.APPLY]
    assert not asking(panel)
    assert "Changed and read back" in panel.twin.live.value


def test_cancel_applies_nothing() -> None:
    """Cancel closes the question."""
    controls = Scripted(PLANNED)
    panel = make(controls)
    click(panel, "Apply…")
    click(panel, "Cancel")
    assert not asking(panel)
    assert controls.asked == [Mode.PLAN]
    assert "Nothing was written" in status(panel)


def test_a_double_click_applies_once() -> None:
    """A second Confirm, after the first has ended, finds no question to answer."""
    controls = Scripted(PLANNED, PLANNED, changed())
    panel = make(controls)
    click(panel, "Apply…")
    click(panel, "Confirm")
    click(panel, "Confirm")
    assert controls.asked.count(Mode.APPLY) == 1
    assert controls.answers == []


@pytest.mark.parametrize(
    "now",
    [
        {**PLANNED, "before": {NAME: True}},
        {**PLANNED, "action": "create"},
        {**PLANNED, "outcome": "ok"},
        {**PLANNED, "resolved": {"mailbox": "other@contoso.com"}},
    ],
)
def test_a_difference_since_the_question_stops(now: Event) -> None:
    """If the plan is another one at Confirm, nothing is applied."""
    controls = Scripted(PLANNED, now)
    panel = make(controls)
    click(panel, "Apply…")
    click(panel, "Confirm")
    assert controls.asked == [Mode.PLAN, Mode.PLAN]
    assert "the tenant changed since you looked" in status(panel)


@pytest.mark.parametrize(
    ("outcome", "words_of_it"),
    [
        ("ok", "As expected"),
        ("failed", "Failed"),
        ("blocked", "Blocked"),
        ("error", "Could not look"),
    ],
)
def test_nothing_to_confirm(outcome: str, words_of_it: str) -> None:
    """Only a plan that would write leads to the question."""
    controls = Scripted(end(outcome, mode="plan"))
    panel = make(controls)
    click(panel, "Apply…")
    assert not asking(panel)
    assert f"Nothing to confirm: {panel.step.heading}: {words_of_it}." in status(panel)


def test_an_interrupted_apply_can_be_finished() -> None:
    """Even where nothing is left to write, its end can be put on record."""
    ok = end("ok", mode="plan", seq=9, after={NAME: False})
    controls = Scripted(ok, ok, changed(confirmed="observed"))
    controls.begun = {**PLANNED, "event": "step.begin", "mode": "apply", "seq": 5}
    panel = make(controls)
    assert "look again with Verify" in words(panel.twin.live.value)
    click(panel, "Apply…")
    assert "its end is not on record" in words(panel.question.value)
    assert "nothing is left to write" in words(panel.question.value)
    click(panel, "Confirm")
    assert controls.asked[-1] is Mode.APPLY


def test_apply_that_is_not_allowed() -> None:
    """Where apply is not allowed the button is off and the reason is shown."""
    panel = make(Scripted(why="apply on a real target needs a signed approval"))
    assert panel.buttons["Apply…"].disabled
    assert not panel.buttons["Plan"].disabled
    assert "needs a signed approval" in panel.work.widgets[0].value


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (Refused("The run is closed.", remedy="Open a new one."), "Open a new one."),
        (ZeroDivisionError("secret detail"), "Unforeseen fault: ZeroDivisionError."),
    ],
)
def test_errors_are_two_lines(error: Exception, lines: str) -> None:
    """What a performance raises is shown, without stack or unknown text."""
    panel = make(Scripted(error))
    click(panel, "Verify")
    assert lines in status(panel)
    assert 'role="alert"' in panel.work.widgets[1].value
    assert "Traceback" not in status(panel)
    assert "secret detail" not in status(panel)
    assert not panel.buttons["Verify"].disabled


class Slow(Scripted):
    """Controls that wait until the test lets them go on."""

    release = False

    def perform(
        self, step: Step, mode: Mode, sleep: Callable[[float], None] | None = None
    ) -> StepResult:
        """Sleep by the panel's sleep until released."""
        assert sleep is not None
        while not self.release:
            sleep(0.02)
        return super().perform(step, mode, None)


def test_work_disables_the_buttons_and_counts() -> None:
    """While one performance runs no other starts, and the wait is counted."""
    controls = Slow(mailbox_check())
    panel = make(controls)
    panel.buttons["Verify"].click()
    deadline = time.monotonic() + 5
    while "waiting for replication" not in panel.work.widgets[2].value:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert all(button.disabled for button in panel.buttons.values())
    first = panel.work.thread
    panel.buttons["Verify"].click()
    assert panel.work.thread is first
    controls.release = True
    assert first is not None
    first.join(5)
    assert controls.asked == [Mode.VERIFY]
    assert panel.work.widgets[2].value == ""
    assert not panel.buttons["Verify"].disabled


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (SenderMailbox(), ["Verify"]),
        (
            EnableAuthenticatedSmtp(),
            ["Plan", "Apply…", "Verify", "Confirm", "Cancel"],
        ),
        (SignIn(), ["Plan", "Apply…", "Verify", "Confirm", "Cancel"]),
        (SendTestMessage(), ["Plan", "Apply…", "Confirm", "Cancel"]),
        (SapNotesImplemented(), ["Hand in", "Verify"]),
    ],
)
def test_buttons_of_each_kind(step: Step, names: list[str]) -> None:
    """Each kind of step has the buttons that it needs, in the styles that pass AA."""
    panel = make(Scripted(), step)
    assert list(panel.buttons) == names
    styles = {button.button_style for button in panel.buttons.values()}
    assert styles <= {"", "primary", "danger"}


def test_a_message_is_confirmed_with_its_recipient() -> None:
    """A message names where it goes before it is sent, and is not planned after."""
    controls = Scripted(end("pending", mode="apply"))
    panel = make(controls, SendTestMessage())
    click(panel, "Apply…")
    assert controls.asked == []
    assert "anna@fabrikam.com" in words(panel.question.value)
    assert "cannot be taken back" in words(panel.question.value)
    click(panel, "Confirm")
    assert controls.asked == [Mode.APPLY]
    assert panel.buttons["Plan"].disabled


@pytest.mark.parametrize(
    ("senders", "said"),
    [
        ("fi@contoso.com hr@contoso.com", "Messages are sent, 2 in all"),
        ("fi@contoso.com", "One message is sent"),
        ("", "One message is sent"),
    ],
)
def test_several_messages_are_counted(senders: str, said: str) -> None:
    """Nobody confirms one and sends three."""
    step = SendFromFurtherSenders(
        mailbox="sap@contoso.com",
        senders=senders,
        recipient="anna@contoso.com",
        app_id="app",
        key_id="key",
        host="smtp.office365.com",
    )
    panel = make(Scripted(end("pending", mode="apply")), step)
    click(panel, "Apply…")
    assert said in words(panel.question.value)
    assert "cannot be taken back" in words(panel.question.value)

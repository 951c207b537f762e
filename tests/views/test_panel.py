"""The panel without a browser: what a click does, and what drawing does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import State
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.step import (
    Attestation,
    Change,
    Check,
    Evidence,
    MessageProbe,
    Mode,
    Probe,
    Step,
)
from runbook_lib.errors import Refused
from runbook_lib.views import panel as panel_module
from runbook_lib.views import twin as twin_module
from runbook_lib.views.evidence_form import LARGEST, check
from runbook_lib.views.panel import Panel, drawing, show
from runbook_lib.views.twin import Twin
from tests.views.html_reader import words
from tests.views.samples import changed, end, evidence, mailbox_check, note

NAME = "SmtpClientAuthenticationDisabled"
PLANNED = end("planned", mode="plan", before={NAME: None}, action="update")


@dataclass(frozen=True)
class EnableAuthenticatedSmtp(Change):
    """The change of the samples."""

    title = "Activate SMTP AUTH for the mailbox"
    guide = "activate-smtp-auth-for-the-mailbox"

    def expect(self) -> State:
        """Expect what the samples expect."""
        return {NAME: False}


@dataclass(frozen=True)
class SenderMailbox(Check):
    """The check of the samples."""

    title = "Sender mailbox exists"
    guide = "prerequisites"

    def expect(self) -> State:
        """Expect a type."""
        return {"RecipientTypeDetails": "UserMailbox"}


@dataclass(frozen=True)
class SignIn(Probe):
    """A probe without effect."""

    title = "Sign in to SMTP"
    guide = "test"

    def expect(self) -> State:
        """Expect a reply."""
        return {"reply": "235"}


@dataclass(frozen=True)
class SendTestMessage(MessageProbe):
    """A probe that sends a message."""

    title = "Send a test message"
    guide = "test"
    recipient: str = "anna@fabrikam.com"

    def expect(self) -> State:
        """Expect a status."""
        return {"status": "Delivered"}


@dataclass(frozen=True)
class SapNotesImplemented(Attestation):
    """The attestation of the samples."""

    title = "SAP Note 3581654 is implemented"
    guide = "prerequisites"

    def expect(self) -> State:
        """Expect the note."""
        return {"3581654": "implemented"}


class Scripted:
    """Controls that note what they are asked and answer from a script."""

    def __init__(self, *answers: Event | Exception, why: str | None = None) -> None:
        """Answer the performances in this order."""
        self.answers = list(answers)
        self.asked: list[Mode] = []
        self.handed: list[Evidence] = []
        self.begun: Event | None = None
        self.ended: Event | None = None
        self.why = why

    def last(self, step_id: str) -> Event | None:
        """Return the last answer."""
        return self.ended

    def underway(self, step_id: str) -> Event | None:
        """Return the begin that the test set."""
        return self.begun

    def perform(
        self, step: Step, mode: Mode, sleep: Callable[[float], None] | None = None
    ) -> StepResult:
        """Note the mode, sleep a little, and give the next answer."""
        self.asked.append(mode)
        if sleep is not None:
            sleep(0.01)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.ended = answer
        return StepResult(answer)

    def hand_in(self, step: Step, evidence: Evidence) -> None:
        """Note the evidence, and that its files are there while it is taken."""
        assert all(path.exists() for path in evidence.files)
        self.handed.append(evidence)

    def why_no_apply(self) -> str | None:
        """Return what the test set."""
        return self.why

    def where(self) -> Mapping[str, str]:
        """Return what stands in the question."""
        return {"target": "sandbox", "tenant": "contoso", "mailbox": "sap@contoso.com"}


def make(controls: Scripted, step: Step | None = None) -> Panel:
    """Return a panel over scripted controls."""
    step = step or EnableAuthenticatedSmtp()
    return Panel(step, controls, Twin(lambda: drawing(step, controls)))


def click(panel: Panel, name: str) -> None:
    """Click a button and wait for what it started."""
    panel.buttons[name].click()
    if panel.work.thread is not None:
        panel.work.thread.join(5)


def status(panel: Panel) -> str:
    """Return what the panel tells."""
    return words(panel.work.widgets[1].value)


def asking(panel: Panel) -> bool:
    """Tell whether the question is shown."""
    return bool(panel.asking.layout.display != "none")


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


def fill(panel: Panel, **values: str) -> Any:
    """Fill the evidence form, and return it."""
    form = panel.form
    assert form is not None
    for name, value in values.items():
        form.fields[name].value = value
    return form


def test_evidence_is_handed_in_and_judged() -> None:
    """One click takes text, a named file and an upload, and then verifies."""
    controls = Scripted(note())
    panel = make(controls, SapNotesImplemented())
    form = fill(panel, who="A. Basis", when="2026-11-24 09:30", reference="CHG1")
    form.text.value = "3581654 implemented"
    form.upload.value = (
        {
            "name": "../../snote.txt",
            "type": "text/plain",
            "size": 3,
            "content": memoryview(b"abc"),
            "last_modified": datetime(2026, 11, 24, tzinfo=UTC),
        },
    )
    click(panel, "Hand in")
    assert controls.asked == [Mode.VERIFY]
    (handed,) = controls.handed
    assert (handed.who, handed.reference) == ("A. Basis", "CHG1")
    assert [path.name for path in handed.files] == ["snote.txt"]
    assert form.upload.value == ()
    assert form.text.value == ""
    assert "Attested by A. Basis" in panel.twin.live.value


def test_incomplete_evidence_is_not_handed_in() -> None:
    """Who, when and the evidence itself are asked for, one sentence each."""
    controls = Scripted()
    panel = make(controls, SapNotesImplemented())
    click(panel, "Hand in")
    assert "“Who looked” is empty" in status(panel)
    fill(panel, who="A. Basis")
    click(panel, "Hand in")
    assert "“When (UTC)” is empty" in status(panel)
    form = fill(panel, when="2026-11-24")
    click(panel, "Hand in")
    assert "There is no evidence yet" in status(panel)
    form.paths.value = "/nowhere/snote.txt"
    click(panel, "Hand in")
    assert "cannot be read" in status(panel)
    assert form.paths.value == "/nowhere/snote.txt"
    assert controls.handed == []


def test_private_keys_and_huge_files_are_refused(tmp_path: Path) -> None:
    """A private key is never taken in, and a file has at most 5 MB."""
    key, huge = tmp_path / "key.pem", tmp_path / "huge.log"
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    huge.write_bytes(b"x" * (LARGEST + 1))
    stated = vars(evidence())
    with pytest.raises(Exception, match="private key"):
        check(Evidence(**{**stated, "files": (key,)}))
    with pytest.raises(Exception, match="larger than 5 MB"):
        check(Evidence(**{**stated, "files": (huge,)}))
    check(evidence())


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect what is displayed."""
    bundles: list[dict[str, Any]] = []

    def collect(bundle: dict[str, Any], **_: object) -> None:
        bundles.append(bundle)

    monkeypatch.setattr(twin_module, "display", collect)
    monkeypatch.setattr(panel_module, "display", collect)
    return bundles


def test_headless_shows_one_static_card(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a person one card is displayed, and no widget exists to be saved."""
    controls = Scripted()
    controls.ended = changed()

    def never(*_: object) -> None:
        raise AssertionError("a panel was made")

    monkeypatch.setattr(panel_module, "Panel", never)
    show(EnableAuthenticatedSmtp(), controls, live=False)
    (bundle,) = shown
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"].startswith(
        "Activate SMTP AUTH for the mailbox: changed"
    )
    assert "rb-static" in bundle["text/html"]
    assert controls.asked == []


def test_live_shows_the_card_and_a_panel_without_text(
    shown: list[dict[str, Any]],
) -> None:
    """The panel's own output has empty texts, so a saved file shows only the card."""
    show(EnableAuthenticatedSmtp(), Scripted(), live=True)
    static, live = shown
    assert ":has(.rb-live" in static["text/html"]
    assert live["text/html"] == live["text/plain"] == ""
    assert "application/vnd.jupyter.widget-view+json" in live


def test_an_ended_begin_is_followed(tmp_path: Path) -> None:
    """A panel drawn while another click works shows the end once it is on record."""
    controls = Scripted()
    controls.begun = {**PLANNED, "event": "step.begin", "mode": "apply", "seq": 5}
    panel = make(controls)
    assert "Under way" in panel.twin.live.value
    controls.ended, controls.begun = changed(seq=6), None
    deadline = time.monotonic() + 5
    while "Changed and read back" not in panel.twin.live.value:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert controls.asked == []

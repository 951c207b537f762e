"""Steps, and controls that answer from a script, to put a panel on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runbook_lib.engine.chain import Event
from runbook_lib.engine.effects import MessageProbe
from runbook_lib.engine.expect import State
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.step import (
    Attestation,
    Change,
    Check,
    Evidence,
    Mode,
    Probe,
    Step,
)
from runbook_lib.views.panel import Panel, drawing
from runbook_lib.views.twin import Twin
from tests.views.html_reader import words
from tests.views.samples import end

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

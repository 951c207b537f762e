"""Attestations with a service to ask: measured, attested, both, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest

from runbook_lib.engine.attestations import attach
from runbook_lib.engine.step import (
    Evidence,
    Measured,
    Mode,
    Observation,
    Outcome,
    Waits,
)
from runbook_lib.errors import Unreachable
from runbook_lib.session import Session
from tests.engine.world import Bench, Statement

BY = {
    "by": "sapcontrol",
    "where": "https://a:50014",
    "artifacts": ["value"],
    "texts": {"value": "DONE"},
}
WHO = {"who": "A", "when": "today", "reference": "CHG1", "files": []}
ALL = [Mode.PLAN, Mode.APPLY, Mode.VERIFY]


@dataclass(frozen=True)
class Asking(Statement):
    """A statement that a service may make as well."""

    shows: ClassVar[Mapping[str, str]] = {"value": "done"}
    problem: ClassVar[Unreachable | None] = None

    @property
    def id(self) -> str:
        """Return the id of what the catalogue knows."""
        return "statement"

    def redact(self, session: Session, text: str) -> str:
        """Return the text as it may be stored."""
        return text.upper()

    def measure(self, session: Session) -> Measured:
        """Return what the service shows."""
        texts = {} if self.problem else self.shows
        return Measured("sapcontrol", "https://a:50014", texts, self.problem)

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read what was measured, else what was handed in."""
        measured = evidence.measured
        says = (measured and measured.texts.get("value")) or evidence.text
        if not says:
            raise Waits("not shown", remedy="Hand it in.", remedy_id="statement")
        return Observation({"says": says})


class Silent(Asking):
    """The service shows nothing of it."""

    shows: ClassVar[Mapping[str, str]] = {"value": ""}


class Contradicting(Asking):
    """The service shows something else."""

    shows: ClassVar[Mapping[str, str]] = {"value": "not done"}


class Talkative(Asking):
    """The service shows much."""

    shows: ClassVar[Mapping[str, str]] = {"value": "x" * 5000}


class Down(Asking):
    """The service cannot be reached."""

    problem = Unreachable("No connection to a:50014.", remedy="Open the port.")


def hand_in(bench: Bench, text: str = "done") -> None:
    """Attach a person's evidence."""
    attach(bench.record, bench.mode, "statement", Evidence("A", "today", "CHG1", text))


@pytest.mark.parametrize("mode", ALL)
def test_measured_needs_nobody(bench: Bench, mode: Mode) -> None:
    """The end says by whom and where, and of no person."""
    result = bench.run(Asking(), mode)
    assert result.outcome is Outcome.OK
    assert result.event["measured"] == BY
    assert "attested" not in result.event


@pytest.mark.parametrize("mode", ALL)
def test_measured_and_attested(bench: Bench, mode: Mode) -> None:
    """Both are named."""
    hand_in(bench)
    result = bench.run(Asking(), mode)
    assert result.outcome is Outcome.OK
    assert (result.event["measured"], result.event["attested"]) == (BY, WHO)


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.PLAN, Outcome.PLANNED),
        (Mode.APPLY, Outcome.PENDING),
        (Mode.VERIFY, Outcome.PENDING),
    ],
)
def test_what_is_not_shown_waits_for_a_person(
    bench: Bench, mode: Mode, outcome: Outcome
) -> None:
    """As without a service; what it did show is kept."""
    result = bench.run(Silent(), mode)
    assert result.outcome is outcome
    assert result.event["measured"] == {**BY, "texts": {"value": ""}}


def test_a_person_s_gap_waits_in_a_plan_too(bench: Bench) -> None:
    """What was handed in and does not show it is no plan."""
    hand_in(bench, "")
    assert bench.run(Silent(), Mode.PLAN).outcome is Outcome.PENDING


@pytest.mark.parametrize("mode", ALL)
def test_the_service_contradicts(bench: Bench, mode: Mode) -> None:
    """It fails, whatever a person states."""
    hand_in(bench)
    result = bench.run(Contradicting(), mode)
    assert result.outcome is Outcome.FAILED
    assert result.event["measured"] == {**BY, "texts": {"value": "NOT DONE"}}


def test_a_long_text_stands_in_the_traffic_only(bench: Bench) -> None:
    """The event names it, and does not hold it."""
    shown = bench.run(Talkative(), Mode.VERIFY).event["measured"]
    assert shown == {**BY, "texts": {}}


@pytest.mark.parametrize("mode", ALL)
def test_a_service_that_is_down_is_an_error(bench: Bench, mode: Mode) -> None:
    """We could not look; the remedy is that of the connection."""
    result = bench.run(Down(), mode)
    assert result.outcome is Outcome.ERROR
    assert result.event["remedy"] == "Open the port."
    assert "measured" not in result.event


@pytest.mark.parametrize("mode", ALL)
def test_evidence_stands_in_for_a_service_that_is_down(
    bench: Bench, mode: Mode
) -> None:
    """It is judged, and nothing is called measured."""
    hand_in(bench)
    result = bench.run(Down(), mode)
    assert result.outcome is Outcome.OK
    assert result.event["attested"] == WHO
    assert "measured" not in result.event

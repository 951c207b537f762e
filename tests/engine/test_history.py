"""What the events tell: last ends, values, open begins, what was sent."""

from __future__ import annotations

import pytest

from runbook_lib.engine import history
from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import KnownAfterApply, plain
from runbook_lib.engine.history import StepResult
from runbook_lib.engine.step import Outcome
from runbook_lib.errors import RecordBroken


def event(name: str, step: str = "a", mode: str = "apply", **fields: object) -> Event:
    """Return an event."""
    return {"event": name, "step": step, "mode": mode, **fields}


def end(outcome: str, step: str = "a", mode: str = "apply", **fields: object) -> Event:
    """Return a `step.end`."""
    return event("step.end", step, mode, outcome=outcome, **fields)


def test_the_last_end_of_each_step_in_the_order_of_first_reaching() -> None:
    """A repeated step keeps its place."""
    events = [end("failed"), end("ok", "b"), end("ok")]
    found = history.ends(events)
    assert list(found) == ["a", "b"]
    assert found["a"]["outcome"] == "ok"


def test_a_reference_stands_for_the_last_value() -> None:
    """Null while the step has not ended or did not observe it."""
    events = [end("changed", after={"id": 1}), end("ok", after={"id": 2})]
    assert history.value_of(events, KnownAfterApply("a", "id")) == 2
    assert history.value_of(events, KnownAfterApply("a", "other")) is None
    assert history.value_of([], KnownAfterApply("a", "id")) is None


BEGIN = event("step.begin")


@pytest.mark.parametrize(
    ("events", "underway", "unsettled"),
    [
        ([], False, False),
        ([BEGIN], True, True),
        ([BEGIN, end("changed")], False, False),
        ([BEGIN, end("ok")], False, False),
        ([BEGIN, end("error")], False, True),
        ([BEGIN, end("failed")], False, True),
        ([BEGIN, end("error"), end("blocked")], False, True),
        ([BEGIN, event("step.refused"), end("error")], False, False),
        ([BEGIN, end("error"), end("changed")], False, False),
        ([BEGIN, end("ok", mode="verify")], True, True),
        ([BEGIN, end("changed", "b")], True, True),
        ([event("step.begin", mode="plan")], False, False),
        ([end("changed"), BEGIN], True, True),
        ([event("run.opened", step="a"), BEGIN, BEGIN], True, True),
    ],
)
def test_begun_and_not_settled(
    events: list[Event], underway: bool, unsettled: bool
) -> None:
    """Under way until it ended; unsettled until it ended well or was refused."""
    assert (history.open_begin(events, "a", "apply") is not None) is underway
    assert (history.unsettled(events, "a") is not None) is unsettled


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([event("step.act")], "step.act"),
        ([event("step.act"), event("step.acted")], "step.acted"),
        ([event("step.act"), event("step.refused")], None),
        ([event("step.refused"), event("step.act")], "step.act"),
        ([event("step.acted", "b")], None),
    ],
)
def test_a_message_was_or_may_have_been_sent(
    events: list[Event], expected: str | None
) -> None:
    """Only a refusal takes it back."""
    found = history.acted(events, "a")
    assert (found and found["event"]) == expected


def test_each_message_of_a_step_is_known_by_its_name() -> None:
    """A refusal of one takes back that one alone."""
    known = [
        event("step.acted", message="x"),
        event("step.act", message="y"),
        event("step.refused", message="x"),
    ]
    assert history.acted(known, "a", "x") is None
    assert history.acted(known, "a", "y") is not None
    assert history.acted(known, "a") is None


def test_a_result_is_a_view_of_its_event() -> None:
    """Nothing is stored twice; an item is a reference for a later step."""
    result = StepResult(end("failed", title="A", problem="no", after={"id": 1}))
    assert (result.step, result.title) == ("a", "A")
    assert (result.outcome, result.problem) == (Outcome.FAILED, "no")
    assert result.after == {"id": 1}
    assert plain(result["id"]) == {"known after apply": "a.id"}
    assert StepResult(end("ok", title="A")).after == {}


def test_closed_and_header() -> None:
    """The first event declares the run; `run.closed` ends it."""
    opened, ended = event("run.opened"), event("run.closed")
    assert history.header([opened, ended]) is opened
    assert history.closed([opened]) is None
    assert history.closed([opened, ended]) is ended


def test_a_record_without_a_header_is_broken() -> None:
    """Nothing can be said of a run that declared nothing."""
    with pytest.raises(RecordBroken):
        history.header([event("step.begin")])

"""The result of a run and its exit code, from nothing but its events."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from runbook_lib.engine.chain import Event
from runbook_lib.engine.result import (
    EXIT_CODES,
    Result,
    exit_code,
    mode_of,
    outcomes,
    outcomes_of_attempts,
    proven,
    result,
    unreached,
)
from runbook_lib.engine.step import Outcome

STEPS = ("check", "change", "proof")


def end(step: str, outcome: str, mode: str) -> Event:
    """Return a `step.end`."""
    return {"event": "step.end", "step": step, "outcome": outcome, "mode": mode}


def run(
    mode: str,
    *outcomes: str,
    extra: Iterable[str] = (),
    proof: Iterable[str] = ("proof",),
    **header: object,
) -> list[Event]:
    """Return the events of a run: header, one end per outcome, extra events."""
    opened: Event = {
        "event": "run.opened",
        "mode": mode,
        "steps": [{"step": name} for name in STEPS],
        "proof": list(proof),
        **header,
    }
    ends = [end(s, o, mode) for s, o in zip(STEPS, outcomes, strict=False)]
    return [opened, *ends, *({"event": name, "mode": mode} for name in extra)]


@pytest.mark.parametrize(
    ("events", "expected", "code"),
    [
        (run("apply", "ok", "changed", "ok"), Result.SUCCEEDED, 0),
        (run("apply", "ok", "ok", "ok"), Result.SUCCEEDED, 0),
        (run("verify", "ok", "ok", "ok"), Result.SUCCEEDED, 0),
        (run("apply", "skipped", "changed", "ok"), Result.SUCCEEDED, 0),
        # The proof that the notebook names.
        (run("apply", "ok", "changed", "skipped"), Result.INCOMPLETE, 3),
        (run("apply", "ok", "changed", "changed"), Result.INCOMPLETE, 3),
        (run("verify", "ok", "ok", "skipped"), Result.INCOMPLETE, 3),
        (run("apply", "ok", "ok", "ok", proof=("other",)), Result.INCOMPLETE, 3),
        (run("apply", "ok", "changed", "skipped", proof=()), Result.SUCCEEDED, 0),
        # Open, blocked and unreached steps.
        (run("apply", "ok", "changed", "pending"), Result.INCOMPLETE, 3),
        (run("apply", "pending", "changed", "ok"), Result.INCOMPLETE, 3),
        (run("apply", "blocked", "changed", "ok"), Result.INCOMPLETE, 3),
        (run("apply", "ok", "changed"), Result.INCOMPLETE, 3),
        (run("apply"), Result.INCOMPLETE, 3),
        (run("apply", "skipped", "skipped", "skipped", proof=()), Result.INCOMPLETE, 3),
        # Failed and error before incomplete.
        (run("apply", "failed", "pending"), Result.FAILED, 1),
        (run("apply", "ok", "error", "blocked"), Result.FAILED, 1),
        (run("verify", "ok", "failed", "ok"), Result.FAILED, 1),
        (run("apply", "ok", "changed", "failed"), Result.FAILED, 1),
        # Plans.
        (run("plan", "ok", "planned", "planned"), Result.SUCCEEDED, 4),
        (run("plan", "ok", "ok", "ok"), Result.SUCCEEDED, 0),
        (run("plan", "ok", "ok", "skipped"), Result.SUCCEEDED, 0),
        (run("plan", "ok", "planned", "blocked"), Result.INCOMPLETE, 3),
        (run("plan", "failed", "planned", "planned"), Result.FAILED, 1),
        (run("plan", "error", "planned", "planned"), Result.FAILED, 1),
        (run("plan", "ok", "planned"), Result.INCOMPLETE, 3),
        (run("plan", "skipped", "skipped", "skipped"), Result.INCOMPLETE, 3),
        # A planned step outside a plan was only looked at.
        (run("apply", "planned", "changed", "ok"), Result.INCOMPLETE, 3),
        # Refused, and disclosed.
        (run("apply", extra=["run.refused"]), Result.REFUSED, 5),
        (run("apply", "failed", extra=["run.refused"]), Result.REFUSED, 5),
        (run("apply", "ok", "ok", "ok", extra=["leak.found"]), Result.FAILED, 1),
        (run("plan", "ok", "planned", extra=["leak.found"]), Result.FAILED, 1),
        # Rollback.
        (run("rollback", "reverted", extra=["run.finished"]), Result.ROLLED_BACK, 0),
        (run("rollback", "reverted"), Result.INCOMPLETE, 3),
        (
            run("rollback", "reverted", extra=["run.finished", "run.resumed"]),
            Result.INCOMPLETE,
            3,
        ),
        (
            run("rollback", "reverted", "blocked", extra=["run.finished"]),
            Result.INCOMPLETE,
            3,
        ),
        (
            run("rollback", "failed", "blocked", extra=["run.finished"]),
            Result.FAILED,
            1,
        ),
    ],
)
def test_results(events: list[Event], expected: Result, code: int) -> None:
    """Failed before incomplete before planned; a proof is asked of a run."""
    assert result(events) is expected
    assert exit_code(events) == code


def test_the_last_end_of_a_step_counts() -> None:
    """A step that failed and was repaired does not fail the run."""
    events = run("apply", "failed", "changed", "ok")
    assert result([*events, end("check", "ok", "apply")]) is Result.SUCCEEDED


def test_every_result_has_a_code() -> None:
    """None is left to chance."""
    assert set(EXIT_CODES) == set(Result)


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ([], "plan"),
        (["plan"], "plan"),
        (["plan", "verify"], "verify"),
        (["apply", "verify", "plan"], "apply"),
        (["rollback", "apply"], "rollback"),
    ],
)
def test_the_mode_of_a_jupyterlab_run_is_the_most_it_was_asked_for(
    modes: list[str], expected: str
) -> None:
    """Its header's mode is only what the notebook said before anybody clicked."""
    opened = run("plan", interactive=True)
    events = [*opened, *(end("change", "ok", mode) for mode in modes)]
    assert mode_of(events) == expected
    assert mode_of([*run("plan"), *events[1:]]) == "plan"


def test_a_jupyterlab_run_that_only_planned_one_step_is_incomplete() -> None:
    """Apply was asked for one step; another was only looked at."""
    opened = run("plan", interactive=True)
    events = [
        *opened,
        end("check", "planned", "plan"),
        end("change", "changed", "apply"),
        end("proof", "ok", "apply"),
    ]
    assert result(events) is Result.INCOMPLETE


def test_outcomes_are_counted_in_their_order() -> None:
    """The same order everywhere."""
    counted = outcomes(run("apply", "failed", "ok", "ok"))
    assert list(counted.items()) == [("ok", 2), ("failed", 1)]
    assert set(counted) <= {str(name) for name in Outcome}


def test_unreached_steps_are_the_headers_that_never_ended() -> None:
    """In the header's order."""
    assert [s["step"] for s in unreached(run("apply", "ok"))] == ["change", "proof"]


def test_nothing_to_prove_is_proven() -> None:
    """Notebooks 0 and 5 name no proof."""
    assert proven(run("apply", proof=()))
    assert not proven(run("apply"))


def test_outcomes_of_attempts_tell_what_was_written() -> None:
    """What a first attempt changed and a second found as expected is changed."""
    first = {**end("change", "changed", "apply"), "before": {}, "action": "create"}
    twice = [*run("apply", "ok"), first, end("change", "ok", "apply")]
    assert outcomes(twice) == {"ok": 2}
    assert outcomes_of_attempts(twice) == {"ok": 1, "changed": 1}
    lost = [*twice, end("change", "failed", "apply")]
    assert outcomes_of_attempts(lost) == {"ok": 1, "failed": 1}

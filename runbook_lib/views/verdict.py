"""The result of a run in words that a change manager can act on."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import changes, closed, ends, finished, header
from runbook_lib.engine.result import Result, mode_of, outcomes, proven, result
from runbook_lib.engine.step import Mode, Outcome
from runbook_lib.views.story import disclosed
from runbook_lib.views.theme import Tone
from runbook_lib.views.words import Badge


def verdict(events: Sequence[Event]) -> Badge:
    """Return sign, word and tone of a run's result.

    A closed record says its result; an open one is judged as far as it goes.
    """
    end = closed(events)
    found = Result(str(end["result"])) if end else result(events)
    mode = mode_of(events)
    if found is Result.SUCCEEDED:
        return _SUCCEEDED[Mode(mode)]
    return _OTHERS[found]


_SUCCEEDED = {
    Mode.PLAN: Badge("▲", "Plan complete", Tone.WARN),
    Mode.APPLY: Badge("✔", "Succeeded", Tone.GOOD),
    Mode.VERIFY: Badge("✔", "Succeeded", Tone.GOOD),
    Mode.ROLLBACK: Badge("↩", "Rolled back", Tone.GOOD),
}
_OTHERS = {
    Result.INCOMPLETE: Badge("◔", "Incomplete", Tone.WAIT),
    Result.FAILED: Badge("✖", "Failed", Tone.BAD),
    Result.REFUSED: Badge("✖", "Refused", Tone.BAD),
    Result.ROLLED_BACK: Badge("↩", "Rolled back", Tone.GOOD),
}


def sentences(events: Sequence[Event]) -> list[str]:
    """Return what the result means, in two or three sentences."""
    refusal = next((e for e in events if e["event"] == "run.refused"), None)
    if refusal is not None:
        return ["The run was refused before its first write. Nothing was written."]
    return [*_leak(events), _effect(events), *_state(events), *_proof(events)]


def _leak(events: Sequence[Event]) -> list[str]:
    files = ", ".join(disclosed(events))
    return [f"Credential disclosed: rotate it. It stood in {files}."] if files else []


def _effect(events: Sequence[Event]) -> str:
    """Say what the run did to the tenant."""
    written = len(changes(events))
    acted = [event for event in events if event["event"] == "step.acted"]
    sent = len({(event["step"], event.get("message")) for event in acted})
    reverted = outcomes(events).get(Outcome.REVERTED, 0)
    mode = mode_of(events)
    if mode == Mode.ROLLBACK:
        ended = "" if finished(events) else " The notebook did not reach its end."
        return f"{_count(reverted, 'change')} of the earlier run taken back.{ended}"
    if not written and not sent:
        planned = outcomes(events).get(Outcome.PLANNED, 0)
        would = f" {_count(planned, 'step')} would act in apply." if planned else ""
        return f"Nothing was written.{would}"
    messages = f", and {_count(sent, 'test message')} sent" if sent else ""
    return f"{_count(written, 'change')} made and read back{messages}."


def _state(events: Sequence[Event]) -> list[str]:
    """Say what is not as it should be, in the order of weight."""
    counts = outcomes(events)
    said = [
        f"{counts[outcome]} {words}"
        for outcome, words in _WEIGHTS.items()
        if counts.get(outcome)
    ]
    return [f"Open: {', '.join(said)}."] if said else []


_WEIGHTS = {
    Outcome.FAILED: "not as expected",
    Outcome.ERROR: "could not be looked at",
    Outcome.BLOCKED: "blocked",
    Outcome.PENDING: "waiting",
}


def _proof(events: Sequence[Event]) -> list[str]:
    """Say whether the proof that the notebook names was made."""
    head = header(events)
    named = len(head.get("proof") or [])  # type: ignore[arg-type]
    if mode_of(events) in (Mode.PLAN, Mode.ROLLBACK):
        return []
    if not named:
        return ["This runbook names no proof, so it proves nothing about mail."]
    if not ends(events) or not proven(events):
        return ["The proof that this runbook names was not made in this run."]
    return ["The proof that this runbook names was made in this run."]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

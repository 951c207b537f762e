"""What a record does not prove, said before anybody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.result import mode_of, proven
from runbook_lib.engine.step import Mode
from runbook_lib.views import story
from runbook_lib.views.words import is_stated, measured_by


def unproven(events: Sequence[Event]) -> list[str]:
    """Return the sentences under "unproven"; there is always at least one."""
    return [
        *_target(events),
        *_mode(events),
        *_steps(events),
        *_vantages(events),
        *_endpoints(events),
        *_closing(events),
        "This record carries no signature. Its sums and its chain show that its "
        "files belong together, not who made them.",
    ]


def _target(events: Sequence[Event]) -> list[str]:
    if story.tenant(events).get("target") != "sandbox":
        return []
    return ["The target is the sandbox: nothing about a real tenant is proven."]


def _mode(events: Sequence[Event]) -> list[str]:
    mode = mode_of(events)
    if mode == Mode.PLAN:
        return ["A plan shows what would be written; that it works is not proven."]
    if mode == Mode.ROLLBACK or proven(events):
        return []
    missing = [p.title for p in story.proof(events) if p.event.get("outcome") != "ok"]
    return [f"The proof is not complete: {'; '.join(missing)}."]


def _steps(events: Sequence[Event]) -> list[str]:
    if mode_of(events) == Mode.PLAN:
        return []
    found = story.open_points(events)
    return [f"Not shown to be as expected: {point.title}." for point in found]


def _vantages(events: Sequence[Event]) -> list[str]:
    """Say where each network fact was seen, and what was not seen at all."""
    named = [point for point in story.steps(events) if point.event.get("vantage")]
    return [f"{point.title}: {_vantage(point.event)}" for point in named]


def _vantage(event: Event) -> str:
    vantage = event["vantage"]
    if is_stated(event):
        return f"{vantage}, not measured."
    if measured_by(event):
        return f"seen from {vantage}; that it is the system that sends is not proven."
    return (
        f"seen from {vantage}; a network fact holds only for the place from which it "
        "was seen."
    )


def _endpoints(events: Sequence[Event]) -> list[str]:
    """Name the host names of this cloud that no good source confirms."""
    doubts = cast("dict[str, str]", header(events).get("profile_doubts") or {})
    return [
        f"The {name} endpoint of this cloud is uncertain: {source}."
        for name, source in sorted(doubts.items())
    ]


def _closing(events: Sequence[Event]) -> list[str]:
    end, head = closed(events), header(events)
    said = []
    if end is None:
        said.append("The record is open: it can still grow.")
    elif end.get("leak_search") == "patterns":
        said.append(
            "The files were searched for secrets by their usual shapes, not by the "
            "values that this run used."
        )
    kernel = cast("dict[str, object]", (end or {}).get("kernel") or {})
    if kernel.get("ended") in ("died", "unknown"):
        said.append(f"How the kernel ended: {kernel['ended']}.")
    if not head.get("ledger_head"):
        said.append(
            "No ledger line stood before this run, so nothing shows that no run "
            "came before it."
        )
    return said

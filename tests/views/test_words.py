"""The badge of what waits for a person, and of what waits for a service."""

from __future__ import annotations

from runbook_lib.views.words import badge


def test_waiting_for_a_person_is_not_waiting_for_replication() -> None:
    """A check that a person has to make come true says so."""
    waiting = {"outcome": "pending", "kind": "Check"}
    assert badge({**waiting, "action": "manual"}).words == "Waiting for a person"
    assert badge(waiting).words == "Waiting for replication"

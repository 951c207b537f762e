"""Temporary credentials that an attempt left: given back before anything else."""

from __future__ import annotations

from collections.abc import Iterable

from runbook_lib.engine.attempt import Attempt
from runbook_lib.engine.chain import Event
from runbook_lib.engine.codec import Catalogue, rebuild
from runbook_lib.engine.step import CredentialProbe, Mode

BORROWED, RETURNED = "credential.borrowed", "credential.returned"


def give_back_all(
    attempt: Attempt, catalogue: Catalogue, events: Iterable[Event], run: str
) -> None:
    """Give back what the steps of a run borrowed, reached again or not.

    `events` are those of the run. Each credential is written down as it goes.

    Raises:
        CannotLook: one could not be removed; nothing further should happen.
    """
    for begin, known in outstanding(events):
        step = rebuild(begin, catalogue, inputs="resolved")
        if isinstance(step, CredentialProbe):
            give_back_left(attempt, step, known, run)


def give_back_left(
    attempt: Attempt, step: CredentialProbe, known: Iterable[str], run: str
) -> None:
    """Give back what is known to be borrowed, and what bears the run's mark."""
    for key_id in dict.fromkeys([*known, *step.left(attempt.session, run)]):
        step.give_back(attempt.session, key_id)
        attempt.record.append(
            RETURNED, mode=attempt.mode, step=step.id, key_id=key_id, left_by=run
        )


def outstanding(events: Iterable[Event]) -> list[tuple[Event, list[str]]]:
    """Return the begins of apply that may have left a credential, and its keyIds.

    A begin without a keyId counts as well: the process may have ended between
    the making and the writing down.
    """
    begun: dict[str, tuple[Event, list[str]]] = {}
    for event in events:
        step, kind = str(event.get("step")), event["event"]
        if kind == "step.begin" and event["kind"] == "Probe":
            if event["mode"] == Mode.APPLY:
                begun.setdefault(step, (event, []))
        elif kind == BORROWED:
            begun[step][1].append(str(event["key_id"]))
        elif kind == "step.refused" or (kind == RETURNED and "left_by" not in event):
            begun.pop(step, None)
        elif kind == RETURNED and step in begun:
            left = [key for key in begun[step][1] if key != event["key_id"]]
            begun[step] = (begun[step][0], left)
    return list(begun.values())

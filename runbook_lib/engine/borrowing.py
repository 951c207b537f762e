"""Temporary credentials: given back whatever happens, and first if they were left."""

from __future__ import annotations

from collections.abc import Iterable

from runbook_lib.engine.attempt import Attempt
from runbook_lib.engine.chain import Event
from runbook_lib.engine.codec import Catalogue, rebuild
from runbook_lib.engine.effects import CredentialProbe
from runbook_lib.engine.step import Mode
from runbook_lib.errors import OutcomeUnknown, ServiceRefused

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
            give_back_left(attempt, step, (begin, known), run)


def give_back_left(
    attempt: Attempt,
    step: CredentialProbe,
    known: tuple[Event, list[str]],
    run: str,
) -> None:
    """Give back what is known to be borrowed, and what bears the run's mark.

    `known` is a begin with its keyIds, as `outstanding` returns it. Where no
    keyId is known, what was made may show later, as any write.
    """
    begin, keys = known
    marked = _marked(attempt, step, run, 0 if keys else attempt.still_to_show(begin))
    for key_id in dict.fromkeys([*keys, *marked]):
        give_back(attempt, step, key_id)
        attempt.record.append(
            RETURNED, mode=attempt.mode, step=step.id, key_id=key_id, left_by=run
        )


def give_back(attempt: Attempt, step: CredentialProbe, key_id: str) -> None:
    """Give a credential back, and look again where the answer tells too little.

    Removing by a keyId that nothing else will ever have can be repeated: the
    step itself looks whether a refusal means that it is gone already.

    Raises:
        CannotLook: it could not be removed within the visibility window.
    """
    pauses = attempt.pauses(attempt.session.tenant.windows.visibility)
    while True:
        try:
            return step.give_back(attempt.session, key_id)
        except (OutcomeUnknown, ServiceRefused):
            if not pauses.again():
                raise


def _marked(
    attempt: Attempt, step: CredentialProbe, run: str, seconds: float
) -> list[str]:
    """Look for what bears the run's mark, until some shows or the time is over."""
    pauses = attempt.pauses(seconds)
    while True:
        found = step.left(attempt.session, run)
        if found or not pauses.again():
            return found


def outstanding(events: Iterable[Event]) -> list[tuple[Event, list[str]]]:
    """Return the begins of apply that may have left a credential, and its keyIds.

    A begin without a keyId counts as well: the process may have ended between
    the making and the writing down. One begin borrows one credential.
    """
    begun: dict[str, tuple[Event, list[str]]] = {}
    for event in events:
        step, kind = str(event.get("step")), event["event"]
        if kind == "step.begin" and event["kind"] == "Probe":
            if event["mode"] == Mode.APPLY:
                begun.setdefault(step, (event, []))
        elif kind == BORROWED:
            begun[step][1].append(str(event["key_id"]))
        elif kind in ("step.refused", RETURNED):
            begun.pop(step, None)
    return list(begun.values())

"""How the messages of a step are sent, each once in a run, and then followed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from runbook_lib.engine import history
from runbook_lib.engine.attempt import NOTHING_WRITTEN, Attempt, Ending
from runbook_lib.engine.chain import Event
from runbook_lib.engine.effects import Act, MessageProbe
from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Mode, NothingToDo, Probe
from runbook_lib.engine.waiting import until_met
from runbook_lib.errors import ServiceRefused


def sent_already(attempt: Attempt, resolved: MessageProbe) -> bool:
    """Tell whether an attempt of this run sent, or may have sent, one of them."""
    events = attempt.record.events
    return any(history.acted(events, resolved.id, name) for name in resolved.parts())


def perform_messages(attempt: Attempt, step: Probe, resolved: MessageProbe) -> Ending:
    """Send what no attempt did or may have done, and look where all are."""
    sent = _all_sent(attempt, step, resolved)
    facts = {name: event.get("facts") or {} for name, event in sent.items()}
    known = cast("State", facts.get("", facts))
    window = attempt.session.tenant.windows.trace
    last = max(datetime.fromisoformat(str(event["time"])) for event in sent.values())
    return until_met(
        attempt,
        resolved,
        lambda: resolved.follow(attempt.session, known),
        min(attempt.wait, window),
        last + timedelta(seconds=window),
    )


def _all_sent(
    attempt: Attempt, step: Probe, resolved: MessageProbe
) -> dict[str, Event]:
    """Return what is known of each message; those not sent yet are sent in apply.

    One that the server refuses keeps no other from being tried, and may be tried
    again in a later attempt.

    Raises:
        ServiceRefused: the first of these refusals.
    """
    events = attempt.record.events
    found = {name: history.acted(events, step.id, name) for name in resolved.parts()}
    sent = {name: event for name, event in found.items() if event is not None}
    missing = [name for name in found if name not in sent]
    if attempt.mode is not Mode.APPLY or not missing:
        return sent
    attempt.begin(step, resolved, {}, "create")
    refusals: list[ServiceRefused] = []
    for name in missing:
        try:
            sent[name] = _sent(attempt, step, name, resolved.parts()[name])
        except ServiceRefused as refusal:
            refusals.append(refusal)
    if refusals:
        raise refusals[0]
    return sent


def _sent(attempt: Attempt, step: Probe, name: str, act: Act) -> Event:
    """Send a message; what was surely not sent may be sent in a later attempt.

    That the message goes out next is on disk before it does.
    """
    named = {"message": name} if name else {}
    record, mode = attempt.record, attempt.mode

    def sending() -> None:
        record.append("step.act", mode=mode, step=step.id, **named)

    try:
        facts = act(attempt.session, sending)
    except (*NOTHING_WRITTEN, NothingToDo) as error:
        attempt.refused(step, error, **named)
        raise
    return record.append("step.acted", mode=mode, step=step.id, facts=facts, **named)

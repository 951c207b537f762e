"""The head of a report: what was declared, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.result import mode_of
from runbook_lib.views import story

_COMMON = frozenset({"schema", "seq", "prev", "run", "time", "mode", "event"})

_MODES = {
    "plan": "plan: reads, writes nothing",
    "apply": "apply: writes what is missing",
    "verify": "verify: reads, writes nothing",
    "rollback": "rollback: takes back what an earlier run wrote",
}
_TARGETS = {
    "sandbox": "sandbox on this machine, not a real tenant",
    "real": "real tenant",
}


def facts(events: Sequence[Event]) -> dict[str, str]:
    """Return the facts at the top of a report, in their order."""
    head, tenant = header(events), story.tenant(events)
    target = str(tenant.get("target"))
    named = {
        "Tenant": str(tenant.get("name") or "not stated"),
        "Tenant ID": str(tenant.get("tenant_id") or "not stated"),
        "Target": _TARGETS.get(target, target),
        "Cloud": str(tenant.get("cloud") or "not stated"),
        "Mailbox": str(tenant.get("mailbox") or "not stated"),
        "Change reference": str(tenant.get("change_reference") or "none given"),
        "Mode": _mode(events),
        "Run": str(head["run"]),
        "Operator, declared": _operator(head, tenant),
        "Operator, measured": _measured(events),
    }
    return {**named, **_related(events), **_times(events)}


def _mode(events: Sequence[Event]) -> str:
    head, mode = header(events), mode_of(events)
    by = ", step by step in a front end" if head.get("interactive") else ""
    return f"{_MODES.get(mode, mode)}{by}"


def _operator(head: Event, tenant: Mapping[str, object]) -> str:
    declared = head.get("operator") or tenant.get("operator")
    if isinstance(declared, Mapping):
        return ", ".join(f"{name} {value}" for name, value in sorted(declared.items()))
    return str(declared or "not stated")


def _measured(events: Sequence[Event]) -> str:
    """Return the identity in the token, in one line; the rest stands below."""
    seen = measured_operator(events)
    if not seen:
        return "not measured: no session was opened"
    names = {"app_displayname": "", "upn": "", "appid": "appid "}
    known = [f"{word}{seen[name]}" for name, word in names.items() if seen.get(name)]
    refused = f"no token: {seen['problem']}" if seen.get("problem") else ""
    return ", ".join(known) or refused or "see under Operator"


def measured_operator(events: Sequence[Event]) -> dict[str, object]:
    """Return what `session.opened` measured: the identity in the token."""
    opened = [event for event in events if event["event"] == "session.opened"]
    fields = opened[-1] if opened else {}
    own = {k: v for k, v in fields.items() if k not in _COMMON}
    token = own.pop("operator", None)
    return {**token, **own} if isinstance(token, Mapping) else own


def _related(events: Sequence[Event]) -> dict[str, str]:
    """Return the other run that this one takes back or completes."""
    named = {}
    for event in events:
        if event["event"] == "run.rolls_back":
            named["Rolls back"] = f"run {event.get('record')}"
    other = header(events).get("completes")
    if isinstance(other, Mapping):
        named["Completes"] = (
            f"run {other['run']}, which ended {other['result']}; its chain head is "
            f"{other['head']}"
        )
    return named


def _times(events: Sequence[Event]) -> dict[str, str]:
    end = closed(events)
    resumed = [str(e["time"]) for e in events if e["event"] == "run.resumed"]
    named = {"Opened (UTC)": str(header(events)["time"])}
    if resumed:
        named["Resumed (UTC)"] = ", ".join(resumed)
    named["Closed (UTC)"] = str(end["time"]) if end else "not closed"
    return named

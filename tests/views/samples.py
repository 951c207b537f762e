"""Events and records to draw: real records, written by the engine's own class."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from runbook_lib.engine.chain import Event
from runbook_lib.engine.record import Clock, Record
from runbook_lib.engine.step import Evidence
from runbook_lib.secret import Mask

MAILBOX = "sap@contoso.com"
TENANT = {
    "name": "contoso",
    "tenant_id": "11111111-2222-3333-4444-555555555555",
    "cloud": "global",
    "target": "sandbox",
    "mailbox": MAILBOX,
    "change_reference": "CHG0031877",
}


def ticking() -> Clock:
    """Return a clock that moves on by one second each time it is read."""
    start = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
    seconds = count()
    return lambda: start + timedelta(seconds=next(seconds))


def end(outcome: str, **fields: object) -> Event:
    """Return a `step.end` event of Activate SMTP AUTH, with some fields replaced."""
    return {
        "schema": 1,
        "seq": 7,
        "run": "example",
        "time": "2026-11-25T10:00:07.000Z",
        "mode": "apply",
        "event": "step.end",
        "step": "enable-authenticated-smtp",
        "kind": "Change",
        "title": "Activate SMTP AUTH for the mailbox",
        "guide": "activate-smtp-auth-for-the-mailbox",
        "outcome": outcome,
        "before": {},
        "expected": {"SmtpClientAuthenticationDisabled": False},
        "after": {},
        **fields,
    }


def changed(**fields: object) -> Event:
    """Return the end of the same step after it was written and read back."""
    known = {
        "before": {"SmtpClientAuthenticationDisabled": None},
        "after": {"SmtpClientAuthenticationDisabled": False},
        "action": "update",
    }
    return end("changed", **{**known, **fields})


STEPS: tuple[Mapping[str, object], ...] = (
    {"step": "sender-mailbox", "kind": "Check", "title": "Sender mailbox exists"},
    {
        "step": "enable-authenticated-smtp",
        "kind": "Change",
        "title": "Activate SMTP AUTH for the mailbox",
    },
    {
        "step": "sign-in-to-smtp",
        "kind": "Probe",
        "title": "Sign in to SMTP with OAuth 2.0",
    },
    {
        "step": "sap-notes-implemented",
        "kind": "Attestation",
        "title": "SAP Note 3581654 is implemented",
    },
)


def new_record(folder: Path, *, mode: str = "apply", **header: object) -> Record:
    """Return an open record whose header and session events are written."""
    record = Record.create(folder, mask=Mask(), clock=ticking())
    known: dict[str, object] = {
        "notebook": "1-smtp-oauth",
        "title": "Option 1: SMTP OAuth 2.0 with a client secret",
        "steps": STEPS,
        "proof": ["sign-in-to-smtp"],
        "parameters": {"tenant": "contoso.yaml", "mode": mode},
        "tenant": TENANT,
        "digests": {"notebook": "a" * 64, "catalogue": "b" * 64, "library": "c" * 64},
        "interactive": False,
        "closer": "attached",
        "ledger_head": "d" * 64,
    }
    record.append("run.opened", mode=mode, **{**known, **header})
    record.append(
        "session.opened",
        mode=mode,
        operator={
            "app_displayname": "Runbook operator",
            "appid": "99999999-8888-7777-6666-555555555555",
            "oid": "77777777-8888-7777-6666-555555555555",
            "tid": TENANT["tenant_id"],
            "idtyp": "app",
        },
    )
    return record


def add_end(record: Record, event: Event, *, mode: str) -> None:
    """Append a `step.end` event like the one given."""
    own = {"schema", "seq", "prev", "run", "time", "mode", "event"}
    fields = {name: value for name, value in event.items() if name not in own}
    record.append("step.end", mode=mode, **fields)


def mailbox_check(outcome: str = "ok", **fields: object) -> Event:
    """Return the end of the check that the mailbox exists."""
    known: dict[str, object] = {
        "step": "sender-mailbox",
        "kind": "Check",
        "title": "Sender mailbox exists",
        "guide": "prerequisites",
        "expected": {
            "RecipientTypeDetails": {"one of": ["SharedMailbox", "UserMailbox"]}
        },
        "before": {"RecipientTypeDetails": "SharedMailbox"},
        "after": {"RecipientTypeDetails": "SharedMailbox"},
        "context": {"PrimarySmtpAddress": MAILBOX, "ForwardingAddress": None},
    }
    return end(outcome, **{**known, **fields})


def sign_in(outcome: str = "ok", **fields: object) -> Event:
    """Return the end of the sign-in probe."""
    known: dict[str, object] = {
        "step": "sign-in-to-smtp",
        "kind": "Probe",
        "title": "Sign in to SMTP with OAuth 2.0",
        "expected": {"reply": "235"},
        "after": {"reply": "235"} if outcome == "ok" else {},
        "vantage": "this machine, not the SAP host",
    }
    return end(outcome, **{**known, **fields})


def note(outcome: str = "ok", **fields: object) -> Event:
    """Return the end of the attestation."""
    known: dict[str, object] = {
        "step": "sap-notes-implemented",
        "kind": "Attestation",
        "title": "SAP Note 3581654 is implemented",
        "expected": {"3581654": "implemented"},
        "action": "manual",
    }
    if outcome == "ok":
        known["after"] = {"3581654": "implemented"}
        known["vantage"] = "as stated by a person"
        known["attested"] = {
            "who": "A. Basis",
            "when": "2026-11-24 09:30 UTC",
            "reference": "CHG0031877",
            "files": ["1-snote.txt"],
        }
    return end(outcome, **{**known, **fields})


WAITING = {
    "problem": "Waiting for evidence from a person.",
    "remedy_id": "sap-notes-implemented",
}


def evidence() -> Evidence:
    """Return what a person hands in."""
    text = "SNOTE: 3581654 Completely implemented"
    return Evidence("A. Basis", "2026-11-24 09:30 UTC", "CHG0031877", text)


EXCHANGES: tuple[Mapping[str, object], ...] = (
    {
        "protocol": "https",
        "method": "GET",
        "host": "graph.microsoft.com",
        "port": 443,
        "status": 200,
        "write": False,
        "error": None,
        "peer": "127.0.0.1:8443",
        "tls": {"issuer_sha256": "e" * 64},
    },
    {
        "protocol": "https",
        "method": "POST",
        "host": "outlook.office365.com",
        "port": 443,
        "status": 200,
        "write": True,
        "error": None,
        "peer": "127.0.0.1:8443",
        "tls": {"issuer_sha256": "e" * 64},
    },
    {
        "protocol": "https",
        "method": "GET",
        "host": "graph.microsoft.com",
        "port": 443,
        "status": 404,
        "write": False,
        "error": None,
        "peer": "127.0.0.1:8443",
        "tls": None,
    },
    {
        "protocol": "dns",
        "server": "127.0.0.1:5353",
        "write": False,
        "error": "time-out",
    },
)


def applied_run(
    folder: Path, *, attest: bool = True, mode: str = "apply", **header: object
) -> Record:
    """Return the closed record of an apply run, good but for the attestation."""
    record = new_record(folder, mode=mode, **header)
    add_end(record, mailbox_check(), mode="apply")
    add_end(record, changed(), mode="apply")
    add_end(record, sign_in(advice="A certificate is recommended."), mode="apply")
    if attest:
        attach_note(record)
    last = note() if attest else note("pending", **WAITING)
    add_end(record, last, mode="apply")
    for exchange in EXCHANGES:
        record.traffic(exchange)
    close(record, "succeeded" if attest else "incomplete")
    return record


def attach_note(record: Record) -> None:
    """Write the event that a person handed something in."""
    record.append(
        "evidence.attached",
        mode="apply",
        step="sap-notes-implemented",
        who="A. Basis",
        when="2026-11-24 09:30 UTC",
        reference="CHG0031877",
        text={
            "path": "evidence/sap-notes-implemented/1-statement.txt",
            "sha256": "f" * 64,
        },
        files=[],
    )


def close(record: Record, result: str, *, mode: str = "apply") -> None:
    """Write the closing event as the closer does."""
    record.append(
        "run.closed",
        mode=mode,
        result=result,
        exit_code=0,
        outcomes={},
        kernel={"ended": "finished"},
        notebook=None,
        closer="attached",
        leak_search="patterns",
    )
    record.close()

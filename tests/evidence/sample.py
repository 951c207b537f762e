"""Records to close and to tamper with, written by the engine's own class."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from runbook_lib.engine.attestations import attach
from runbook_lib.engine.record import Clock, Record
from runbook_lib.engine.step import Evidence, Mode
from runbook_lib.evidence.close import Closed, close_run
from runbook_lib.evidence.ledger import LEDGER, Ledger
from runbook_lib.secret import Mask

TENANT = {
    "name": "contoso",
    "tenant_id": "11111111-2222-3333-4444-555555555555",
    "cloud": "global",
    "target": "sandbox",
    "mailbox": "sap@contoso.com",
    "change_reference": "CHG0031877",
}
STEPS = (
    ("sender-mailbox", "Check", "SenderMailbox", "Sender mailbox exists"),
    (
        "enable-authenticated-smtp",
        "Change",
        "EnableAuthenticatedSmtp",
        "Activate SMTP AUTH for the mailbox",
    ),
    ("sign-in-to-smtp", "Probe", "SignInToSmtp", "Sign in to SMTP with OAuth 2.0"),
)
CHANGED = "enable-authenticated-smtp"
WANTED = {"SmtpClientAuthenticationDisabled": False}
UNSET = {"SmtpClientAuthenticationDisabled": None}


def ticking(hour: int = 10) -> Clock:
    """Return a clock that moves on by one second each time it is read."""
    start, seconds = datetime(2026, 11, 25, hour, tzinfo=UTC), count()
    return lambda: start + timedelta(seconds=next(seconds))


def ledger_of(outputs: Path, clock: Clock | None = None) -> Ledger:
    """Return the ledger of an outputs folder."""
    return Ledger(outputs / LEDGER, clock=clock or ticking())


def described(step: str) -> dict[str, object]:
    """Return what events tell of one of the steps."""
    known = next(fields for fields in STEPS if fields[0] == step)
    names = ("step", "kind", "class", "title")
    inputs = {"mailbox": "sap@contoso.com"}
    return {
        **dict(zip(names, known, strict=True)),
        "version": 1,
        "guide": step,
        "inputs": inputs,
        "resolved": inputs,
    }


def open_record(
    outputs: Path,
    run: str = "example",
    *,
    mode: Mode = Mode.APPLY,
    clock: Clock | None = None,
    header: Mapping[str, object] | None = None,
) -> Record:
    """Open a run: its ledger line, its record and the record's header."""
    clock = clock or ticking()
    ledger = ledger_of(outputs, clock)
    head = ledger.head()
    ledger.opened(run, "contoso")
    record = Record.create(outputs / "contoso" / run, mask=Mask(), clock=clock)
    fields: dict[str, object] = {
        "notebook": "1-smtp-oauth",
        "title": "Option 1: SMTP OAuth 2.0 with a client secret",
        "steps": [_listed(step) for step, *_ in STEPS],
        "proof": ["sign-in-to-smtp"],
        "parameters": {"tenant": "contoso.yaml", "mode": str(mode), "product": "ecc"},
        "tenant": TENANT,
        "digests": {"catalogue": "c" * 64, "library": "d" * 64},
        "interactive": False,
        "closer": "none",
        "ledger_head": head,
    }
    record.append("run.opened", mode=mode, **{**fields, **(header or {})})
    record.append("session.opened", mode=mode, operator={"appid": "0000-1111"})
    return record


def _listed(step: str) -> dict[str, object]:
    kept = ("step", "kind", "class", "version", "title")
    return {name: described(step)[name] for name in kept}


def begin(record: Record, step: str, *, mode: Mode = Mode.APPLY) -> None:
    """Write that a step is under way."""
    record.append(
        "step.begin",
        mode=mode,
        **described(step),
        before=UNSET,
        expected=WANTED,
        action="update",
    )


def end(
    record: Record, step: str, outcome: str, *, mode: Mode = Mode.APPLY, **more: object
) -> None:
    """Write how a step ended."""
    known: dict[str, object] = {
        "before": UNSET if step == CHANGED else WANTED,
        "expected": WANTED,
        "after": WANTED if outcome in ("ok", "changed") else {},
    }
    fields = {**described(step), **known, **more, "outcome": outcome}
    record.append("step.end", mode=mode, **fields)


def fill(record: Record, *, mode: Mode = Mode.APPLY, finished: bool = True) -> Record:
    """Write the steps of a good run, with traffic and, in apply, an attachment."""
    end(record, "sender-mailbox", "ok", mode=mode)
    begin(record, CHANGED, mode=mode)
    changing = {Mode.APPLY: "changed", Mode.PLAN: "planned", Mode.VERIFY: "ok"}
    end(record, CHANGED, changing[mode], mode=mode, action="update")
    last = "planned" if mode is Mode.PLAN else "ok"
    end(record, "sign-in-to-smtp", last, mode=mode)
    record.traffic({"protocol": "https", "method": "GET", "status": 200})
    if mode is Mode.APPLY:
        text = "Note 3581654: Completely implemented"
        evidence = Evidence("A. Basis", "2026-11-24", "CHG0031877", text)
        attach(record, mode, "sap-notes-implemented", evidence)
    if finished:
        record.append("run.finished", mode=mode)
    return record


def notebook(
    path: Path,
    *,
    head: str | None = None,
    injected: str | None = None,
    exception: bool = False,
    outputs: Sequence[Mapping[str, object]] = (),
) -> Path:
    """Write a small notebook as papermill (`injected`) or JupyterLab saves it."""
    shown = list(outputs)
    if head:
        text = [f"chain head {head}\n", "Close the record: runbook seal …\n"]
        shown.append({"output_type": "stream", "name": "stdout", "text": text})
    cells = [_cell("parameters", 'run_id: str = ""', ["parameters"])]
    if injected is not None:
        cells.append(_cell("injected", injected, ["injected-parameters"]))
    cells.append({**_cell("report", "print(run_id)", []), "outputs": shown})
    body = {
        "cells": cells,
        "metadata": {"papermill": {"exception": exception or None}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    return path


def _cell(name: str, source: str, tags: list[str]) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": 1,
        "id": name,
        "metadata": {"tags": tags},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def closed_run(
    outputs: Path,
    run: str = "example",
    *,
    mode: Mode = Mode.APPLY,
    hour: int = 10,
) -> Closed:
    """Make a good run and close it as `runbook run` does."""
    clock = ticking(hour)
    record = fill(open_record(outputs, run, mode=mode, clock=clock), mode=mode)
    saved = notebook(outputs / f"{run}.ipynb", injected=f'run_id = "{run}"')
    record.close()
    return close_run(
        record.folder,
        ledger=ledger_of(outputs, clock),
        kernel_ended="finished",
        notebook=saved,
        closer="runbook run",
        clock=clock,
    )


def version_1(outputs: Path) -> None:
    """Make the runs that are kept in `tests/records/v1`: a plan and its apply."""
    closed_run(outputs, "plan", mode=Mode.PLAN, hour=9)
    closed_run(outputs, "apply", hour=10)

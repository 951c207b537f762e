"""Whole records of each kind of run, and what their reports say."""

from __future__ import annotations

from pathlib import Path

from runbook_lib.engine.record import Record
from runbook_lib.views.report import report_html
from tests.views.html_reader import words
from tests.views.samples import (
    TENANT,
    add_end,
    close,
    end,
    mailbox_check,
    new_record,
    note,
    sign_in,
)

NAME = "SmtpClientAuthenticationDisabled"


def planned_run(folder: Path) -> Record:
    """Return the closed record of a plan with one change to make."""
    record = new_record(folder, mode="plan")
    add_end(record, mailbox_check(), mode="plan")
    planned = end("planned", before={NAME: None}, action="update")
    add_end(record, planned, mode="plan")
    add_end(record, sign_in("planned"), mode="plan")
    add_end(record, note("planned"), mode="plan")
    close(record, "succeeded", mode="plan")
    return record


def rolled_back_run(folder: Path) -> Record:
    """Return the closed record of a rollback of one change."""
    record = new_record(folder, mode="rollback")
    record.append("run.rolls_back", mode="rollback", record="earlier-run")
    reverted = end(
        "reverted", before={NAME: False}, expected={NAME: None}, after={NAME: None}
    )
    add_end(record, reverted, mode="rollback")
    close(record, "rolled back", mode="rollback")
    return record


def refused_run(folder: Path) -> Record:
    """Return the closed record of a run that was refused."""
    record = new_record(folder)
    record.append(
        "run.refused",
        mode="apply",
        problem="apply on a real target needs a signed approval",
        remedy="Run plan there.",
    )
    close(record, "refused")
    return record


def failed_run(folder: Path) -> Record:
    """Return the open record of a run that stopped at a failed step."""
    record = new_record(folder, tenant={**TENANT, "target": "real"}, ledger_head=None)
    add_end(record, mailbox_check(), mode="apply")
    failed = end(
        "failed",
        before={NAME: None},
        after={NAME: True},
        problem=f"{NAME} is true, expected false",
        remedy="Look for a policy.",
        remedy_id="smtp-auth-disabled-mailbox",
    )
    add_end(record, failed, mode="apply")
    record.close()
    return record


def said(record: Record) -> str:
    """Return what a reader reads."""
    return words(report_html(record.events, folder=record.folder))

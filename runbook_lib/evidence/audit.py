"""`runbook audit`: can records be relied on, and does one miss?

Chain, sums and result of each record are checked, and each record against the
ledger. Nothing is written, and no service is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from glob import escape
from pathlib import Path

from runbook_lib.engine.record import EVENTS
from runbook_lib.errors import InputError, RecordBroken
from runbook_lib.evidence.audit_ledger import (
    check_against,
    check_head,
    check_ledger,
    check_missing,
)
from runbook_lib.evidence.audit_record import Checked, check_record
from runbook_lib.evidence.finding import Finding, Severity, broken, warning
from runbook_lib.evidence.ledger import LEDGER, LedgerChain, read_ledger


@dataclass(frozen=True)
class AuditReport:
    """What an audit found, and how many records it read."""

    findings: tuple[Finding, ...]
    records: int

    @property
    def intact(self) -> bool:
        """Tell whether nothing is broken."""
        return all(found.severity != Severity.BROKEN for found in self.findings)

    @property
    def exit_code(self) -> int:
        """Return what the command line ends with: 0, or 6 if anything is broken."""
        return 0 if self.intact else RecordBroken.exit_code

    def lines(self) -> list[str]:
        """Return the findings and a last line that sums them up."""
        count = f"{self.records} record{'' if self.records == 1 else 's'}"
        verdict = "nothing is broken" if self.intact else "BROKEN: do not rely on this"
        return [*map(str, self.findings), f"{count} checked: {verdict}."]

    def as_json(self) -> dict[str, object]:
        """Return the report as a JSON object."""
        return {
            "intact": self.intact,
            "records": self.records,
            "findings": [asdict(found) for found in self.findings],
        }


@dataclass(frozen=True)
class Scope:
    """What a path stands for: outputs, one tenant of it, or one record.

    `tenant` and `run` are None where all are meant.
    """

    outputs: Path
    tenant: str | None = None
    run: str | None = None

    @classmethod
    def of(cls, path: Path) -> Scope:
        """Tell what a path is.

        Raises:
            InputError: it holds no record.
        """
        path = path.resolve()
        parent, above = path.parent, path.parent.parent
        if (path / EVENTS).exists() or _is_removed_record(path):
            return cls(above, parent.name, path.name)
        if (path / LEDGER).exists() or any(path.glob(f"*/*/{EVENTS}")):
            return cls(path)
        if (parent / LEDGER).exists() or any(path.glob(f"*/{EVENTS}")):
            return cls(parent, path.name)
        raise InputError(
            f"{path}: no record is here",
            remedy="Give a record's folder, a tenant's folder, or the outputs folder.",
        )

    @property
    def records(self) -> list[Path]:
        """Return the folders of the records on disk."""
        tenant, run = (
            escape(part) if part else "*" for part in (self.tenant, self.run)
        )
        pattern = f"{tenant}/{run}/{EVENTS}"
        return sorted(path.parent for path in self.outputs.glob(pattern))

    def owners(self, ledger: LedgerChain) -> list[tuple[str, str]]:
        """Return tenant and run of the ledger's runs within the scope."""
        return [
            (tenant, run)
            for tenant, run in ledger.owners
            if self.tenant in (None, tenant) and self.run in (None, run)
        ]


def _is_removed_record(path: Path) -> bool:
    """Tell whether the ledger knows a record here that has lost its events."""
    ledger = path.parent.parent / LEDGER
    try:
        known = read_ledger(ledger).owners if ledger.exists() else {}
    except RecordBroken:
        return False
    return (path.parent.name, path.name) in known


def audit(paths: Iterable[Path], *, head: str | None = None) -> AuditReport:
    """Audit records, tenants' folders or outputs folders.

    `head` is a ledger head that was kept outside, as in the change ticket.

    Raises:
        InputError: a path holds no record, or the head is not a digest.
    """
    if head is not None and not re.fullmatch(r"[0-9a-f]{64}", head.lower()):
        raise InputError(
            "--head: not a SHA-256", remedy="Give the 64 hex digits of the ledger head."
        )
    scopes = list(dict.fromkeys(Scope.of(path) for path in paths))
    folders = dict.fromkeys(folder for scope in scopes for folder in scope.records)
    records = [check_record(folder) for folder in folders]
    findings = [found for record in records for found in record.findings]
    ledgers, unreadable = _ledgers(scopes)
    findings += unreadable
    for path, ledger in ledgers.items():
        findings += _with_ledger(path, ledger, scopes, records)
    findings += check_head(ledgers, head.lower() if head else None)
    order = list(Severity)
    findings.sort(key=lambda found: order.index(found.severity))
    return AuditReport(tuple(dict.fromkeys(findings)), len(records))


def _ledgers(
    scopes: Sequence[Scope],
) -> tuple[dict[Path, LedgerChain], list[Finding]]:
    """Return the ledgers that hold together, and a finding for each other one."""
    ledgers: dict[Path, LedgerChain] = {}
    found: list[Finding] = []
    for scope in scopes:
        path = scope.outputs / LEDGER
        if not path.exists():
            found.append(_no_ledger(scope))
            continue
        try:
            ledgers[path] = read_ledger(path)
        except RecordBroken as error:
            found.append(broken(str(scope.outputs), LEDGER, error.message))
    return ledgers, found


def _no_ledger(scope: Scope) -> Finding:
    if scope.tenant and scope.run:
        folder = scope.outputs / scope.tenant / scope.run
        why = "no ledger is beside this record: compare the digest of SHA256SUMS"
        return warning(str(folder), "", why)
    return broken(str(scope.outputs), LEDGER, "there are records and no ledger")


def _with_ledger(
    path: Path, ledger: LedgerChain, scopes: Sequence[Scope], records: Sequence[Checked]
) -> list[Finding]:
    here = [scope for scope in scopes if scope.outputs == path.parent]
    findings = list(check_ledger(path, ledger))
    for scope in here:
        owners = scope.owners(ledger)
        findings += check_missing(scope.outputs, ledger, owners)
    for record in records:
        if record.folder.parent.parent == path.parent:
            findings += check_against(record, ledger)
    return findings

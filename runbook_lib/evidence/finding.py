"""What a check of a record found, as a sentence for a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters.

    `broken`: the record is no evidence. `warning`: somebody has to look.
    `note`: what an auditor should know and need not act on.
    """

    BROKEN = "broken"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One finding: the record's folder, the file in it, and one sentence.

    `record` and `file` are empty where a finding concerns none.
    """

    severity: Severity
    record: str
    file: str
    sentence: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        where = "/".join(part for part in (self.record, self.file) if part)
        return f"{self.severity}: {where}: {self.sentence}"


def broken(record: str, file: str, sentence: str) -> Finding:
    """Return a finding that makes the record worthless as evidence."""
    return Finding(Severity.BROKEN, record, file, sentence)


def warning(record: str, file: str, sentence: str) -> Finding:
    """Return a finding that somebody has to look at."""
    return Finding(Severity.WARNING, record, file, sentence)


def note(record: str, file: str, sentence: str) -> Finding:
    """Return a finding to know of."""
    return Finding(Severity.NOTE, record, file, sentence)

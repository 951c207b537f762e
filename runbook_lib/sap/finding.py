"""Findings: what was read in pasted evidence, where, what it means, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a finding says. `undetermined`: the evidence does not show it."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    WARNING = "warning"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Line:
    """One line of the evidence, counted from 1; `artifact` says of what."""

    number: int
    text: str
    artifact: str = ""

    def __str__(self) -> str:
        """Return where the line stands and what it says, shortened."""
        text = " ".join(self.text.split())
        shown = text if len(text) <= 160 else f"{text[:157]}…"
        of = f"{self.artifact}, " if self.artifact else ""
        return f"{of}line {self.number}: {shown}"


@dataclass(frozen=True)
class Missing:
    """Something that is not there, and where it was looked for."""

    what: str
    where: str

    def __str__(self) -> str:
        """Return both in one phrase."""
        return f"no {self.what}; looked for in {self.where}"


@dataclass(frozen=True)
class Rule:
    """One rule of a validator.

    `says` is the sentence of a finding and `fix` what to do; both may name
    values in braces. `source` is where the rule comes from. A pass needs no fix.
    """

    id: str
    verdict: Verdict
    says: str
    source: str
    fix: str = ""

    def at(self, line: Line, **values: object) -> Finding:
        """Return the finding at a line."""
        return self._found(line, values)

    def missing(self, what: str, where: str, **values: object) -> Finding:
        """Return the finding about something that is not there."""
        return self._found(Missing(what, where), values)

    def _found(self, evidence: Line | Missing, values: dict[str, object]) -> Finding:
        return Finding(
            rule=self.id,
            verdict=self.verdict,
            evidence=evidence,
            says=self.says.format(**values),
            fix=self.fix.format(**values),
            source=self.source,
        )


@dataclass(frozen=True)
class Finding:
    """One finding: the rule, its verdict, the line or what is missing, the fix."""

    rule: str
    verdict: Verdict
    evidence: Line | Missing
    says: str
    fix: str
    source: str

    def __str__(self) -> str:
        """Return the finding in one line, for a card."""
        fix = f" {self.fix}" if self.fix else ""
        return f"{self.verdict} {self.rule}: {self.says}{fix} [{self.evidence}]"


def passed(rule: str, says: str, source: str) -> Rule:
    """Return a rule whose finding is a pass."""
    return Rule(rule, Verdict.PASS, says, source)


def failed(rule: str, says: str, fix: str, source: str) -> Rule:
    """Return a rule whose finding is a failure."""
    return Rule(rule, Verdict.FAIL, says, source, fix)


def warned(rule: str, says: str, fix: str, source: str) -> Rule:
    """Return a rule whose finding is a warning: works, or may work, but look."""
    return Rule(rule, Verdict.WARNING, says, source, fix)


def unclear(rule: str, says: str, fix: str, source: str) -> Rule:
    """Return a rule for evidence that does not show what it has to."""
    return Rule(rule, Verdict.UNDETERMINED, says, source, fix)


def overall(findings: Iterable[Finding]) -> Verdict:
    """Return one verdict for all findings.

    A failure wins, then what is undetermined; warnings do not matter. Without a
    single pass nothing was shown, which is undetermined as well.
    """
    verdicts = {finding.verdict for finding in findings}
    for decisive in (Verdict.FAIL, Verdict.UNDETERMINED):
        if decisive in verdicts:
            return decisive
    return Verdict.PASS if Verdict.PASS in verdicts else Verdict.UNDETERMINED

"""Rows of docs/soak/README.md: what a long test played, and what failed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "soak" / "README.md"


@dataclass
class Row:
    """One test function: its cases, failures, seeds and seconds, all calls together."""

    count: int = 0
    failures: int = 0
    seeds: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def line(self, file: str, name: str) -> str:
        """Return the row of the table; `make soak` with this command repeats it."""
        cells = (
            f"{datetime.now(UTC):%Y-%m-%d}",
            f"`{commit()}`",
            f"`make soak NAME={name}`",
            file.removeprefix("tests/soak/"),
            ", ".join(self.seeds) or "none",
            f"{self.count:,}",
            str(self.failures),
            f"{self.seconds / 60:.1f}",
        )
        return f"| {' | '.join(cells)} |"


@dataclass
class Results:
    """What the tests of this session came to, by file and function."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)

    def take(self, report: pytest.TestReport) -> None:
        """Add the end of one test; what it told of itself is among its properties."""
        name = report.location[2].partition("[")[0]
        row = self.rows.setdefault((report.location[0], name), Row())
        told = dict(report.user_properties)
        row.count += int(str(told.get("count", 1)))
        row.failures += int(report.failed)
        row.seconds += report.duration
        if "seed" in told and str(told["seed"]) not in row.seeds:
            row.seeds.append(str(told["seed"]))

    def write(self) -> None:
        """Print the rows, and add them to the end of the table."""
        lines = [row.line(*key) for key, row in self.rows.items()]
        if not lines:
            return
        text = "\n".join(lines) + "\n"
        print(f"\n{text}", end="")
        with TABLE.open("a", encoding="utf-8") as table:
            table.write(text)


def commit() -> str:
    """Return the short name of the commit, with -dirty if files differ from it.

    The rows that this very command writes do not count as a difference.
    """
    changed = git("status", "--porcelain", "--", ".", ":!docs/soak")
    return git("rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")


def git(*arguments: str) -> str:
    """Return what git prints."""
    done = subprocess.run(
        ("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()

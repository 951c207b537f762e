"""When sign-in with user and password ends at Exchange Online: dated data.

The dates moved three times, so they stand here with the day they were read and
not in the texts of steps.

Source: Exchange team blog, "Exchange Online to retire Basic auth for Client
Submission (SMTP AUTH)" with its updates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SOURCE = (
    "https://techcommunity.microsoft.com/blog/exchange/"
    "exchange-online-to-retire-basic-auth-for-client-submission-smtp-auth/4114750"
)
AS_OF = date(2026, 1, 27)


@dataclass(frozen=True)
class Stage:
    """From `begins` on: what no longer works; `exact` false: the day is not named."""

    begins: date
    sentence: str
    exact: bool = False


STAGES = (
    Stage(
        date(2026, 12, 31),
        "existing tenants: SMTP AUTH with a password is off by default, and an "
        "administrator may switch it on again",
    ),
    Stage(
        date(2027, 1, 1),
        "tenants created after December 2026: SMTP AUTH with a password is not "
        "available by default",
    ),
    Stage(
        date(2027, 7, 1),
        "in the second half of 2027 Microsoft announces when it is removed for good",
    ),
)


def reached(today: date) -> tuple[Stage, ...]:
    """Return the stages that have begun on a day, the oldest first."""
    return tuple(stage for stage in STAGES if stage.begins <= today)


def sentences() -> list[str]:
    """Return one line for each stage, as files and reports show them."""
    return [f"{s.begins.isoformat()}: {s.sentence}" for s in STAGES]

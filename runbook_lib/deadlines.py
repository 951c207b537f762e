"""Microsoft's dates that matter to mail of SAP: dated data, in one place.

They moved before and will again, so no text of a step holds one: whoever shows a
date shows the day it was read, and its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

BLOG = "https://techcommunity.microsoft.com/blog/exchange/"


@dataclass(frozen=True)
class Stage:
    """From `begins` on: what holds then; `exact` false: the day is not named."""

    begins: date
    sentence: str
    exact: bool = False


@dataclass(frozen=True)
class Deadline:
    """One announcement: for which options, as of when, from where, in which stages.

    Without stages `note` says what is known instead of a date.
    """

    topic: str
    options: frozenset[int]
    as_of: date
    source: str
    note: str
    stages: tuple[Stage, ...] = ()

    def reached(self, today: date) -> tuple[Stage, ...]:
        """Return the stages that have begun on a day, the oldest first."""
        return tuple(stage for stage in self.stages if stage.begins <= today)

    def sentences(self) -> list[str]:
        """Return one line for each stage, as files and reports show them."""
        return [f"{s.begins.isoformat()}: {s.sentence}" for s in self.stages]


SMTP_AUTH = Deadline(
    topic="SMTP AUTH with user and password",
    options=frozenset({1, 4}),
    as_of=date(2026, 1, 27),
    source=f"{BLOG}exchange-online-to-retire-basic-auth-for-client-submission-"
    "smtp-auth/4114750",
    note="Sign-in with OAuth 2.0, as set up here, is not affected; the dates moved "
    "three times.",
    stages=(
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
            "in the second half of 2027 Microsoft announces when it is removed for "
            "good",
        ),
    ),
)
DIGICERT_G2 = Deadline(
    topic="DigiCert Global Root G2 has to be trusted",
    options=frozenset({1, 2, 3}),
    as_of=date(2026, 3, 16),
    source=f"{BLOG} (post 4488311)",
    note="STRUST has a list of its own; the date moved twice before.",
    stages=(
        Stage(
            date(2026, 3, 22),
            "certificates of Exchange Online need that root: SAP has to trust it",
            exact=True,
        ),
    ),
)
DIRECT_SEND = Deadline(
    topic="Direct Send",
    options=frozenset({2}),
    as_of=date(2026, 8, 1),
    source="Microsoft Learn, Set-OrganizationConfig (RejectDirectSend)",
    note="Off by default, and an organization may reject it any day; no date for "
    "another default was found.",
)
DEADLINES = (SMTP_AUTH, DIGICERT_G2, DIRECT_SEND)


def of_option(option: int) -> tuple[Deadline, ...]:
    """Return what was announced for an option of the guide."""
    return tuple(known for known in DEADLINES if option in known.options)

"""What Exchange Online lets one mailbox and one tenant send, as dated data.

Source: Microsoft Learn, "Exchange Online limits" and "Improvements in SMTP
Authenticated Submission client protocol"; read in August 2026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

AS_OF = "2026-08"
TRIAL_EXTERNAL_PER_DAY = 5_000


@dataclass(frozen=True)
class Limits:
    """Limits that hold for all relays of a mailbox together.

    `connections` at the same time, messages a minute (0: no limit), recipients in
    24 hours. They are limits of authenticated submission; for a connector none is
    published.
    """

    connections: int = 3
    messages_per_minute: int = 30
    recipients_per_day: int = 10_000


PUBLISHED = Limits()


def external_recipients_per_day(licenses: int) -> int:
    """Return the tenant's limit of external recipients in 24 hours.

    0 licenses stand for a trial.

    Raises:
        ValueError: less than 0.

    Source: Microsoft Learn, "Exchange Online limits", tenant external recipient
    rate limit: 500 x (licenses ^ 0.7) + 9,500.
    """
    if licenses < 0:
        raise ValueError("a tenant has 0 licenses, as a trial, or more")
    if licenses == 0:
        return TRIAL_EXTERNAL_PER_DAY
    return math.floor(500 * math.pow(licenses, 0.7) + 9_500)

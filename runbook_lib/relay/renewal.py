"""When a relay's token is renewed: before it ends, and after it was refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

# A sign-in that Exchange Online refused, as Postfix and Exim log it.
REFUSED_SIGN_IN = re.compile(r"\b535 5\.7\.3\b")
# A token that is refused although it is new is not the token's fault.
BETWEEN_FORCED = timedelta(minutes=5)


@dataclass(frozen=True)
class TokenState:
    """What is known of a token without its text: when it was written, and ends."""

    written_at: datetime
    expires_at: datetime


def reason_to_renew(
    state: TokenState | None,
    now: datetime,
    *,
    renew_before: timedelta,
    refused: bool = False,
) -> str | None:
    """Return why a token is renewed now, or None.

    `refused` says that a sign-in was refused since the token was written.
    """
    if state is None:
        return "there is no token yet"
    if state.expires_at - now < renew_before:
        return f"it ends at {state.expires_at.isoformat(timespec='seconds')}"
    if refused and now - state.written_at >= BETWEEN_FORCED:
        return "a sign-in was refused with 535 5.7.3"
    return None

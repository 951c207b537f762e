"""The message trace of Exchange Online: how steps ask it and read its status.

Source: Get-MessageTraceV2.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from runbook_lib.session import Session
from runbook_lib.steps.reading import Object, text

DELIVERED = "Delivered"
UNDERWAY = frozenset({None, "Pending", "GettingStatus"})
# The cmdlet takes ten days at once.
LONGEST_WINDOW = timedelta(days=10)
AHEAD = timedelta(hours=1)


def trace_time(moment: datetime) -> str:
    """Return a moment in UTC as the trace takes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def rows_about(
    session: Session, recipient: str, subject: str
) -> list[dict[str, object]]:
    """Return the rows whose subject holds a text, of ten days, newest first."""
    end = session.now() + AHEAD
    return session.exchange.message_trace(
        recipient=recipient,
        subject=subject,
        start=trace_time(end - LONGEST_WINDOW),
        end=trace_time(end),
    )


def delivered_or_newest(rows: Sequence[Object]) -> Object | None:
    """Return a delivered row, else the newest one; None where there is none."""
    good = [row for row in rows if text(row, "Status") == DELIVERED]
    return next(iter([*good, *rows]), None)


def unseen_beyond(audience: str) -> str | None:
    """Return what the trace does not show of a mail to an external recipient."""
    if audience != "external":
        return None
    return "Accepted by the next mail server; delivery beyond it is not seen."

"""SAP's times: read in its time zone, careful where clocks are put back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runbook_lib.sap.clock import SapClock
from runbook_lib.sap.send_requests import Asked
from runbook_lib.sap.trace import trace_time

BERLIN = SapClock.named("Europe/Berlin")
TWICE = datetime(2026, 10, 25, 2, 30)  # 00:30 and 01:30 in UTC
FIRST = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_time_is_one_moment() -> None:
    """In winter Berlin is an hour ahead, in summer two."""
    winter = BERLIN.readings(datetime(2026, 11, 23, 18, 50))
    assert winter == (datetime(2026, 11, 23, 17, 50, tzinfo=UTC),)
    summer = BERLIN.readings(datetime(2026, 7, 1, 18, 50))
    assert summer == (datetime(2026, 7, 1, 16, 50, tzinfo=UTC),)


def test_an_hour_that_happens_twice_decides_nothing() -> None:
    """Between both readings a time is neither before nor after."""
    assert BERLIN.readings(TWICE) == (FIRST, FIRST + HOUR)
    middle = FIRST + HOUR / 2
    assert not BERLIN.before(TWICE, middle)
    assert not BERLIN.after(TWICE, middle)
    assert BERLIN.before(TWICE, FIRST + 2 * HOUR)
    assert BERLIN.after(TWICE, FIRST - HOUR)


def test_no_message_waits_too_long_because_clocks_changed() -> None:
    """Five minutes after the second reading is not an hour and five minutes."""
    asked = Asked(looked_at=FIRST + HOUR + timedelta(minutes=5), clock=BERLIN)
    assert not asked.waited_too_long(TWICE)
    asked = Asked(looked_at=FIRST + HOUR + timedelta(minutes=11), clock=BERLIN)
    assert asked.waited_too_long(TWICE)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("[Thr 1] Mon Nov 23 18:20:11:123 2026", datetime(2026, 11, 23, 18, 20, 11)),
        ("[Thr 1] Mon Nov  2 18:20:11 2026", datetime(2026, 11, 2, 18, 20, 11)),
        ("[Thr 1] Mon Nov 31 18:20:11 2026", None),
        ("[Thr 1] Mon Nov 23 25:20:11 2026", None),
        ("[Thr 1] NiBufIConnect", None),
    ],
)
def test_times_of_a_trace(text: str, time: datetime | None) -> None:
    """A line that states no real time has none, and is no fault."""
    assert trace_time(text) == time

"""The sizing calculator against a table worked by hand, and against a simulation."""

from __future__ import annotations

import pytest

from runbook_lib.mail_limits import Limits, external_recipients_per_day
from runbook_lib.relay.sizing import FILE_OVERHEAD, Load, Sizing, size_relays

# Worked by hand. One mailbox: 30 x 60 = 1,800 messages an hour. Connections:
# 1,800 / 3,600 x 0.5 s = 0.25, so 1; 3 mailboxes 0.75, so 1. Disk: backlog x (size +
# 8,192) x 2. Drain: backlog / (rate - peak).
TABLE = [
    # load, mailboxes needed, rate, connections, backlog, disk, hours to drain
    (Load(600, 4000, 200_000, 4), 1, 1800, 1, 2400, 999_321_600, 2.0),
    (Load(1800, 9000, 100_000, 2), 1, 1800, 1, 3600, 778_982_400, None),
    (Load(1801, 9000, 100_000, 0), 2, 1800, 1, 0, 0, 0.0),
    (Load(900, 12_000, 50_000, 8, 1, 2.5), 3, 1800, 1, 7200, 837_964_800, 8.0),
    (Load(3600, 20_000, 10_000, 1, 3), 2, 5400, 1, 3600, 130_982_400, 2.0),
    (Load(12_000, 90_000, 75_000, 1, 0), 0, 72_000, 10, 12_000, 1_996_608_000, 0.2),
]


@pytest.mark.parametrize(
    ("load", "mailboxes", "rate", "connections", "backlog", "disk", "drain"), TABLE
)
def test_hand_worked_table(
    load: Load,
    mailboxes: int,
    rate: float,
    connections: int,
    backlog: int,
    disk: int,
    drain: float | None,
) -> None:
    """Every number of the answer, and that a problem is named where there is one."""
    found = size_relays(load)
    numbers = (found.mailboxes, found.rate, found.connections, found.backlog)
    assert numbers == (mailboxes, rate, connections, backlog)
    assert found.disk == disk
    assert found.drain_hours == (drain if drain is None else pytest.approx(drain))
    short = bool(load.mailboxes) and mailboxes > load.mailboxes
    assert bool(found.problems) == (short or drain is None)


def test_arithmetic_is_shown() -> None:
    """A reader can follow each number."""
    text = "\n".join(size_relays(Load(600, 4000, 200_000, 4)).lines)
    for part in (
        "30 a minute x 60 = 1800 an hour",
        "600 x 4 h = 2400 messages",
        "2400 x (200000 + 8192) bytes x 2 = 999321600 bytes",
        "2400 / (1800 - 600) = 2.00 h",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("peak", "outage", "mailboxes"),
    [(600, 4, 1), (1500, 2, 1), (100, 24, 1), (3000, 1, 2), (5000, 3, 3)],
)
def test_queue_simulated_minute_by_minute(
    peak: int, outage: float, mailboxes: int
) -> None:
    """A queue that is filled and emptied by the minute comes to the same numbers."""
    load = Load(peak, peak * 4, 100_000, outage, mailboxes)
    found = size_relays(load)
    most, minutes = simulated(peak, outage, Limits().messages_per_minute * mailboxes)
    assert most == pytest.approx(found.backlog, abs=peak / 60 + 1)
    assert found.drain_hours is not None
    assert minutes / 60 == pytest.approx(found.drain_hours, abs=0.05)
    assert most * (load.size + FILE_OVERHEAD) <= found.disk


def simulated(peak: int, outage: float, per_minute: int) -> tuple[int, int]:
    """Return the longest queue, and the minutes after an outage until it is empty."""
    queue, most, minute, owed = 0, 0, 0, 0
    ends = int(outage * 60)
    while minute < ends or queue > 0:
        owed += peak
        arrived, owed = divmod(owed, 60)
        queue += arrived
        most = max(most, queue)
        if minute >= ends:
            queue -= min(queue, per_minute)
        minute += 1
        assert minute < 100_000
    return most, minute - ends


def test_limits_of_a_tenant() -> None:
    """Worked by hand: 1 license 10,000; 100 licenses 500 x 25.1189 + 9,500."""
    assert external_recipients_per_day(0) == 5_000
    assert external_recipients_per_day(1) == 10_000
    assert external_recipients_per_day(100) == 22_059
    with pytest.raises(ValueError, match="0 licenses"):
        external_recipients_per_day(-1)


def test_more_relays_change_nothing() -> None:
    """The rate is the mailbox's, so a problem of rate stays one."""
    found: Sizing = size_relays(Load(2000, 8000, 10_000, 1))
    assert found.relays == 2
    assert "Add mailboxes" in found.problems[0]

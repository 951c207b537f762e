"""Message trace: its rows of docs/sandbox.md, and the two cmdlets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE, message, send
from tests.sandbox.rows import Checks
from tests.sandbox.world import World, error_of

CHECKS = Checks("trace")
UNKNOWN = "nobody@contoso.com"


@CHECKS.row("trace.lag")
def check_lag(world: World) -> None:
    """The first read sees nothing, the second an interim status, then the last."""
    sent(world, INBOX, OUTSIDE)
    seen = [statuses(world) for _ in range(3)]
    assert seen == [
        {},
        {INBOX: "GettingStatus", OUTSIDE: "Pending"},
        {INBOX: "Delivered", OUTSIDE: "Delivered"},
    ]


@CHECKS.row("trace.window")
def check_window(world: World) -> None:
    """At most ten days at once, at most ninety days back."""
    now = datetime.now(UTC)
    for begin, length in ((11, 11), (91, 5)):
        start = now - timedelta(days=begin)
        window = {
            "StartDate": start.isoformat(),
            "EndDate": (start + timedelta(days=length)).isoformat(),
        }
        assert world.invoke("Get-MessageTraceV2", window).status_code == 400


@CHECKS.row("trace.failed-recipient")
def check_failed_recipient(world: World) -> None:
    """Submission takes an unknown colleague; the trace and a report tell."""
    code, _ = sent(world, UNKNOWN)
    assert code == 250
    row = settled(world)[0]
    assert row["Status"] == "Failed"
    events = details(world, row)
    assert events[-1]["Event"] == "FAIL"
    assert "550 5.1.10" in events[-1]["Detail"]
    report = world.mailbox().inbox[0]
    assert report["subject"] == "Undeliverable: Test"


@CHECKS.row("trace.expanded-group")
def check_expanded_group(world: World) -> None:
    """A member who is addressed too gets one copy."""
    group, members = "team@contoso.com", [INBOX, "basis@contoso.com"]
    world.run("New-DistributionGroup", Name="team", Members=members)
    assert sent(world, group, INBOX)[0] == 250
    assert {row["RecipientAddress"]: row["Status"] for row in settled(world)} == {
        group: "Expanded",
        INBOX: "Delivered",
        "basis@contoso.com": "Delivered",
    }
    row = next(r for r in settled(world) if r["RecipientAddress"] == group)
    assert details(world, row)[-1]["Event"] == "EXPAND"
    assert [len(world.mailbox(name).inbox) for name in members] == [1, 1]


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize(("fault", "hidden"), [("trace-lag=0", 0), ("trace-lag=3", 3)])
def test_lag_is_counted_as_asked(fault: str, hidden: int) -> None:
    """The fault says how many reads see nothing."""
    with World(faults=fault) as world:
        sent(world, INBOX)
        assert [statuses(world) for _ in range(hidden)] == [{}] * hidden
        assert statuses(world) == {INBOX: "GettingStatus"}


def test_reads_that_do_not_match_count_for_nothing() -> None:
    """Only a read that asks for the row brings it nearer."""
    with World() as world:
        sent(world, INBOX)
        for _ in range(5):
            assert statuses(world, SenderAddress="other@contoso.com") == {}
        assert statuses(world) == {}


def test_one_message_has_one_trace_id_and_a_row_per_recipient() -> None:
    """Both rows carry the Message-ID that the final reply named."""
    with World() as world:
        _, text = sent(world, INBOX, OUTSIDE)
        rows = settled(world)
        assert {row["MessageId"] for row in rows} == {text.split()[2]}
        assert len({row["MessageTraceId"] for row in rows}) == 1
        assert {row["RecipientAddress"]: row["ToIP"] for row in rows} == {
            INBOX: None,
            OUTSIDE: "203.0.113.25",
        }
        assert rows[0]["Organization"] == "contoso.onmicrosoft.com"
        assert rows[0]["FromIP"] == "203.0.113.1"


@pytest.mark.parametrize(
    ("recipient", "events"),
    [
        (INBOX, ["SUBMIT", "RECEIVE", "DELIVER"]),
        (OUTSIDE, ["SUBMIT", "RECEIVE", "SEND"]),
    ],
)
def test_events_of_a_message(recipient: str, events: list[str]) -> None:
    """The last event says whether the mail stayed in the organisation."""
    with World() as world:
        sent(world, recipient)
        assert [entry["Event"] for entry in details(world, settled(world)[0])] == events


def test_details_come_no_earlier_than_the_row() -> None:
    """While the row is hidden its events are too."""
    with World() as world:
        sent(world, INBOX)
        assert details(world, world.tenant.exchange.traces[0].row) == []


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"SenderAddress": MAILBOX}, 2),
        ({"SenderAddress": ["*@contoso.com"]}, 2),
        ({"RecipientAddress": [INBOX.upper()]}, 1),
        ({"Subject": "es", "SubjectFilterType": "Contains"}, 2),
        ({"Subject": "es", "SubjectFilterType": "StartsWith"}, 0),
        ({"Subject": "st", "SubjectFilterType": "EndsWith"}, 2),
        ({"Status": ["Delivered"]}, 2),
        ({"Status": ["Failed"]}, 0),
        ({"MessageId": "<own@client.contoso.com>"}, 0),
        ({"FromIP": "203.0.113.1"}, 2),
        ({"ToIP": "203.0.113.25"}, 1),
        ({"StartDate": "2020-01-01", "EndDate": "2020-01-02"}, None),
    ],
)
def test_filters(wanted: dict[str, Any], count: int | None) -> None:
    """Each filter selects what it names; null stands for a refused window."""
    with World() as world:
        sent(world, INBOX, OUTSIDE)
        settled(world)
        answer = world.invoke("Get-MessageTraceV2", wanted)
        found = len(answer.json()["value"]) if answer.status_code == 200 else None
        assert found == count


def test_more_rows_than_asked_for_are_announced() -> None:
    """The warning says where the rest begins, and the rest begins there."""
    with World() as world:
        sent(world, INBOX, OUTSIDE)
        settled(world)
        answer = world.invoke("Get-MessageTraceV2", {"ResultSize": 1}).json()
        assert "more results" in answer["@adminapi.warnings"][0]
        last = answer["value"][0]
        rest = world.run(
            "Get-MessageTraceV2",
            EndDate=last["Received"],
            StartingRecipientAddress=last["RecipientAddress"],
        )
        both = {last["RecipientAddress"], *(row["RecipientAddress"] for row in rest)}
        assert both == {INBOX, OUTSIDE}
        assert len(rest) == 1


@pytest.mark.parametrize("size", [0, 5001])
def test_result_size_has_limits(size: int) -> None:
    """One to five thousand rows."""
    with World() as world:
        answer = world.invoke("Get-MessageTraceV2", {"ResultSize": size})
        assert answer.status_code == (200 if size == 0 else 400)


def test_stored_date_shows_and_real_windows_find() -> None:
    """Under a fixed stored date the row shows it, and a real window finds it."""
    with World() as world:
        world.sandbox.stored_now = datetime(2025, 3, 1, tzinfo=UTC)
        sent(world, INBOX)
        statuses(world)
        statuses(world)
        now = datetime.now(UTC)
        window = {
            "StartDate": (now - timedelta(hours=1)).isoformat(),
            "EndDate": (now + timedelta(hours=1)).isoformat(),
        }
        row = world.run("Get-MessageTraceV2", **window)[0]
        assert row["Received"] == "2025-03-01T00:00:00.000Z"


def test_unknown_status_is_refused() -> None:
    """A status that does not exist is no filter that finds nothing."""
    with World() as world:
        answer = world.invoke("Get-MessageTraceV2", {"Status": ["Arrived"]})
        assert answer.status_code == 400
        assert "arrived" in error_of(answer)[1]


def sent(world: World, *recipients: str) -> tuple[int, str]:
    """Submit one message as a new sender; return the final reply."""
    with world.signed_in(world.sender()) as client:
        return send(client, message(), MAILBOX, *recipients)


def statuses(world: World, **wanted: Any) -> dict[str, str]:
    """Return the status of each recipient in one read."""
    rows = world.run("Get-MessageTraceV2", **wanted)
    return {row["RecipientAddress"]: row["Status"] for row in rows}


def settled(world: World) -> list[dict[str, Any]]:
    """Return the rows once all show their final status."""
    for _ in range(3):
        rows = world.run("Get-MessageTraceV2")
    return rows


def details(world: World, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a row."""
    return world.run(
        "Get-MessageTraceDetailV2",
        MessageTraceId=row["MessageTraceId"],
        RecipientAddress=row["RecipientAddress"],
    )

"""Message trace cmdlets: Get-MessageTraceV2 and Get-MessageTraceDetailV2.

The window is compared with the real moment of arrival and with the date shown,
so that a client with a real clock finds its mail under a fixed stored date too.
Source: Exchange cmdlet reference, Get-MessageTraceV2 and Get-MessageTraceDetailV2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from runbook_lib.sandbox.exchange_errors import INVALID, CmdletError
from runbook_lib.sandbox.exchange_invocation import Handler, Invocation, same
from runbook_lib.sandbox.exchange_mailboxes import settings_of
from runbook_lib.sandbox.exchange_types import items_of
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject, TraceEntry
from runbook_lib.sandbox.trace import is_visible, release_held, status_seen, trace_time

DEFAULT_WINDOW = timedelta(hours=48)
LONGEST_WINDOW = timedelta(days=10)
OLDEST = timedelta(days=90)
DEFAULT_RESULT_SIZE = 1000
LARGEST_RESULT_SIZE = 5000

STATUSES = {
    "delivered",
    "expanded",
    "failed",
    "filteredasspam",
    "gettingstatus",
    "pending",
    "quarantined",
}

# Filters that compare the whole value, and those that take wildcards. Angle
# brackets are part of a MessageId.
EXACT = ("MessageId", "MessageTraceId", "FromIP", "ToIP")
PATTERNS = ("SenderAddress", "RecipientAddress")

SUBJECT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda subject, wanted: wanted in subject,
    "startswith": lambda subject, wanted: subject.startswith(wanted),
    "endswith": lambda subject, wanted: subject.endswith(wanted),
}


@dataclass(frozen=True)
class Filters:
    """What a trace is asked for beside window and status.

    `exact` and `patterns` hold the wanted values by property; an empty list wants
    all. `after` is the last row of the page before: date shown and recipient.
    """

    exact: dict[str, list[str]]
    patterns: dict[str, list[str]]
    subject: str
    subject_test: Callable[[str, str], bool]
    after: tuple[datetime | None, str]

    def select(self, row: JsonObject) -> bool:
        """Say whether a row is asked for."""
        return (
            all(_equal(row[name], wanted) for name, wanted in self.exact.items())
            and all(
                _matches(row[name], wanted) for name, wanted in self.patterns.items()
            )
            and self.subject_test(str(row["Subject"]).lower(), self.subject)
            and not self._on_earlier_page(row)
        )

    def _on_earlier_page(self, row: JsonObject) -> bool:
        """Say whether a row was in the page that ended at `after`."""
        moment, recipient = self.after
        shown = datetime.fromisoformat(row["Received"])
        return (
            bool(recipient) and shown == moment and row["RecipientAddress"] <= recipient
        )


def read_filters(invocation: Invocation) -> Filters:
    """Read the filters of Get-MessageTraceV2; raises CmdletError for a bad one."""
    kind = (invocation.text("SubjectFilterType") or "Contains").lower()
    if kind not in SUBJECT_TESTS:
        raise CmdletError(INVALID, f"Invalid SubjectFilterType: {kind}.")
    return Filters(
        exact={name: items_of(invocation.get(name)) for name in EXACT},
        patterns={name: items_of(invocation.get(name)) for name in PATTERNS},
        subject=invocation.text("Subject").lower(),
        subject_test=SUBJECT_TESTS[kind],
        after=(
            _moment(invocation.get("EndDate")),
            invocation.text("StartingRecipientAddress").lower(),
        ),
    )


def get_message_trace(invocation: Invocation) -> list[JsonObject]:
    """Get-MessageTraceV2: newest first, at most ResultSize rows."""
    release_held(invocation.sandbox, invocation.tenant)
    start, end = _window(invocation)
    size, wanted = _result_size(invocation), _statuses(invocation)
    filters = read_filters(invocation)
    rows = []
    for entry in _ordered(invocation):
        if not _in_window(entry, start, end) or not filters.select(entry.row):
            continue
        status = status_seen(invocation.sandbox, entry)
        if status is not None and (not wanted or status.lower() in wanted):
            rows.append({**entry.row, "Status": status})
    if len(rows) > size:
        _warn_of_more(invocation, rows[size - 1])
    return rows[:size]


def get_message_trace_detail(invocation: Invocation) -> list[JsonObject]:
    """Get-MessageTraceDetailV2: the events of one message and recipient.

    No events while the trace itself does not show the final status.
    """
    used = {"MessageTraceId", "RecipientAddress", "SenderAddress", "MessageId"}
    used |= {"StartDate", "EndDate", "Event"}
    refuse_parameters(invocation, set(settings_of(invocation)) - used)
    trace_id, recipient = (
        invocation.text("MessageTraceId"),
        invocation.text("RecipientAddress"),
    )
    events = {event.lower() for event in items_of(invocation.get("Event"))}
    return [
        dict(detail)
        for entry in invocation.organization.traces
        if same(entry.row["MessageTraceId"], trace_id)
        and same(entry.row["RecipientAddress"], recipient)
        and is_visible(entry)
        for detail in entry.details
        if not events or detail["Event"].lower() in events
    ]


def _statuses(invocation: Invocation) -> set[str]:
    """Return the statuses that are asked for, in lower case; none stands for all."""
    wanted = {entry.lower() for entry in items_of(invocation.get("Status"))}
    if wanted - STATUSES:
        raise CmdletError(INVALID, f"Invalid Status: {sorted(wanted - STATUSES)}.")
    return wanted


def _window(invocation: Invocation) -> tuple[datetime, datetime]:
    """Return the window that was asked for, or the last 48 hours.

    Raises CmdletError for a window over 10 days or one that begins over 90 days ago.
    """
    now = datetime.now(UTC)
    end = _moment(invocation.get("EndDate")) or now + timedelta(minutes=5)
    start = _moment(invocation.get("StartDate")) or end - DEFAULT_WINDOW
    if not invocation.sandbox.holds("trace.window"):
        return start, end
    if start > end:
        raise CmdletError(INVALID, "StartDate must be before EndDate.")
    if end - start > LONGEST_WINDOW:
        raise CmdletError(INVALID, "The time range must not exceed 10 days.")
    oldest = (invocation.sandbox.stored_now or now) - OLDEST
    if start < min(oldest, now - OLDEST):
        raise CmdletError(INVALID, "StartDate must be within the last 90 days.")
    return start, end


def _moment(value: object) -> datetime | None:
    """Read a date; one without an offset is in UTC."""
    if value is None:
        return None
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _result_size(invocation: Invocation) -> int:
    """Return how many rows are wanted: 1 to 5000."""
    size = int(invocation.get("ResultSize") or DEFAULT_RESULT_SIZE)
    if not 1 <= size <= LARGEST_RESULT_SIZE:
        raise CmdletError(INVALID, "ResultSize must be between 1 and 5000.")
    return size


def _ordered(invocation: Invocation) -> list[TraceEntry]:
    """Return all rows, the newest first, and by recipient within one moment."""
    rows = sorted(
        invocation.organization.traces, key=lambda entry: entry.row["RecipientAddress"]
    )
    return sorted(rows, key=lambda entry: entry.arrived, reverse=True)


def _in_window(entry: TraceEntry, start: datetime, end: datetime) -> bool:
    """Say whether a message arrived, or shows as received, within the window."""
    shown = datetime.fromisoformat(entry.row["Received"])
    return start <= entry.arrived <= end or start <= shown <= end


def _matches(value: str, patterns: list[str]) -> bool:
    """Compare an address with addresses that may hold wildcards."""
    found = (fnmatchcase(value.lower(), pattern.lower()) for pattern in patterns)
    return not patterns or any(found)


def _equal(value: str | None, wanted: list[str]) -> bool:
    """Compare a value with those asked for."""
    return not wanted or any(same(value, entry) for entry in wanted)


def _warn_of_more(invocation: Invocation, last: JsonObject) -> None:
    """Warn that there are more rows, and where they begin."""
    received = trace_time(datetime.fromisoformat(last["Received"]))
    invocation.warn(
        "There are more results, use the following command to get more: "
        f"Get-MessageTraceV2 -EndDate '{received}' -StartingRecipientAddress "
        f"'{last['RecipientAddress']}'"
    )


CMDLETS: dict[str, Handler] = {
    "Get-MessageTraceV2": get_message_trace,
    "Get-MessageTraceDetailV2": get_message_trace_detail,
}

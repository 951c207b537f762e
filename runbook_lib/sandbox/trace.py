"""The message trace: a row per message and recipient, seen after a lag.

How long a message takes to show is not published as a number; here it is counted
in reads that match the row (fault `trace-lag`, one read without it). The read
after these shows an interim status, the next the final one.
Source: Exchange cmdlet reference, Get-MessageTraceV2 and Get-MessageTraceDetailV2.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant, TraceEntry

DEFAULT_LAG_READS = 1

UNKNOWN_RECIPIENT = (
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address "
    "lookup"
)

# What happened to a copy of a message -> (status, events after RECEIVE).
OUTCOMES = {
    "delivered": ("Delivered", ["DELIVER"]),
    "sent": ("Delivered", ["SEND"]),
    "junk": ("FilteredAsSpam", ["SPAM", "DELIVER"]),
    "failed": ("Failed", ["FAIL"]),
    "expanded": ("Expanded", ["EXPAND"]),
}

DETAILS = {
    "RECEIVE": "Message received by: {host}",
    "SUBMIT": "The message was submitted.",
    "DELIVER": "The message was successfully delivered.",
    "SPAM": "The message was marked as spam and goes to Junk Email.",
    "EXPAND": "The group was expanded to its members.",
    "SEND": "Message sent to the mail server of {recipient}.",
    "FAIL": f"Reason: [{{{{LED={UNKNOWN_RECIPIENT}}}}}]",
}


@dataclass(frozen=True)
class TracedMessage:
    """What the trace keeps of one message; `submitted` marks a mailbox's own mail.

    It is pending until the clock is at `turn`.
    """

    trace_id: str
    message_id: str
    sender: str
    subject: str
    size: int
    from_ip: str
    host: str
    submitted: bool
    turn: float = 0.0


def trace(
    sandbox: Sandbox,
    tenant: Tenant,
    message: TracedMessage,
    recipient: str,
    outcome: str,
) -> None:
    """Enter one recipient of a message; `outcome` is a key of OUTCOMES."""
    arrived = datetime.now(UTC)
    arrived = arrived.replace(microsecond=arrived.microsecond // 1000 * 1000)
    shown = trace_time(sandbox.stored_now or arrived)
    status, events = OUTCOMES[outcome]
    if outcome == "failed" and not sandbox.holds("trace.failed-recipient"):
        status = "Delivered"
    first = ["SUBMIT", "RECEIVE"] if message.submitted else ["RECEIVE"]
    entry = TraceEntry(
        row=_row(tenant, message, recipient, status, shown),
        details=[
            _detail(message, recipient, event, shown) for event in [*first, *events]
        ],
        arrived=arrived,
        turn=message.turn,
    )
    _start_lag(sandbox, entry)
    tenant.exchange.traces.append(entry)


def status_seen(sandbox: Sandbox, entry: TraceEntry) -> str | None:
    """Count one read of a row; return the status it shows, null while it is hidden."""
    if sandbox.faults.lagging("trace", _lag_key(entry)):
        return None
    if entry.reads_left > 0:
        entry.reads_left -= 1
        return None
    if entry.turn > sandbox.clock():
        return "Pending"
    interim, entry.interim = entry.interim, None
    return interim or str(entry.row["Status"])


def release_held(sandbox: Sandbox, tenant: Tenant) -> None:
    """Deliver the messages that were held back and whose turn has come."""
    now, held = sandbox.clock(), tenant.exchange.held
    for entry in held:
        if entry.turn <= now:
            entry.folder.append(entry.message)
    tenant.exchange.held = [entry for entry in held if entry.turn > now]


def is_visible(entry: TraceEntry) -> bool:
    """Say whether a row has been seen with its final status."""
    return entry.reads_left == 0 and entry.interim is None


def trace_time(moment: datetime) -> str:
    """Write a moment as the trace shows it: UTC with milliseconds."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _start_lag(sandbox: Sandbox, entry: TraceEntry) -> None:
    """Begin the time in which a row does not show."""
    if not sandbox.holds("trace.lag"):
        return
    entry.interim = "GettingStatus" if entry.row["ToIP"] is None else "Pending"
    if sandbox.faults.asked("trace-lag", "trace"):
        sandbox.faults.start_lag("trace", _lag_key(entry), name="trace-lag")
    else:
        entry.reads_left = DEFAULT_LAG_READS


def _lag_key(entry: TraceEntry) -> str:
    """Return what names a row among all."""
    return f"{entry.row['MessageTraceId']}/{entry.row['RecipientAddress']}"


def _row(
    tenant: Tenant, message: TracedMessage, recipient: str, status: str, shown: str
) -> JsonObject:
    """Return the row of Get-MessageTraceV2."""
    internal = recipient.rpartition("@")[2] in accepted_domain_names(tenant)
    return {
        "MessageTraceId": message.trace_id,
        "MessageId": message.message_id,
        "Received": shown,
        "SenderAddress": message.sender,
        "RecipientAddress": recipient,
        "Subject": message.subject,
        "Status": status,
        "FromIP": message.from_ip,
        "ToIP": None if internal else "203.0.113.25",
        "Size": message.size,
        "Organization": tenant.initial_domain,
    }


def _detail(
    message: TracedMessage, recipient: str, event: str, shown: str
) -> JsonObject:
    """Return one row of Get-MessageTraceDetailV2."""
    detail = DETAILS[event].format(host=message.host, recipient=recipient)
    return {
        "MessageTraceId": message.trace_id,
        "MessageId": message.message_id,
        "Date": shown,
        "Event": event,
        "Action": "",
        "Detail": detail,
        "Data": "",
    }


def accepted_domain_names(tenant: Tenant) -> set[str]:
    """Return the domains whose mail the organisation takes, in lower case."""
    domains = tenant.exchange.accepted_domains
    return {str(entry["DomainName"]).lower() for entry in domains}

"""SOST: what SAP says of the messages that it sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook_lib.sap.clock import SapClock
from runbook_lib.sap.finding import Finding, Rule, failed, passed, unclear, warned
from runbook_lib.sap.reply import AUTH, RECIPIENT, meaning
from runbook_lib.sap.sources import EXPERIENCE, INFERENCE, MESSAGES
from runbook_lib.sap.table import Row, read_table

SOST = "SOST list"
LONGEST_WAIT = timedelta(minutes=10)

SENT = passed(
    "SENT",
    "SAP handed the message to {recipient} over to the server. That is not delivery: "
    "the trace and the received message show it.",
    EXPERIENCE,
)
CONNECT = failed(
    "CONNECT",
    "SAP could not connect to the mail host, or the connection broke.",
    "Check port 587 from the application server, the STRUST list and dev_icm.",
    MESSAGES,
)
ADDRESS = failed(
    "ADDRESS",
    "The sender or recipient address was refused.",
    "Compare the sender's address in SU01 with the mailbox; check the recipient.",
    MESSAGES,
)
NOT_SENT = failed(
    "NOT_SENT",
    "SAP shows the status {status} with the message “{message}”.",
    "Open the row in SOST and hand in its long text and dev_icm.",
    MESSAGES,
)
QUEUE = failed(
    "QUEUE",
    "The message waits for more than ten minutes.",
    "Schedule the send job (SCOT > Send Jobs, report RSCONN01), or start the send "
    "request in SOST; then hand in the row again.",
    EXPERIENCE,
)
WAITING = unclear(
    "WAITING",
    "The message still waits.",
    "Look at SOST again after the send job has run.",
    EXPERIENCE,
)
STATUS_UNKNOWN = unclear(
    "STATUS_UNKNOWN",
    "The status “{status}” is not known here.",
    "Hand in the row with the columns Status and Message.",
    INFERENCE,
)
OTHER_RUN = failed(
    "OTHER_RUN",
    "No row has {marker} in its title: the list is of another run.",
    "Send the test message with {marker} in its title, and hand in that row.",
    INFERENCE,
)
OUTSIDE_WINDOW = failed(
    "OUTSIDE_WINDOW",
    "The row is of {time}, outside the time of this run.",
    "Hand in the row of the message that was sent for this run.",
    INFERENCE,
)
OTHER_RECIPIENT = failed(
    "OTHER_RECIPIENT",
    "The row is about {recipient}, not about {wanted}.",
    "Send the test message to the recipient that the sheet names.",
    INFERENCE,
)
SENDER_OTHER = warned(
    "SENDER_OTHER",
    "The row's sender {sender} is none that the tenant file names.",
    "Add it to sap_mail.senders, so that it is held against what may be sent as; or "
    "change the address in SU01.",
    INFERENCE,
)
OTHER_METHOD = failed(
    "OTHER_METHOD",
    "The row has the send method {method}; internet mail is INT.",
    "Send the test message to an internet address.",
    MESSAGES,
)
SOST_NOT_READ = unclear(
    "SOST_NOT_READ",
    "The text is not a list with the columns Status and Document Title.",
    "SOST: select the row, List > Save > Local File, with the column headings.",
    INFERENCE,
)

# The German headings are from memory.
HEADINGS = {
    "status": ("Status", "Status Text", "Send Status", "Sendestatus"),
    "number": ("Msg.", "Message No.", "Msg No.", "Nachr."),
    "method": ("Send Method", "Sendeart", "Method"),
    "title": ("Document Title", "Title", "Titel", "Dokumenttitel", "Subject"),
    "sender": ("Sender", "Absender"),
    "recipient": ("Recipient", "Empfänger", "Receiver"),
    "date": ("Send Date", "Sendedatum", "Date", "Datum"),
    "time": ("Send Time", "Sendezeit", "Time", "Uhrzeit"),
    "message": ("Message", "Nachricht", "Message Text", "Status Message"),
}
_SENT = frozenset({"sent", "transmitted", "gesendet", "document sent", "@5b@", "@08@"})
_WAITING = frozenset(
    {"waiting", "wartend", "wait", "in transit", "retry", "@5d@", "@09@"}
)
_ERROR = frozenset({"error", "fehler", "failed", "incorrect", "@5c@", "@0a@"})
_NUMBERS: dict[str, Rule] = {
    "802": RECIPIENT,
    "806": RECIPIENT,
    "816": CONNECT,
    "853": AUTH,
    "855": ADDRESS,
}
_DATES = ("%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y", "%Y%m%d")
_TIMES = ("%H:%M:%S", "%H:%M", "%H%M%S")


@dataclass(frozen=True)
class Asked:
    """What the row has to be about; a part that is None is not compared.

    `marker` stands in the title. `begin` and `end` bound the time in which the
    message was sent, `looked_at` is when the list was taken; each is a moment
    with its offset. Rows to `others` do not count beside one to the recipient.
    A sender that is an address is one of `senders`, where there are any.
    Times are compared by `clock`, which knows the SAP system's
    time zone; without it they are not.
    """

    marker: str | None = None
    recipient: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    looked_at: datetime | None = None
    clock: SapClock | None = None
    others: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()

    def outside(self, shown: datetime) -> bool:
        """Tell whether a time in the list is surely before or after the run."""
        if self.clock is None:
            return False
        early = self.begin and self.clock.before(shown, self.begin)
        return bool(early or (self.end and self.clock.after(shown, self.end)))

    def waited_too_long(self, shown: datetime) -> bool:
        """Tell whether a row of that time should not wait any more."""
        if self.clock is None or self.looked_at is None:
            return False
        return self.clock.before(shown, self.looked_at - LONGEST_WAIT)


def judge_send_requests(text: str, asked: Asked | None = None) -> tuple[Finding, ...]:
    """Judge the rows that carry the marker; without a marker, all rows."""
    asked = asked or Asked()
    table = read_table(text, HEADINGS, frozenset({"status", "title"}), SOST)
    if table is None:
        return (SOST_NOT_READ.missing("columns Status and Document Title", SOST),)
    rows = _about(table.rows, asked)
    if not rows and asked.marker:
        return (
            OTHER_RUN.missing(f"title with {asked.marker}", SOST, marker=asked.marker),
        )
    if not rows:
        return (SOST_NOT_READ.missing("row of a message", SOST),)
    return tuple(finding for row in rows for finding in _judged(row, asked))


def _about(rows: Sequence[Row], asked: Asked) -> list[Row]:
    """Return the rows with the marker; those to others only if there is no other."""
    marked = [row for row in rows if (asked.marker or "") in row["title"]]
    ours = [row for row in marked if row["recipient"].casefold() not in asked.others]
    return ours or marked


def marked_rows(text: str, marker: str) -> list[dict[str, str]]:
    """Return what the rows with the marker say: status, recipient, sender, time."""
    table = read_table(text, HEADINGS, frozenset({"status", "title"}), SOST)
    return [
        {
            "status": row["status"],
            "recipient": row["recipient"].casefold(),
            "sender": row["sender"],
            "time": f"{row['date']} {row['time']}".strip(),
            "message": row["message"],
        }
        for row in (table.rows if table else ())
        if marker in row["title"]
    ]


def _judged(row: Row, asked: Asked) -> list[Finding]:
    findings = _identity(row, asked)
    status = row["status"].casefold()
    # The reply of the server says more than SAP's own text, so it is read first.
    known = meaning(row["message"])
    if status in _SENT and known is None:
        sent = SENT.at(row.line, recipient=row["recipient"] or "the recipient")
        return [*(findings or [sent]), *_sender(row, asked)]
    if status in _WAITING:
        return [*findings, _waiting(row, asked)]
    number = re.search(r"\d{3}", row["number"])
    rule = known or _NUMBERS.get(number[0] if number else "")
    if rule:
        return [*findings, rule.at(row.line)]
    if status in _ERROR:
        values = {"status": row["status"], "message": row["message"] or row["number"]}
        return [*findings, NOT_SENT.at(row.line, **values)]
    return [*findings, STATUS_UNKNOWN.at(row.line, status=row["status"] or "empty")]


def _identity(row: Row, asked: Asked) -> list[Finding]:
    """Compare recipient, send method and time with what was asked for."""
    findings = []
    recipient, wanted = row["recipient"], asked.recipient
    if wanted and recipient and recipient.casefold() != wanted.casefold():
        values = {"recipient": recipient, "wanted": wanted}
        findings.append(OTHER_RECIPIENT.at(row.line, **values))
    if row["method"] and row["method"].upper() != "INT":
        findings.append(OTHER_METHOD.at(row.line, method=row["method"]))
    time = row_time(row)
    if time and asked.outside(time):
        findings.append(OUTSIDE_WINDOW.at(row.line, time=time))
    return findings


def _sender(row: Row, asked: Asked) -> list[Finding]:
    """Tell a sender that nobody declared; a user name is no address."""
    sender = row["sender"].casefold()
    known = not asked.senders or "@" not in sender or sender in asked.senders
    return [] if known else [SENDER_OTHER.at(row.line, sender=row["sender"])]


def _waiting(row: Row, asked: Asked) -> Finding:
    time = row_time(row)
    if time and asked.waited_too_long(time):
        return QUEUE.at(row.line)
    return WAITING.at(row.line)


def row_time(row: Row) -> datetime | None:
    """Return date and time of a row as SAP shows them, or None."""
    return read_time(row["date"], row["time"])


def read_time(date: str, time: str) -> datetime | None:
    """Read a date and a time in one of SAP's formats; no offset, or None."""
    day = _first(date, _DATES)
    clock = _first(time, _TIMES)
    return datetime.combine(day, clock.time()) if day and clock else None


def _first(text: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(text.strip(), form)
        except ValueError:
            continue
    return None

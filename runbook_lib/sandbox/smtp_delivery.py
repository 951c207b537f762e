"""What becomes of a message that was taken: mailboxes, Sent Items and trace.

A recipient of an accepted domain is looked up in the tenant; every other one
counts as handed to the next server.
Source: Microsoft Learn, "Message trace"; git-send-email (--outlook-id-fix) for the
Message-ID that the server replaces.
"""

from dataclasses import dataclass
from email.message import EmailMessage

from runbook_lib.sandbox.exchange_invocation import addresses_of
from runbook_lib.sandbox.smtp_address import header_text, read_message
from runbook_lib.sandbox.smtp_groups import expanded
from runbook_lib.sandbox.smtp_headers import in_front
from runbook_lib.sandbox.smtp_limits import count_external
from runbook_lib.sandbox.smtp_replies import BACK_HOST
from runbook_lib.sandbox.state import (
    HeldMessage,
    JsonObject,
    Mailbox,
    Sandbox,
    Tenant,
)
from runbook_lib.sandbox.trace import (
    UNKNOWN_RECIPIENT,
    TracedMessage,
    accepted_domain_names,
    trace,
    trace_time,
)

ORIGINAL_MESSAGE_ID = "X-Microsoft-Original-Message-ID"


@dataclass(frozen=True)
class Submission:
    """One message with its envelope; `mailbox` is the one that submitted it.

    `fields` are what the server puts in front of it, the newest first; `junk` says
    that recipients get it in Junk Email. It goes on when the clock is at `turn`.
    """

    sender: str
    recipients: list[str]
    content: bytes
    peer: str
    mailbox: Mailbox | None = None
    fields: tuple[str, ...] = ()
    junk: bool = False
    turn: float = 0.0


def deliver(sandbox: Sandbox, tenant: Tenant, submission: Submission) -> str:
    """Deliver a message and trace it; return its Message-ID."""
    content, message = submission.content, read_message(submission.content)
    message_id = header_text(message, "Message-ID")
    own = submission.mailbox is not None
    replaced = own and sandbox.holds("smtp.message-id-replaced")
    if replaced or not message_id:
        message_id = _new_message_id(sandbox)
        content = with_message_id(content, message_id)
    stored = _stored(sandbox, submission, message, message_id, content)
    if submission.mailbox is not None and sandbox.holds("smtp.sent-items"):
        submission.mailbox.sent.append(stored)
    traced = _traced(tenant, submission, stored)
    count_external(sandbox, tenant, submission.recipients)
    groups: list[str] = []
    addresses = list(dict.fromkeys(submission.recipients))
    if sandbox.holds("trace.expanded-group"):
        groups, addresses = expanded(tenant, addresses)
    for group in groups:
        trace(sandbox, tenant, traced, group, "expanded")
    for recipient in addresses:
        outcome = _hand_over(sandbox, tenant, recipient, submission, stored)
        trace(sandbox, tenant, traced, recipient, outcome)
        if outcome == "failed" and submission.mailbox is not None:
            _report_failure(sandbox, submission.mailbox, recipient, stored)
    return message_id


def with_message_id(content: bytes, message_id: str) -> bytes:
    """Return a message under a new Message-ID; the old one stays as a field."""
    head, separator, body = content.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    old_name, new_name = b"message-id:", ORIGINAL_MESSAGE_ID.encode()
    kept = [
        new_name + line[len(old_name) - 1 :]
        if line.lower().startswith(old_name)
        else line
        for line in lines
    ]
    first = f"Message-ID: {message_id}".encode()
    return b"\r\n".join([first, *kept]) + separator + body


def recipient_mailbox(tenant: Tenant, address: str) -> Mailbox | None:
    """Return the mailbox that receives mail for an address."""
    direct = tenant.exchange.mailboxes.get(address)
    if direct is not None:
        return direct
    mailboxes = tenant.exchange.mailboxes.values()
    return next((entry for entry in mailboxes if address in addresses_of(entry)), None)


def _new_message_id(sandbox: Sandbox) -> str:
    """Return a Message-ID of the server's own form."""
    name = BACK_HOST.partition(".")[0]
    return f"<{name}{sandbox.ids.hexadecimal(24).upper()}@{BACK_HOST}>"


def _stored(
    sandbox: Sandbox,
    submission: Submission,
    message: EmailMessage,
    message_id: str,
    content: bytes,
) -> JsonObject:
    """Return a message as the mailboxes keep it."""
    return {
        "internetMessageId": message_id,
        "originalMessageId": header_text(message, "Message-ID") or None,
        "sender": submission.sender,
        "recipients": list(submission.recipients),
        "subject": header_text(message, "Subject"),
        "receivedDateTime": trace_time(sandbox.now()),
        "size": len(content),
        "content": in_front(content, *submission.fields).decode(
            "utf-8", errors="replace"
        ),
    }


def _traced(
    tenant: Tenant, submission: Submission, stored: JsonObject
) -> TracedMessage:
    """Return what the trace keeps of a message."""
    return TracedMessage(
        trace_id=tenant.ids.guid(),
        message_id=stored["internetMessageId"],
        sender=submission.sender,
        subject=stored["subject"],
        size=stored["size"],
        from_ip=submission.peer,
        host=BACK_HOST,
        submitted=submission.mailbox is not None,
        turn=submission.turn,
    )


def _hand_over(
    sandbox: Sandbox,
    tenant: Tenant,
    recipient: str,
    submission: Submission,
    stored: JsonObject,
) -> str:
    """Put a message where it belongs; return the outcome for the trace."""
    if recipient.rpartition("@")[2] not in accepted_domain_names(tenant):
        return "sent"
    mailbox = recipient_mailbox(tenant, recipient)
    if mailbox is None:
        return "failed"
    folder = mailbox.junk if submission.junk else mailbox.inbox
    if submission.turn > sandbox.clock():
        held = HeldMessage(submission.turn, folder, dict(stored))
        tenant.exchange.held.append(held)
    else:
        folder.append(dict(stored))
    return "junk" if submission.junk else "delivered"


def _report_failure(
    sandbox: Sandbox, mailbox: Mailbox, recipient: str, stored: JsonObject
) -> None:
    """Put a non-delivery report into the sender's inbox."""
    mailbox.inbox.append(
        {
            **stored,
            "internetMessageId": _new_message_id(sandbox),
            "originalMessageId": stored["internetMessageId"],
            "sender": "postmaster",
            "recipients": [mailbox.mailbox["PrimarySmtpAddress"]],
            "subject": f"Undeliverable: {stored['subject']}",
            "content": f"{recipient}: {UNKNOWN_RECIPIENT}",
        }
    )

"""How much may be sent: connections, messages, recipients, octets of a mailbox, and
external recipients of a tenant.

Limits are counted by `Sandbox.clock`. A message above the rate is taken and held
back until its turn; the other limits refuse.
Source: Microsoft Learn, "Exchange Online limits" (sending limits), "SMTP AUTH
client submission: throttling" (3 connections, 30 messages a minute), "Tenant outbound
email limits" (external recipients).
"""

import re

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.state import Mailbox, Sandbox, SentShare, Tenant
from runbook_lib.sandbox.trace import accepted_domain_names

LARGEST_CONCURRENCY = 3
DEFAULT_RECIPIENT_LIMIT = 500

MESSAGES_A_MINUTE = 30
MINUTE = 60.0

RECIPIENTS_A_DAY = 10_000
DAY = 86_400.0

EXTERNAL_OF_A_TRIAL = 5_000

SIZE = re.compile(r"\(([\d,]+) bytes\)")


def recipient_limit(mailbox: Mailbox) -> int:
    """Return the number of recipients that one message may have."""
    text = str(mailbox.mailbox.get("RecipientLimits"))
    return int(text) if text.isdigit() else DEFAULT_RECIPIENT_LIMIT


def size_limit(mailbox: Mailbox) -> int:
    """Return the octets that one message may have: MaxSendSize, or the server's."""
    match = SIZE.search(str(mailbox.mailbox["MaxSendSize"]))
    return int(match[1].replace(",", "")) if match else replies.LARGEST_MESSAGE


def limit_refusal(
    sandbox: Sandbox, mailbox: Mailbox, recipients: int, size: int
) -> Reply | None:
    """Refuse a message that is too large, or too many recipients within a day."""
    if size > size_limit(mailbox) and sandbox.holds("smtp.mailbox-size"):
        return replies.TOO_LARGE
    now = sandbox.clock()
    mailbox.shares = [share for share in mailbox.shares if now - share.at < DAY]
    used = sum(share.recipients for share in mailbox.shares)
    if used + recipients > RECIPIENTS_A_DAY and sandbox.holds("smtp.daily-recipients"):
        return replies.QUOTA_EXCEEDED
    return None


def external_limit(tenant: Tenant) -> int:
    """Return the external recipients that a tenant may have within a day.

    500 × licences^0.7 + 9,500; 5,000 for a trial, which has none.
    """
    licenses = tenant.exchange.licenses
    return int(500 * licenses**0.7 + 9_500) if licenses else EXTERNAL_OF_A_TRIAL


def outside(tenant: Tenant, recipients: list[str]) -> int:
    """Return how many recipients are of no accepted domain of a tenant."""
    own = accepted_domain_names(tenant)
    return sum(name.rpartition("@")[2] not in own for name in recipients)


def external_refusal(
    sandbox: Sandbox, tenant: Tenant, recipients: list[str]
) -> Reply | None:
    """Refuse a message that takes a tenant above its external recipients."""
    asked, now = outside(tenant, recipients), sandbox.clock()
    exchange = tenant.exchange
    exchange.external = [entry for entry in exchange.external if now - entry[0] < DAY]
    used = sum(count for _, count in exchange.external)
    above = bool(asked) and used + asked > external_limit(tenant)
    held = sandbox.holds("smtp.external-limit")
    return replies.EXTERNAL_LIMIT if above and held else None


def count_external(sandbox: Sandbox, tenant: Tenant, recipients: list[str]) -> None:
    """Count the external recipients of a message that was taken."""
    asked = outside(tenant, recipients)
    if asked:
        tenant.exchange.external.append((sandbox.clock(), asked))


def take_turn(sandbox: Sandbox, mailbox: Mailbox, recipients: int) -> float:
    """Count a message; return the moment of the clock at which it goes on.

    A message goes on a minute after the thirtieth one before it at the earliest.
    """
    now = sandbox.clock()
    turn = now
    if len(mailbox.shares) >= MESSAGES_A_MINUTE and sandbox.holds("smtp.rate"):
        turn = max(now, mailbox.shares[-MESSAGES_A_MINUTE].turn + MINUTE)
    mailbox.shares.append(SentShare(now, turn, recipients))
    return turn

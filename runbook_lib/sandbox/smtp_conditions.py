"""States of the outside world that make Exchange refuse mail, declared by a test.

Reputation, blocks and tenant limits come from data that the sandbox does not
have. The control operation `set_mail_condition` declares one for a source address,
a mailbox or a tenant; the documented reply follows.
Source: Microsoft Learn, "Email non-delivery reports and SMTP errors in Exchange
Online", "Fix issues with printers, scanners, and LOB applications"; support pages.
"""

from dataclasses import dataclass

from runbook_lib.sandbox.smtp_replies import (
    CRITERIA_NOT_MET,
    EXTERNAL_LIMIT,
    Reply,
    reply,
)
from runbook_lib.sandbox.state import Sandbox, Tenant
from runbook_lib.sandbox.trace import accepted_domain_names


@dataclass(frozen=True)
class Condition:
    """One condition: `of` is address, mailbox or tenant, `at` the command.

    `at` is auth or password (sign-in by token or password), mail, rcpt, or the end
    of the message: data, external (with a recipient outside), spf (where SPF fails),
    send-as (where the sender is not covered, in place of the usual refusal).
    """

    of: str
    at: str
    reply: Reply


CONDITIONS = {
    "banned-address": Condition(
        "address",
        "mail",
        reply(
            550,
            "5.7.606 Access denied, banned sending IP. To request removal from this "
            "list please visit https://sender.office.com/ and follow the directions.",
        ),
    ),
    "listed-address": Condition(
        "address",
        "mail",
        reply(
            550,
            "5.7.511 Access denied, banned sender. To request removal from this list "
            "please forward this message to delist@microsoft.com.",
        ),
    ),
    "new-address": Condition(
        "address",
        "mail",
        reply(451, "4.7.500 Access denied, please try again later"),
    ),
    "distrusted-address": Condition(
        "address",
        "mail",
        reply(550, "5.7.708 Access denied, traffic not accepted from this IP"),
    ),
    "wrong-region": Condition(
        "tenant",
        "rcpt",
        reply(451, "4.4.62 Mail sent to the wrong Office 365 region. ATTR35."),
    ),
    "spf-violation-rejected": Condition(
        "tenant",
        "spf",
        reply(
            550,
            "5.7.23 The message was rejected because of Sender Policy Framework "
            "violation",
        ),
    ),
    "threshold-exceeded": Condition(
        "tenant",
        "data",
        reply(550, "5.7.705 Access denied, tenant has exceeded threshold"),
    ),
    "unregistered-domains": Condition(
        "tenant",
        "data",
        reply(
            550,
            "5.7.750 Service unavailable. Client blocked from sending from "
            "unregistered domains",
        ),
    ),
    "external-limit": Condition(
        "tenant",
        "external",
        EXTERNAL_LIMIT,
    ),
    "older-send-as-refusal": Condition(
        "tenant",
        "send-as",
        reply(
            550,
            "5.7.60 SMTP; Client does not have permissions to send as this sender",
        ),
    ),
    "basic-retired": Condition(
        "tenant",
        "password",
        reply(
            550,
            "5.7.30 Basic authentication is not supported for Client Submission.",
        ),
    ),
    "conditional-access": Condition(
        "mailbox",
        "auth",
        CRITERIA_NOT_MET,
    ),
    "blocked-sender": Condition(
        "mailbox",
        "data",
        reply(550, "5.1.8 Access denied, bad outbound sender"),
    ),
    "full-mailbox": Condition(
        "mailbox",
        "data",
        reply(
            554,
            "5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException."
            "MapiExceptionShutoffQuotaExceeded; Failed to process message due to a "
            "permanent exception",
        ),
    ),
    "busy-mailbox": Condition(
        "mailbox",
        "rcpt",
        reply(432, "4.3.2 STOREDRV.Deliver; recipient thread limit exceeded"),
    ),
}


def condition_at(sandbox: Sandbox, at: str, of: str, subject: str) -> Reply | None:
    """Return the refusal that a declared condition makes at a command, or null."""
    for name in sorted(sandbox.mail_conditions.get(subject.lower(), ())):
        known = CONDITIONS[name]
        applies = (known.at, known.of) == (at, of)
        if applies and sandbox.holds("smtp.conditions"):
            return known.reply
    return None


def submission_condition(
    sandbox: Sandbox, tenant: Tenant, address: str, recipients: list[str]
) -> Reply | None:
    """Return the refusal of a submitted message that was declared, or null.

    `address` is the mailbox that submits it.
    """
    own = accepted_domain_names(tenant)
    outside = any(name.rpartition("@")[2] not in own for name in recipients)
    return (
        condition_at(sandbox, "data", "mailbox", address)
        or condition_at(sandbox, "data", "tenant", tenant.domain)
        or (
            condition_at(sandbox, "external", "tenant", tenant.domain)
            if outside
            else None
        )
    )

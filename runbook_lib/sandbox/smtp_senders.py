"""As whom may a signed-in mailbox send?

Source: Microsoft Learn, "Fix issues with printers, scanners, and LOB applications
that send email" (SendAsDenied), "Authenticate an IMAP, POP or SMTP connection using
OAuth" (note on SendAs), "Send email from a different address" (aliases).
"""

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.exchange_invocation import addresses_of
from runbook_lib.sandbox.smtp_address import header_senders, read_message
from runbook_lib.sandbox.smtp_authentication import SignedIn
from runbook_lib.sandbox.smtp_conditions import condition_at
from runbook_lib.sandbox.smtp_delivery import recipient_mailbox
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.state import Mailbox, Sandbox


def sender_refusal(
    sandbox: Sandbox, who: SignedIn, sender: str, content: bytes
) -> Reply | None:
    """Refuse a sender of the envelope or the header that is not covered, or null."""
    shown = header_senders(read_message(content))
    checked = [(sender, "smtp.send-as-envelope")]
    checked += [(address, "smtp.send-as-header") for address in shown]
    for address, row in checked:
        if sandbox.holds(row) and not _may_send_as(sandbox, who, address):
            older = condition_at(sandbox, "send-as", "tenant", who.tenant.domain)
            return older or replies.send_as_denied(who.address, address or "<>")
    return None


def _may_send_as(sandbox: Sandbox, who: SignedIn, address: str) -> bool:
    """Say whether the signed-in mailbox may use a sender address."""
    if address == who.address.lower():
        return True
    if address in addresses_of(who.mailbox):
        settings = who.tenant.exchange.organization_config
        checked = sandbox.holds("smtp.send-from-alias")
        return bool(settings["SendFromAliasEnabled"]) or not checked
    other = recipient_mailbox(who.tenant, address)
    return other is not None and _is_trustee(sandbox, who, other)


def _is_trustee(sandbox: Sandbox, who: SignedIn, other: Mailbox) -> bool:
    """Say whether a SendAs row names the principal or the signed-in mailbox."""
    if not sandbox.holds("smtp.send-as-trustee"):
        return True
    accounts = set()
    if sandbox.holds("smtp.send-as-principal"):
        accounts.add(who.principal["Sid"])
    if sandbox.holds("smtp.send-as-mailbox"):
        accounts.add(who.mailbox.mailbox["UserPrincipalName"])
    return any(row["Trustee"] in accounts for row in other.recipient_permissions)

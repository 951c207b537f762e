"""Mail to groups: who may send to one, and who gets it.

A group of the directory is a recipient like a mailbox. Most take mail of senders who
are signed in, or whom a connector declares internal, and of nobody else.
Source: Exchange cmdlet reference, Set-DistributionGroup and Set-UnifiedGroup
(RequireSenderAuthenticationEnabled); Microsoft Learn, "Email non-delivery reports and
SMTP errors in Exchange Online" (5.7.133).
"""

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.state import JsonObject, Mailbox, Sandbox, Tenant


def group_at(tenant: Tenant, address: str) -> JsonObject | None:
    """Return the group with an address, or null."""
    wanted = f"smtp:{address.lower()}"
    for group in tenant.exchange.groups:
        if wanted in (entry.lower() for entry in group["EmailAddresses"]):
            return group
    return None


def members_of(tenant: Tenant, group: JsonObject) -> list[Mailbox]:
    """Return the mailboxes that get a group's mail; members that are gone get none."""
    ids = tenant.exchange.group_members[group["Guid"]]
    mailboxes = {m.mailbox["Guid"]: m for m in tenant.exchange.mailboxes.values()}
    return [mailboxes[guid] for guid in ids if guid in mailboxes]


def group_refusal(
    sandbox: Sandbox, tenant: Tenant, recipient: str, *, internal: bool
) -> Reply | None:
    """Refuse a group to a sender who is not `internal`, where the group asks for it."""
    group = group_at(tenant, recipient)
    if group is None or internal or not group["RequireSenderAuthenticationEnabled"]:
        return None
    held = sandbox.holds("mx.group-needs-authentication")
    return replies.GROUP_NEEDS_AUTHENTICATION if held else None


def expanded(tenant: Tenant, recipients: list[str]) -> tuple[list[str], list[str]]:
    """Return the groups among recipients, and all addresses that get a copy."""
    groups = {name: group_at(tenant, name) for name in recipients}
    addresses: list[str] = []
    for name, group in groups.items():
        members = [] if group is None else members_of(tenant, group)
        addresses += [m.mailbox["PrimarySmtpAddress"].lower() for m in members]
        addresses += [name] if group is None else []
    found = [name for name, group in groups.items() if group is not None]
    return found, list(dict.fromkeys(addresses))

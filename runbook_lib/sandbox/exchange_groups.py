"""Groups: members and a name for a management scope, and recipients of mail.

Members are mailboxes, named when the group is made. What a group does to mail stands
in `smtp_groups.py`.
Source: Exchange cmdlet reference, New-/Get-/Remove-DistributionGroup, Get-Recipient;
Microsoft Learn, "RBAC for Applications in Exchange Online".
"""

from runbook_lib.sandbox.exchange_errors import already_exists, object_not_found
from runbook_lib.sandbox.exchange_invocation import (
    Handler,
    Invocation,
    find_mailbox,
    find_objects,
    mailbox_named,
    same,
)
from runbook_lib.sandbox.exchange_mailboxes import settings_of
from runbook_lib.sandbox.exchange_objects import common_tail
from runbook_lib.sandbox.exchange_types import items_of
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject, Mailbox, Tenant

USED = {
    "Name",
    "Alias",
    "DisplayName",
    "PrimarySmtpAddress",
    "Type",
    "Members",
    "RequireSenderAuthenticationEnabled",
}

RECIPIENT_KEYS = (
    "Alias",
    "DisplayName",
    "EmailAddresses",
    "ExternalDirectoryObjectId",
    "PrimarySmtpAddress",
    "RecipientType",
    "RecipientTypeDetails",
)

UNIFIED = "Unified"

# Type -> recipient type, its details, group type.
RECIPIENT_TYPES = {
    "Distribution": ("MailUniversalDistributionGroup",) * 2 + ("Universal",),
    "Security": ("MailUniversalSecurityGroup",) * 2 + ("Universal, SecurityEnabled",),
    UNIFIED: ("MailUniversalDistributionGroup", "GroupMailbox", "Universal"),
}


def new_distribution_group(invocation: Invocation) -> list[JsonObject]:
    """New-DistributionGroup: a name and the mailboxes that are its members."""
    refuse_parameters(invocation, set(settings_of(invocation)) - USED)
    kind = invocation.text("Type") or "Distribution"
    name = invocation.text("Name")
    return new_members(invocation, group_object(invocation, name, kind))


def new_members(invocation: Invocation, entry: JsonObject) -> list[JsonObject]:
    """Add a group with the members that were named; a name is there once."""
    groups, name = invocation.organization.groups, entry["Name"]
    if any(same(known["Name"], name) for known in groups):
        raise already_exists("object", name)
    names = items_of(invocation.get("Members"))
    members = [find_mailbox(invocation, text).mailbox["Guid"] for text in names]
    groups.append(entry)
    invocation.organization.group_members[entry["Guid"]] = members
    return [dict(entry)]


def get_distribution_group(invocation: Invocation) -> list[JsonObject]:
    """Get-DistributionGroup: one group or all; members do not show."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    return [dict(entry) for entry in groups_found(invocation)]


def groups_found(invocation: Invocation, *, unified: bool = False) -> list[JsonObject]:
    """Return the groups that an identity names: by address as well, or all.

    Microsoft 365 groups are found where `unified` says so, and only they.
    Source: Exchange cmdlet reference, Get-DistributionGroup, -Identity.
    """
    known, identity = invocation.organization.groups, invocation.identity
    held = invocation.sandbox.holds("exchange.unified-groups-apart")
    groups = [e for e in known if is_unified(e) == unified or not held]
    keys = ("PrimarySmtpAddress", "Alias")
    named = [
        entry
        for entry in groups
        if identity and any(same(entry.get(key), identity) for key in keys)
    ]
    return named or find_objects(groups, identity)


def remove_distribution_group(invocation: Invocation) -> list[JsonObject]:
    """Remove-DistributionGroup: a scope over it reaches nobody from then on."""
    return removed(invocation)


def removed(invocation: Invocation, *, unified: bool = False) -> list[JsonObject]:
    """Remove a group and its members."""
    used = {"BypassSecurityGroupManagerCheck"}
    refuse_parameters(invocation, set(settings_of(invocation)) - used)
    entry = groups_found(invocation, unified=unified)[0]
    invocation.organization.groups.remove(entry)
    del invocation.organization.group_members[entry["Guid"]]
    return []


def is_unified(entry: JsonObject) -> bool:
    """Say whether a group is a Microsoft 365 group."""
    return bool(entry["RecipientTypeDetails"] == "GroupMailbox")


def get_recipient(invocation: Invocation) -> list[JsonObject]:
    """Get-Recipient: mailboxes and groups in one list."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    organization, identity = invocation.organization, invocation.identity
    if identity is None:
        mailboxes = [entry.mailbox for entry in organization.mailboxes.values()]
        return [_recipient(entry) for entry in [*mailboxes, *organization.groups]]
    mailbox = mailbox_named(invocation.tenant, identity)
    if mailbox is not None:
        return [_recipient(mailbox.mailbox)]
    for entry in organization.groups:
        keys = ("PrimarySmtpAddress", "Alias", "Name", "Guid", "DistinguishedName")
        if any(same(entry[key], identity) for key in keys):
            return [_recipient(entry)]
    raise object_not_found(identity)


def is_member(tenant: Tenant, group_name: str, mailbox: Mailbox) -> bool:
    """Say whether a mailbox is in the group with this distinguished name."""
    return any(
        same(entry["DistinguishedName"], group_name)
        and mailbox.mailbox["Guid"] in tenant.exchange.group_members[entry["Guid"]]
        for entry in tenant.exchange.groups
    )


def group_object(invocation: Invocation, name: str, kind: str) -> JsonObject:
    """Return a new group of a type of RECIPIENT_TYPES."""
    tenant = invocation.tenant
    alias = invocation.text("Alias") or "".join(name.split())
    address = invocation.text("PrimarySmtpAddress") or f"{alias}@{tenant.domain}"
    recipient_type, details, group_type = RECIPIENT_TYPES[kind]
    asks = invocation.get("RequireSenderAuthenticationEnabled", True)
    moment, guid = invocation.sandbox.now(), tenant.ids.guid()
    head = {
        "Alias": alias,
        "DisplayName": invocation.text("DisplayName") or name,
        "EmailAddresses": [f"SMTP:{address}"],
        "ExternalDirectoryObjectId": tenant.ids.guid(),
        "GroupType": group_type,
        "PrimarySmtpAddress": address,
        "RecipientType": recipient_type,
        "RecipientTypeDetails": details,
        "RequireSenderAuthenticationEnabled": asks is not False,
    }
    return {**head, **common_tail(tenant, name, guid, ["top", "group"], moment)}


def _recipient(entry: JsonObject) -> JsonObject:
    """Return a mailbox or group as a recipient: a few properties and the tail."""
    names = list(entry)
    tail = {name: entry[name] for name in names[names.index("AdminDisplayName") :]}
    return {**{name: entry[name] for name in RECIPIENT_KEYS}, **tail}


CMDLETS: dict[str, Handler] = {
    "New-DistributionGroup": new_distribution_group,
    "Get-DistributionGroup": get_distribution_group,
    "Remove-DistributionGroup": remove_distribution_group,
    "Get-Recipient": get_recipient,
}

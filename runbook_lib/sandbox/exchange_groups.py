"""Groups, as far as a management scope needs them: members and a name.

A group receives no mail here. Members are mailboxes, named when it is made.
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

USED = {"Name", "Alias", "DisplayName", "PrimarySmtpAddress", "Type", "Members"}

RECIPIENT_KEYS = (
    "Alias",
    "DisplayName",
    "EmailAddresses",
    "ExternalDirectoryObjectId",
    "PrimarySmtpAddress",
    "RecipientType",
    "RecipientTypeDetails",
)

RECIPIENT_TYPES = {
    "Distribution": ("MailUniversalDistributionGroup", "Universal"),
    "Security": ("MailUniversalSecurityGroup", "Universal, SecurityEnabled"),
}


def new_distribution_group(invocation: Invocation) -> list[JsonObject]:
    """New-DistributionGroup: a name and the mailboxes that are its members."""
    refuse_parameters(invocation, set(settings_of(invocation)) - USED)
    name, groups = invocation.text("Name"), invocation.organization.groups
    if any(same(entry["Name"], name) for entry in groups):
        raise already_exists("object", name)
    names = items_of(invocation.get("Members"))
    members = [find_mailbox(invocation, entry).mailbox["Guid"] for entry in names]
    entry = _group_object(invocation, name)
    groups.append(entry)
    invocation.organization.group_members[entry["Guid"]] = members
    return [dict(entry)]


def get_distribution_group(invocation: Invocation) -> list[JsonObject]:
    """Get-DistributionGroup: one group or all; members do not show."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    return [dict(entry) for entry in _found(invocation)]


def _found(invocation: Invocation) -> list[JsonObject]:
    """Return the groups that an identity names: by address as well, or all.

    Source: Exchange cmdlet reference, Get-DistributionGroup, -Identity.
    """
    groups, identity = invocation.organization.groups, invocation.identity
    keys = ("PrimarySmtpAddress", "Alias")
    named = [
        entry
        for entry in groups
        if identity and any(same(entry.get(key), identity) for key in keys)
    ]
    return named or find_objects(groups, identity)


def remove_distribution_group(invocation: Invocation) -> list[JsonObject]:
    """Remove-DistributionGroup: a scope over it reaches nobody from then on."""
    used = {"BypassSecurityGroupManagerCheck"}
    refuse_parameters(invocation, set(settings_of(invocation)) - used)
    entry = _found(invocation)[0]
    invocation.organization.groups.remove(entry)
    del invocation.organization.group_members[entry["Guid"]]
    return []


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


def _group_object(invocation: Invocation, name: str) -> JsonObject:
    """Return a new group."""
    tenant = invocation.tenant
    alias = invocation.text("Alias") or "".join(name.split())
    address = invocation.text("PrimarySmtpAddress") or f"{alias}@{tenant.domain}"
    kind, group_type = RECIPIENT_TYPES[invocation.text("Type") or "Distribution"]
    moment, guid = invocation.sandbox.now(), tenant.ids.guid()
    head = {
        "Alias": alias,
        "DisplayName": invocation.text("DisplayName") or name,
        "EmailAddresses": [f"SMTP:{address}"],
        "ExternalDirectoryObjectId": tenant.ids.guid(),
        "GroupType": group_type,
        "PrimarySmtpAddress": address,
        "RecipientType": kind,
        "RecipientTypeDetails": kind,
        "RequireSenderAuthenticationEnabled": True,
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

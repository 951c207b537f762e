"""Role groups: who may administer what, beside the directory roles of Entra.

Source: Exchange cmdlet reference, Get-/New-/Remove-RoleGroup,
Get-/Add-/Remove-RoleGroupMember; Microsoft Learn, "App-only authentication for
unattended scripts in Exchange Online PowerShell" (custom role groups).
"""

import uuid

from runbook_lib.sandbox.exchange_errors import (
    INVALID,
    CmdletError,
    already_exists,
    object_not_found,
)
from runbook_lib.sandbox.exchange_invocation import (
    Handler,
    Invocation,
    find_mailbox,
    find_objects,
    principal_named,
    same,
)
from runbook_lib.sandbox.exchange_mailboxes import settings_of
from runbook_lib.sandbox.exchange_objects import common_tail
from runbook_lib.sandbox.exchange_roles import ROLE_GROUPS, ROLES
from runbook_lib.sandbox.exchange_types import items_of
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject


def get_role_group(invocation: Invocation) -> list[JsonObject]:
    """Get-RoleGroup: the built-in groups and the tenant's own."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    return find_objects(_all_groups(invocation), invocation.identity)


def new_role_group(invocation: Invocation) -> list[JsonObject]:
    """New-RoleGroup: a name, roles, and members."""
    used = {"Name", "Roles", "Members", "Description", "DisplayName"}
    refuse_parameters(invocation, set(settings_of(invocation)) - used)
    name = invocation.text("Name")
    if any(same(entry["Name"], name) for entry in _all_groups(invocation)):
        raise already_exists("role group", name)
    roles = [_role(text) for text in items_of(invocation.get("Roles"))]
    members = [_account(invocation, m) for m in items_of(invocation.get("Members"))]
    entry = _group(invocation, name, invocation.tenant.ids.guid(), roles)
    entry["Description"] = invocation.text("Description")
    invocation.organization.role_groups.append(entry)
    invocation.organization.role_group_members[name] = members
    return [_shown(invocation, entry)]


def remove_role_group(invocation: Invocation) -> list[JsonObject]:
    """Remove-RoleGroup: only a group that the tenant made can be removed."""
    entry = _named(invocation)
    own = invocation.organization.role_groups
    kept = [group for group in own if group["Name"] != entry["Name"]]
    if len(kept) == len(own):
        raise CmdletError(INVALID, f"The role group '{entry['Name']}' is built in.")
    invocation.organization.role_groups = kept
    invocation.organization.role_group_members.pop(str(entry["Name"]), None)
    return []


def get_role_group_member(invocation: Invocation) -> list[JsonObject]:
    """Get-RoleGroupMember: service principals by ObjectId, people by address."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    members = _members(invocation, str(_named(invocation)["Name"]))
    return [{"Name": member, "Identity": member} for member in members]


def add_role_group_member(invocation: Invocation) -> list[JsonObject]:
    """Add-RoleGroupMember: a second time is refused."""
    group = str(_named(invocation)["Name"])
    account = _account(invocation, invocation.text("Member"))
    members = _members(invocation, group)
    if account in members:
        raise already_exists(f"member of '{group}'", account)
    invocation.organization.role_group_members[group] = [*members, account]
    return []


def remove_role_group_member(invocation: Invocation) -> list[JsonObject]:
    """Remove-RoleGroupMember: who is no member cannot be removed."""
    group = str(_named(invocation)["Name"])
    account = _account(invocation, invocation.text("Member"))
    members = _members(invocation, group)
    if account not in members:
        raise object_not_found(account)
    kept = [member for member in members if member != account]
    invocation.organization.role_group_members[group] = kept
    return []


def _named(invocation: Invocation) -> JsonObject:
    """Return the group that Identity names; raises CmdletError."""
    return find_objects(_all_groups(invocation), invocation.text("Identity"))[0]


def _members(invocation: Invocation, group: str) -> list[str]:
    """Return the members of a group that were added in Exchange."""
    return invocation.organization.role_group_members.get(group, [])


def _all_groups(invocation: Invocation) -> list[JsonObject]:
    """Return all groups; the ids of the built-in ones follow from the tenant's."""
    tenant = uuid.UUID(invocation.tenant.tenant_id)
    built_in = [
        _group(invocation, name, str(uuid.uuid5(tenant, name)), roles)
        for name, roles in ROLE_GROUPS.items()
    ]
    groups = [*built_in, *invocation.organization.role_groups]
    return [_shown(invocation, entry) for entry in groups]


def _group(
    invocation: Invocation, name: str, guid: str, roles: list[str]
) -> JsonObject:
    """Return a role group."""
    kind, created = ["top", "group"], invocation.tenant.created
    head = {"Roles": roles, "DisplayName": name, "Description": ""}
    return {**head, **common_tail(invocation.tenant, name, guid, kind, created)}


def _shown(invocation: Invocation, entry: JsonObject) -> JsonObject:
    """Return a group with its members."""
    return {**entry, "Members": list(_members(invocation, str(entry["Name"])))}


def _role(text: str) -> str:
    """Return a role in its own spelling; raises CmdletError for an unknown one."""
    found = next((role for role in ROLES if same(role, text)), None)
    if found is None:
        raise object_not_found(text)
    return found


def _account(invocation: Invocation, text: str) -> str:
    """Return how an account stands among the members; raises CmdletError."""
    principal = principal_named(invocation.tenant, text)
    if principal is not None:
        return str(principal["ObjectId"])
    people = (
        str(user["userPrincipalName"]) for user in invocation.tenant.users.values()
    )
    person = next((name for name in people if same(name, text)), None)
    if person is not None:
        return person
    return str(find_mailbox(invocation, text).mailbox["UserPrincipalName"])


CMDLETS: dict[str, Handler] = {
    "Get-RoleGroup": get_role_group,
    "New-RoleGroup": new_role_group,
    "Remove-RoleGroup": remove_role_group,
    "Get-RoleGroupMember": get_role_group_member,
    "Add-RoleGroupMember": add_role_group_member,
    "Remove-RoleGroupMember": remove_role_group_member,
}

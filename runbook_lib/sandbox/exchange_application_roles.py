"""RBAC for Applications: an application may send for the mailboxes of a scope.

The scope is a recipient filter. The sandbox understands filters of the form
`Property -eq 'value'` over properties of the mailbox, and `MemberOfGroup` with the
distinguished name of a group.
Source: Microsoft Learn, "Role Based Access Control for Applications in Exchange
Online"; Exchange cmdlet reference, New-ManagementScope,
New-ManagementRoleAssignment, Test-ServicePrincipalAuthorization.
"""

import re

from runbook_lib.sandbox.exchange_errors import INVALID, CmdletError, already_exists
from runbook_lib.sandbox.exchange_groups import is_member
from runbook_lib.sandbox.exchange_invocation import (
    Handler,
    Invocation,
    find_mailbox,
    find_objects,
    find_principal,
    same,
)
from runbook_lib.sandbox.exchange_mailboxes import settings_of
from runbook_lib.sandbox.exchange_objects import common_tail
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject, Mailbox, Tenant

SEND_ROLE = "Application SMTP.SendAsApp"

MEMBERSHIP = "MemberOfGroup"

_FILTER = re.compile(r"\s*(\w+)\s+-eq\s+'([^']*)'\s*", re.IGNORECASE)


def new_management_scope(invocation: Invocation) -> list[JsonObject]:
    """New-ManagementScope: a name and a recipient filter."""
    used = {"Name", "RecipientRestrictionFilter"}
    refuse_parameters(invocation, set(settings_of(invocation)) - used)
    text = invocation.text("RecipientRestrictionFilter")
    if not _understood(invocation, text):
        refuse_parameters(invocation, {f"RecipientRestrictionFilter ({text})"})
    scopes = invocation.organization.management_scopes
    entry = {
        "RecipientRoot": None,
        "RecipientFilter": text,
        "ServerFilter": "",
        "ScopeRestrictionType": "RecipientScope",
        "Exclusive": False,
        **_named_tail(invocation, scopes, "msExchScope"),
    }
    scopes.append(entry)
    return [dict(entry)]


def get_management_scope(invocation: Invocation) -> list[JsonObject]:
    """Get-ManagementScope: one scope or all."""
    refuse_parameters(invocation, set(settings_of(invocation)))
    scopes = invocation.organization.management_scopes
    return [dict(entry) for entry in find_objects(scopes, invocation.identity)]


def remove_management_scope(invocation: Invocation) -> list[JsonObject]:
    """Remove-ManagementScope: refused while an assignment uses the scope."""
    scopes = invocation.organization.management_scopes
    entry = find_objects(scopes, invocation.text("Identity"))[0]
    for assignment in invocation.organization.role_assignments:
        if assignment["CustomResourceScope"] == entry["Name"]:
            raise CmdletError(
                INVALID,
                f"The management scope '{entry['Name']}' is in use by the role "
                f"assignment '{assignment['Name']}'. (sandbox wording)",
            )
    scopes.remove(entry)
    return []


def new_management_role_assignment(invocation: Invocation) -> list[JsonObject]:
    """New-ManagementRoleAssignment: an application role for a service principal."""
    used = {"Name", "Role", "App", "CustomResourceScope"}
    refuse_parameters(invocation, set(settings_of(invocation)) - used)
    if not same(SEND_ROLE, invocation.text("Role")):
        refuse_parameters(invocation, {f"Role ({invocation.text('Role')})"})
    principal = find_principal(invocation, invocation.text("App"))
    assignments = invocation.organization.role_assignments
    entry = {
        "Role": SEND_ROLE,
        "RoleAssignee": principal["Name"],
        "RoleAssigneeName": principal["Name"],
        "RoleAssigneeType": "ServicePrincipal",
        "App": principal["ObjectId"],
        "CustomResourceScope": _scope_name(invocation),
        "AssignmentMethod": "Direct",
        "Enabled": True,
        **_named_tail(invocation, assignments, "msExchRoleAssignment"),
    }
    assignments.append(entry)
    invocation.sandbox.faults.start_lag("application-role", str(entry["Guid"]))
    return [dict(entry)]


def get_management_role_assignment(invocation: Invocation) -> list[JsonObject]:
    """Get-ManagementRoleAssignment: by name, role or assignee."""
    refuse_parameters(
        invocation, set(settings_of(invocation)) - {"Role", "RoleAssignee"}
    )
    found = find_objects(invocation.organization.role_assignments, invocation.identity)
    role, assignee = invocation.text("Role"), invocation.text("RoleAssignee")
    if assignee:
        assignee = str(find_principal(invocation, assignee)["Name"])
    return [
        dict(entry)
        for entry in found
        if (not role or same(entry["Role"], role))
        and (not assignee or same(entry["RoleAssignee"], assignee))
    ]


def remove_management_role_assignment(invocation: Invocation) -> list[JsonObject]:
    """Remove-ManagementRoleAssignment: by name or GUID."""
    assignments = invocation.organization.role_assignments
    assignments.remove(find_objects(assignments, invocation.text("Identity"))[0])
    return []


def check_service_principal_authorization(invocation: Invocation) -> list[JsonObject]:
    """Test-ServicePrincipalAuthorization: what the roles of a principal reach.

    FullAccess does not show here. InScope is "Not Run" without -Resource.
    """
    principal = find_principal(invocation, invocation.text("Identity"))
    resource = invocation.get("Resource")
    mailbox = find_mailbox(invocation, str(resource)) if resource else None
    return [
        {
            "RoleName": entry["Role"],
            "GrantedPermissions": entry["Role"].removeprefix("Application "),
            "AllowedResourceScope": entry["CustomResourceScope"],
            "ScopeType": "CustomRecipientScope",
            "InScope": "Not Run"
            if mailbox is None
            else str(in_scope(invocation.tenant, entry, mailbox)),
        }
        for entry in invocation.organization.role_assignments
        if entry["App"] == principal["ObjectId"]
    ]


def in_scope(tenant: Tenant, assignment: JsonObject, mailbox: Mailbox) -> bool:
    """Say whether a role assignment reaches a mailbox.

    An assignment without a scope reaches every mailbox.
    """
    name = assignment["CustomResourceScope"]
    if name is None:
        return True
    scopes = tenant.exchange.management_scopes
    scope = next((entry for entry in scopes if entry["Name"] == name), None)
    match = _FILTER.fullmatch(scope["RecipientFilter"]) if scope else None
    if match is None:
        return False
    if same(MEMBERSHIP, match[1]):
        return is_member(tenant, match[2], mailbox)
    return _matches(mailbox, match[1], match[2])


def _understood(invocation: Invocation, text: str) -> bool:
    """Say whether a filter compares a property that mailboxes have here.

    Raises CmdletError (object not found) for a group that is not there.
    """
    match = _FILTER.fullmatch(text)
    if match is None:
        return False
    if same(MEMBERSHIP, match[1]):
        find_objects(invocation.organization.groups, match[2])
        return True
    mailboxes = invocation.organization.mailboxes.values()
    return match[1].lower() in {key.lower() for m in mailboxes for key in m.mailbox}


def _matches(mailbox: Mailbox, name: str, wanted: str) -> bool:
    """Compare one property of a mailbox; one of several values is enough."""
    values = {key.lower(): value for key, value in mailbox.mailbox.items()}
    value = values.get(name.lower())
    found = value if isinstance(value, list) else [value]
    return any(same(entry, wanted) for entry in found)


def _scope_name(invocation: Invocation) -> str | None:
    """Return the name of the scope that was given; null where none was."""
    given = invocation.get("CustomResourceScope")
    if given is None:
        return None
    scopes = invocation.organization.management_scopes
    return str(find_objects(scopes, str(given))[0]["Name"])


def _named_tail(
    invocation: Invocation, entries: list[JsonObject], object_class: str
) -> JsonObject:
    """Return the tail of a new object; refuse a name that is taken."""
    name = invocation.text("Name") or f"{SEND_ROLE}-{invocation.text('App')}"
    if any(same(entry["Name"], name) for entry in entries):
        raise already_exists("object", name)
    ids, moment = invocation.tenant.ids, invocation.sandbox.now()
    classes = ["top", object_class]
    return common_tail(invocation.tenant, name, ids.guid(), classes, moment)


CMDLETS: dict[str, Handler] = {
    "New-ManagementScope": new_management_scope,
    "Get-ManagementScope": get_management_scope,
    "Remove-ManagementScope": remove_management_scope,
    "New-ManagementRoleAssignment": new_management_role_assignment,
    "Get-ManagementRoleAssignment": get_management_role_assignment,
    "Remove-ManagementRoleAssignment": remove_management_role_assignment,
    "Test-ServicePrincipalAuthorization": check_service_principal_authorization,
}

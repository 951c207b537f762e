"""What Exchange roles and role groups allow, and who is in a group.

A role allows the changing cmdlets that it names; every group also reads. Three
directory roles of Entra are members of role groups by themselves.
Source: Microsoft Learn, "Permissions in Exchange Online", "App-only authentication
for unattended scripts in Exchange Online PowerShell", "Find the permissions required
to run any Exchange cmdlet". Which cmdlets a role holds is a coarse list.
"""

from typing import Any

from runbook_lib.sandbox.directory_roles import (
    EXCHANGE_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    GLOBAL_READER,
)
from runbook_lib.sandbox.state import Tenant

# Directory roles that other services know too; template ids of Entra.
EXCHANGE_RECIPIENT_ADMINISTRATOR = "31392ffb-586c-42d1-9346-e59415a2cc4e"
SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"

ROLES: dict[str, set[str]] = {
    "Mail Recipients": {
        "Set-Mailbox",
        "Set-CASMailbox",
        "Set-User",
        "Add-MailboxPermission",
        "Remove-MailboxPermission",
        "Add-RecipientPermission",
        "Remove-RecipientPermission",
    },
    "Distribution Groups": {
        f"{verb}-{noun}"
        for verb in ("New", "Set", "Remove")
        for noun in ("DistributionGroup", "UnifiedGroup")
    },
    "Organization Configuration": {"Set-OrganizationConfig"},
    "Organization Client Access": {
        "Set-CASMailbox",
        "New-AuthenticationPolicy",
        "Set-AuthenticationPolicy",
        "Remove-AuthenticationPolicy",
    },
    "Organization Transport Settings": {"Set-TransportConfig"},
    "Remote and Accepted Domains": {
        "New-InboundConnector",
        "Set-InboundConnector",
        "Remove-InboundConnector",
    },
    "Role Management": {
        "New-ServicePrincipal",
        "Set-ServicePrincipal",
        "Remove-ServicePrincipal",
        "New-ManagementScope",
        "Remove-ManagementScope",
        "New-ManagementRoleAssignment",
        "Remove-ManagementRoleAssignment",
        "New-RoleGroup",
        "Remove-RoleGroup",
        "Add-RoleGroupMember",
        "Remove-RoleGroupMember",
        "Test-ServicePrincipalAuthorization",
    },
    "View-Only Configuration": set(),
    "View-Only Recipients": set(),
    "Message Tracking": set(),
}

ORGANIZATION_MANAGEMENT = "Organization Management"
RECIPIENT_MANAGEMENT = "Recipient Management"
VIEW_ONLY = "View-Only Organization Management"

ROLE_GROUPS = {
    ORGANIZATION_MANAGEMENT: list(ROLES),
    RECIPIENT_MANAGEMENT: [
        "Mail Recipients",
        "Distribution Groups",
        "Message Tracking",
    ],
    "Hygiene Management": ["Remote and Accepted Domains", "View-Only Configuration"],
    VIEW_ONLY: ["View-Only Configuration", "View-Only Recipients"],
}

MEMBERS_BY_DIRECTORY_ROLE = {
    GLOBAL_ADMINISTRATOR: ORGANIZATION_MANAGEMENT,
    EXCHANGE_ADMINISTRATOR: ORGANIZATION_MANAGEMENT,
    EXCHANGE_RECIPIENT_ADMINISTRATOR: RECIPIENT_MANAGEMENT,
    GLOBAL_READER: VIEW_ONLY,
    SECURITY_READER: VIEW_ONLY,
}


def groups_by_directory_role(claims: dict[str, Any]) -> set[str]:
    """Return the role groups that the directory roles in a token bring."""
    held = set(claims.get("wids", []))
    return {group for role, group in MEMBERS_BY_DIRECTORY_ROLE.items() if role in held}


def groups_by_membership(tenant: Tenant, claims: dict[str, Any]) -> set[str]:
    """Return the role groups whose member the caller is.

    An application is one by its service principal, a person by user principal name.
    """
    names = {str(claims.get(key, "")).lower() for key in ("oid", "upn")} - {""}
    known = tenant.exchange.role_group_members
    return {g for g, members in known.items() if names & {m.lower() for m in members}}


def roles_of(tenant: Tenant, group: str) -> list[str]:
    """Return the roles of a role group, built in or the tenant's own."""
    own = {str(e["Name"]): list(e["Roles"]) for e in tenant.exchange.role_groups}
    return own.get(group) or ROLE_GROUPS.get(group, [])


def allows(tenant: Tenant, groups: set[str], cmdlet: str) -> bool:
    """Say whether one of these groups may run a cmdlet."""
    if not groups:
        return False
    named = (cmdlet in ROLES[r] for group in groups for r in roles_of(tenant, group))
    return cmdlet.startswith("Get-") or any(named)

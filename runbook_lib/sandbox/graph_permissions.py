"""The app roles that each kind of request needs.

Source: the permission tables of the Microsoft Graph v1.0 reference pages. Each
constant is a tuple of alternatives; all roles of one alternative are needed.
"""

Alternatives = tuple[frozenset[str], ...]


def any_of(*roles: str) -> Alternatives:
    """Return alternatives of one role each."""
    return tuple(frozenset({role}) for role in roles)


_READ_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")

READ_APPLICATIONS = any_of(
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    *_READ_DIRECTORY,
)
WRITE_APPLICATIONS = any_of(
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "Directory.ReadWrite.All",
)
READ_ASSIGNMENTS = any_of(
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    *_READ_DIRECTORY,
)
GRANT = tuple(
    frozenset({"AppRoleAssignment.ReadWrite.All", reading})
    for reading in (
        "Application.Read.All",
        "Application.ReadWrite.All",
        *_READ_DIRECTORY,
    )
)
REVOKE = any_of("AppRoleAssignment.ReadWrite.All")
READ_GRANTS = any_of(
    "DelegatedPermissionGrant.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    *_READ_DIRECTORY,
)
DELETE_GRANTS = any_of(
    "DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"
)
READ_POLICIES = any_of("Policy.Read.All", "Policy.Read.ApplicationConfiguration")
READ_SECURITY_DEFAULTS = any_of("Policy.Read.All", "Policy.ReadWrite.SecurityDefaults")
READ_ORGANIZATION = any_of(
    "Organization.Read.All", "Organization.ReadWrite.All", *_READ_DIRECTORY
)
READ_DOMAINS = any_of("Domain.Read.All", "Domain.ReadWrite.All", *_READ_DIRECTORY)
READ_ROLES = any_of(
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
    *_READ_DIRECTORY,
)
EVERYONE: Alternatives = (frozenset(),)

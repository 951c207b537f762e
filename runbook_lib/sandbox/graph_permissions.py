"""What each kind of request needs: app roles, delegated permissions, directory roles.

An application needs app roles. A person needs a delegated permission (scope) of the
client and, where the directory does not let everybody, a directory role.

Source: the permission tables and "least privileged roles" of the Microsoft Graph
v1.0 reference pages; Microsoft Learn, "Default user permissions".
"""

from dataclasses import dataclass
from typing import Any

from runbook_lib.sandbox.directory_roles import (
    APPLICATION_ADMINISTRATOR,
    CLOUD_APPLICATION_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    GLOBAL_READER,
    PRIVILEGED_ROLE_ADMINISTRATOR,
)

Alternatives = tuple[frozenset[str], ...]

APPLICATION_ADMINISTRATORS = frozenset(
    {
        GLOBAL_ADMINISTRATOR,
        APPLICATION_ADMINISTRATOR,
        CLOUD_APPLICATION_ADMINISTRATOR,
    }
)
ROLE_ADMINISTRATORS = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})
CONSENTING = APPLICATION_ADMINISTRATORS | ROLE_ADMINISTRATORS
READERS = frozenset({GLOBAL_ADMINISTRATOR, GLOBAL_READER})


@dataclass(frozen=True)
class Needed:
    """What a request needs.

    `application` and `delegated` are alternatives: a token needs all app roles, or
    all scopes, of one of them. `held_by` are the directory roles of which a person
    needs one; null where every member of the tenant may.
    """

    application: Alternatives
    delegated: Alternatives
    held_by: frozenset[str] | None = None

    def permits(self, claims: dict[str, Any], *, people: bool = True) -> bool:
        """Say whether a token may send this request; `people`: judge their roles."""
        if "scp" not in claims:
            return _any(self.application, frozenset(claims.get("roles", ())))
        scopes = frozenset(claims["scp"].split())
        held = self.held_by is None or bool(self.held_by & set(claims["wids"]))
        return _any(self.delegated, scopes) and (held or not people)


def _any(alternatives: Alternatives, held: frozenset[str]) -> bool:
    """Say whether all of one alternative are held."""
    return any(needed <= held for needed in alternatives)


def any_of(*names: str) -> Alternatives:
    """Return alternatives of one permission each."""
    return tuple(frozenset({name}) for name in names)


def _alike(*names: str, held_by: frozenset[str] | None = None) -> Needed:
    """Return what is needed where app roles and scopes have the same names.

    Directory.AccessAsUser.All lets a client do what the person may do.
    """
    scopes = any_of(*names, "Directory.AccessAsUser.All")
    return Needed(any_of(*names), scopes, held_by)


_READ_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
_APPLICATIONS = ("Application.Read.All", "Application.ReadWrite.All")

READ_APPLICATIONS = Needed(
    any_of(*_APPLICATIONS, "Application.ReadWrite.OwnedBy", *_READ_DIRECTORY),
    any_of(*_APPLICATIONS, *_READ_DIRECTORY, "Directory.AccessAsUser.All"),
)
# Everybody may register applications and change their own; `GraphCall.may_change`
# judges whose they are.
WRITE_APPLICATIONS = Needed(
    any_of(
        "Application.ReadWrite.All",
        "Application.ReadWrite.OwnedBy",
        "Directory.ReadWrite.All",
    ),
    any_of(
        "Application.ReadWrite.All",
        "Directory.ReadWrite.All",
        "Directory.AccessAsUser.All",
    ),
)
# An application rolls its own keys without any permission; `graph_key_rolling`
# judges whose they are.
ROLL_KEYS = Needed((frozenset(),), (frozenset(),))
RESTORE_APPLICATIONS = Needed(
    WRITE_APPLICATIONS.application,
    WRITE_APPLICATIONS.delegated,
    APPLICATION_ADMINISTRATORS,
)
READ_ASSIGNMENTS = _alike(
    *_APPLICATIONS, "AppRoleAssignment.ReadWrite.All", *_READ_DIRECTORY
)
_GRANT = tuple(
    frozenset({"AppRoleAssignment.ReadWrite.All", reading})
    for reading in (*_APPLICATIONS, *_READ_DIRECTORY)
)
# To which resources an application administrator may consent is judged later.
GRANT = Needed(_GRANT, _GRANT, CONSENTING)
_REVOKE = any_of("AppRoleAssignment.ReadWrite.All")
REVOKE = Needed(_REVOKE, _REVOKE, CONSENTING)
READ_GRANTS = _alike(
    "DelegatedPermissionGrant.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    *_READ_DIRECTORY,
)
DELETE_GRANTS = _alike(
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.ReadWrite.All",
    held_by=CONSENTING,
)
_READ_POLICIES = any_of("Policy.Read.All", "Policy.Read.ApplicationConfiguration")
READ_POLICIES = Needed(
    _READ_POLICIES, _READ_POLICIES, APPLICATION_ADMINISTRATORS | READERS
)
_READ_DEFAULTS = any_of("Policy.Read.All", "Policy.ReadWrite.SecurityDefaults")
READ_SECURITY_DEFAULTS = Needed(_READ_DEFAULTS, _READ_DEFAULTS, READERS)
_READ_ORGANIZATION = (
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    *_READ_DIRECTORY,
)
READ_ORGANIZATION = Needed(
    any_of(*_READ_ORGANIZATION),
    any_of("User.Read", *_READ_ORGANIZATION, "Directory.AccessAsUser.All"),
)
READ_DOMAINS = _alike(
    "Domain.Read.All", "Domain.ReadWrite.All", *_READ_DIRECTORY, held_by=READERS
)
READ_ROLES = _alike(
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
    *_READ_DIRECTORY,
    held_by=ROLE_ADMINISTRATORS | READERS,
)
READ_USERS = _alike("User.Read.All", "User.ReadWrite.All", *_READ_DIRECTORY)
READ_ME = Needed(
    (),
    any_of(
        "User.Read",
        "User.ReadWrite",
        "User.Read.All",
        *_READ_DIRECTORY,
        "Directory.AccessAsUser.All",
    ),
)

"""Who may run a cmdlet through the admin API.

An application needs the app role Exchange.ManageAsApp; a person signs in with a
client that has the delegated permission Exchange.Manage. What either may do is
decided by role groups: by a directory role or as a member.
Source: Microsoft Learn, "App-only authentication for unattended scripts in
Exchange Online PowerShell"; field reports for the forms of the refusals.
"""

from typing import Any

from runbook_lib.sandbox.exchange_contract import Cmdlet
from runbook_lib.sandbox.exchange_roles import (
    allows,
    groups_by_directory_role,
    groups_by_membership,
)
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import Sandbox, Tenant
from runbook_lib.sandbox.tokens import (
    GRAPH_AUDIENCES,
    OUTLOOK_AUDIENCES,
    TokenProblem,
    verify_access_token,
)

MANAGE_AS_APP = "Exchange.ManageAsApp"
MANAGE = "Exchange.Manage"

CHALLENGE = (
    'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
    'trusted_issuers="00000001-0000-0000-c000-000000000000@*", '
    'token_types="app_asserted_user_v1 service_asserted_app_v1", '
    'authorization_uri="https://login.windows.net/common/oauth2/authorize", '
    'error="invalid_token"'
)


def token_claims(
    sandbox: Sandbox, bearer: str | None, tenant_id: str
) -> dict[str, Any] | Answer:
    """Return the claims of a token for this tenant, or the refusal."""
    audiences = OUTLOOK_AUDIENCES
    if not sandbox.holds("exchange.audience"):
        audiences = OUTLOOK_AUDIENCES + GRAPH_AUDIENCES
    claims = verify_access_token(sandbox, bearer, audiences)
    if isinstance(claims, TokenProblem):
        return unauthorized()
    stranger = claims["tid"] != tenant_id and sandbox.holds("exchange.tenant-of-token")
    if stranger or tenant_id not in sandbox.tenants:
        return forbidden()
    if not _has_permission(sandbox, claims):
        return unauthorized()
    return claims


def may_run(
    sandbox: Sandbox, tenant: Tenant, claims: dict[str, Any], cmdlet: Cmdlet
) -> bool:
    """Say whether a role group of the caller allows the cmdlet."""
    if not sandbox.holds("exchange.directory-role"):
        return True
    groups = groups_by_directory_role(claims)
    if sandbox.holds("exchange.role-group"):
        groups |= groups_by_membership(tenant, claims)
    if groups and not sandbox.holds("exchange.reader-reads"):
        return True
    return allows(tenant, groups, cmdlet.name)


def _has_permission(sandbox: Sandbox, claims: dict[str, Any]) -> bool:
    """Say whether a token lets its holder reach the admin API at all.

    An application needs an app role, a person's client a delegated permission.
    """
    if "scp" in claims:
        known = MANAGE in claims["scp"].split()
        return known or not sandbox.holds("exchange.delegated")
    known = MANAGE_AS_APP in claims.get("roles", [])
    return known or not sandbox.holds("exchange.manage-as-app")


def unauthorized() -> Answer:
    """Return the refusal of a token: a challenge and an empty body."""
    return Answer(401, None, {"WWW-Authenticate": CHALLENGE})


def forbidden() -> Answer:
    """Return the refusal of a cmdlet: a NUL byte that claims to be gzip."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return Answer(403, b"\x00", headers)

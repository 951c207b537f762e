"""Who may run a cmdlet through the admin API.

An application needs the app role Exchange.ManageAsApp and a directory role on
its service principal; which one decides what it may do.
Source: Microsoft Learn, "App-only authentication for unattended scripts in
Exchange Online PowerShell"; field reports for the forms of the refusals.
"""

from typing import Any

from runbook_lib.sandbox.exchange_contract import Cmdlet
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import Sandbox
from runbook_lib.sandbox.tokens import (
    GRAPH_AUDIENCES,
    OUTLOOK_AUDIENCES,
    TokenProblem,
    verify_access_token,
)

MANAGE_AS_APP = "Exchange.ManageAsApp"

# Template ids of Entra's built-in roles.
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"

WRITING_ROLES = {GLOBAL_ADMINISTRATOR, EXCHANGE_ADMINISTRATOR}

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
    roles = claims.get("roles", [])
    if MANAGE_AS_APP not in roles and sandbox.holds("exchange.manage-as-app"):
        return unauthorized()
    return claims


def may_run(sandbox: Sandbox, claims: dict[str, Any], cmdlet: Cmdlet) -> bool:
    """Say whether a directory role in the token allows the cmdlet."""
    held = set(claims.get("wids", []))
    if held & WRITING_ROLES or not sandbox.holds("exchange.directory-role"):
        return True
    if GLOBAL_READER not in held:
        return False
    return cmdlet.name.startswith("Get-") or not sandbox.holds("exchange.reader-reads")


def unauthorized() -> Answer:
    """Return the refusal of a token: a challenge and an empty body."""
    return Answer(401, None, {"WWW-Authenticate": CHALLENGE})


def forbidden() -> Answer:
    """Return the refusal of a cmdlet: a NUL byte that claims to be gzip."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return Answer(403, b"\x00", headers)

"""Access tokens: real RS256 JWTs with real times, made and verified here.

Source: Microsoft Learn, "Access token claims reference" (v1.0 tokens).
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

import jwt

from runbook_lib.sandbox.directory_roles import NO_ROLE_APPLICATION
from runbook_lib.sandbox.hosts import CLOUDS
from runbook_lib.sandbox.keys import base64url, signing_key
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

LIFETIME_SECONDS = 3600
BACKDATED_SECONDS = 300  # Entra dates a token five minutes back

# Of all clouds: a token can only be issued for the resources of the cloud that is
# played. An audience may also be the bare appId of the resource.
OUTLOOK_AUDIENCES: tuple[str, ...] = (
    *dict.fromkeys(
        name for cloud in CLOUDS.values() for name in cloud.exchange_resources
    ),
    "00000002-0000-0ff1-ce00-000000000000",
)
GRAPH_AUDIENCES: tuple[str, ...] = (
    *dict.fromkeys(f"https://{cloud.graph}" for cloud in CLOUDS.values()),
    "00000003-0000-0000-c000-000000000000",
)
VAULT_AUDIENCES: tuple[str, ...] = (
    *dict.fromkeys(cloud.vault_resource for cloud in CLOUDS.values()),
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
)
MANAGEMENT_AUDIENCES: tuple[str, ...] = (
    *dict.fromkeys(
        name for cloud in CLOUDS.values() for name in cloud.management_resources
    ),
    "797f4846-ba00-4fd7-bf71-dba1dac5a6c4",
)


@dataclass(frozen=True)
class TokenProblem:
    """Why a token is not accepted: `missing`, `malformed`, `signature`, `expired`,
    `audience`, `tenant`, and a sentence without any part of the token."""

    reason: str
    message: str


Claims = dict[str, Any]


def issue_token(
    sandbox: Sandbox,
    tenant: Tenant,
    client: JsonObject,
    resource: JsonObject,
    audience: str,
    *,
    by_certificate: bool = False,
) -> str:
    """Return an app-only access token.

    `client` and `resource` are service principals. The claim `roles` is left out
    where the client has no app role on the resource.
    """
    claims = _claims(sandbox, tenant, client, audience, by_certificate=by_certificate)
    roles = granted_roles(sandbox, tenant, client, resource)
    if roles:
        claims["roles"] = roles
    key = signing_key()
    headers = {"kid": key.thumbprint, "x5t": key.thumbprint}
    return jwt.encode(claims, key.private, algorithm="RS256", headers=headers)


def granted_roles(
    sandbox: Sandbox, tenant: Tenant, client: JsonObject, resource: JsonObject
) -> list[str]:
    """Return the values of the app roles that `client` holds on `resource`.

    An assignment whose lag still runs does not count.
    """
    if not sandbox.holds("entra.roles-follow-consent"):
        return sorted(role["value"] for role in resource["appRoles"])
    values = {role["id"]: role["value"] for role in resource["appRoles"]}
    return sorted(
        values[assignment["appRoleId"]]
        for assignment in tenant.app_role_assignments.values()
        if assignment["principalId"] == client["id"]
        and assignment["resourceId"] == resource["id"]
        and assignment["appRoleId"] in values
        and not sandbox.faults.lagging("roles", assignment["id"])
    )


def verify_access_token(
    sandbox: Sandbox, text: str | None, audiences: tuple[str, ...]
) -> Claims | TokenProblem:
    """Judge a bearer token: signature, times, audience and tenant.

    `audiences` are the values of `aud` that the asking service accepts. Roles are
    not judged here.
    """
    if not text:
        return TokenProblem("missing", "Access token is empty.")
    try:
        claims: Claims = jwt.decode(
            text,
            signing_key().private.public_key(),
            algorithms=["RS256"],
            options={"verify_aud": False, "require": ["exp", "aud", "tid"]},
        )
    except jwt.PyJWTError as error:
        return _problem(error)
    if claims["aud"].rstrip("/") not in audiences:
        return TokenProblem(
            "audience", "Access token validation failure. Invalid audience."
        )
    if claims["tid"] not in sandbox.tenants:
        return TokenProblem("tenant", "The tenant of the token is not known.")
    return claims


def _problem(error: jwt.PyJWTError) -> TokenProblem:
    """Name what is wrong with a token that does not verify."""
    if isinstance(error, jwt.ExpiredSignatureError):
        return TokenProblem(
            "expired", "Lifetime validation failed, the token is expired."
        )
    if isinstance(error, jwt.InvalidSignatureError):
        return TokenProblem("signature", "Invalid token signature.")
    return TokenProblem("malformed", "The token is not a well-formed JWT.")


def _claims(
    sandbox: Sandbox,
    tenant: Tenant,
    client: JsonObject,
    audience: str,
    *,
    by_certificate: bool,
) -> Claims:
    """Return the claims of a token, without roles."""
    issuer = f"https://{sandbox.cloud.issuer}/{tenant.tenant_id}/"
    return dated_claims(sandbox, tenant, audience) | {
        "app_displayname": client["displayName"],
        "appid": client["appId"],
        "appidacr": "2" if by_certificate else "1",
        "idp": issuer,
        "idtyp": "app",
        "oid": client["id"],
        "sub": client["id"],
        "wids": tenant.role_templates_of(client["id"]) or [NO_ROLE_APPLICATION],
    }


def dated_claims(sandbox: Sandbox, tenant: Tenant, audience: str) -> Claims:
    """Return the claims that every access token has: for whom, by whom, how long."""
    issued = int(time.time()) - BACKDATED_SECONDS
    return {
        "aud": audience,
        "iss": f"https://{sandbox.cloud.issuer}/{tenant.tenant_id}/",
        "iat": issued,
        "nbf": issued,
        "exp": issued + BACKDATED_SECONDS + LIFETIME_SECONDS,
        "aio": _opaque(30),
        "rh": f"1.{_opaque(24)}.",
        "tid": tenant.tenant_id,
        "uti": _opaque(16),
        "ver": "1.0",
    }


def secret_hash(text: str) -> str:
    """Return what the sandbox keeps of a secret text or a password."""
    return hashlib.sha256(text.encode()).hexdigest()


def _opaque(size: int) -> str:
    """Return a text that means something to Entra only."""
    return base64url(secrets.token_bytes(size))

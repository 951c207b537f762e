"""People: who signs in, what they consent to, and the tokens that they get.

Source: Microsoft Learn, "Microsoft identity platform and OAuth 2.0 authorization
code flow", "Access token claims reference", "ID token claims reference"; "Overview
of permissions and consent".
"""

import hmac
import json
import time
from typing import Any

import jwt

from runbook_lib.sandbox.directory import (
    MICROSOFT_TENANT,
    by_resource_name,
    new_service_principal,
)
from runbook_lib.sandbox.directory_roles import (
    APPLICATION_ADMINISTRATOR,
    CLOUD_APPLICATION_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    NO_ROLE_USER,
    PRIVILEGED_ROLE_ADMINISTRATOR,
)
from runbook_lib.sandbox.entra_errors import AadstsError
from runbook_lib.sandbox.keys import base64url, signing_key
from runbook_lib.sandbox.public_clients import PUBLIC_CLIENTS
from runbook_lib.sandbox.sign_ins import Grant
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant
from runbook_lib.sandbox.tokens import LIFETIME_SECONDS, dated_claims, secret_hash

# Scopes about the sign-in itself; they belong to no resource.
OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})

# What a person may allow without an administrator.
USER_CONSENT = frozenset({"User.Read", "SMTP.Send"})

CONSENTING_ROLES = {
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    APPLICATION_ADMINISTRATOR,
    CLOUD_APPLICATION_ADMINISTRATOR,
}


def authenticated(sandbox: Sandbox, login: str, password: str) -> tuple[Tenant, str]:
    """Return tenant and user id of a person, or raise AadstsError."""
    tenant = sandbox.tenant(login.rpartition("@")[2])
    users = tenant.users.values() if tenant else ()
    wanted = login.lower()
    user = next((u for u in users if u["userPrincipalName"].lower() == wanted), None)
    if tenant is None or user is None:
        name = tenant.display_name if tenant else login.rpartition("@")[2]
        raise AadstsError(50034, login=login, tenant=name)
    stored = tenant.password_hashes.get(user["id"], "")
    right = hmac.compare_digest(stored, secret_hash(password))
    if not right and sandbox.holds("entra.wrong-password"):
        raise AadstsError(50126)
    if not user["accountEnabled"]:
        raise AadstsError(50057)
    return tenant, str(user["id"])


def resource_of(sandbox: Sandbox, tenant: Tenant, scope: str) -> tuple[JsonObject, str]:
    """Return the resource that scopes are about, and its name as they write it.

    A scope without a resource is one of Microsoft Graph. Raises AADSTS500011 for a
    resource that the tenant does not have, AADSTS70011 for several.
    """
    names = {
        text.rpartition("/")[0] or f"https://{sandbox.cloud.graph}"
        for text in scope.split()
        if text.lower() not in OPENID_SCOPES
    }
    if len(names) > 1:
        raise AadstsError(70011, scope=scope)
    name = names.pop() if names else f"https://{sandbox.cloud.graph}"
    principal = by_resource_name(tenant, name)
    if principal is None:
        raise AadstsError(500011, resource=name, tenant=tenant.display_name)
    return principal, name


def granted_scopes(
    sandbox: Sandbox, tenant: Tenant, grant: Grant, *, consent: bool = False
) -> str:
    """Return the delegated permissions that a token for this grant carries.

    With `consent` the person is at the sign-in page and may allow what is missing.
    Raises AADSTS65001 where it is missing still, AADSTS70011 for a scope that the
    resource does not have.
    """
    resource, _ = resource_of(sandbox, tenant, grant.scope)
    wanted = _wanted(resource, grant.scope)
    held = _held(tenant, grant, resource)
    missing = wanted - held - {".default"}
    if missing and consent:
        held |= _consented(sandbox, tenant, grant, resource, missing)
    if wanted - held - {".default"} and sandbox.holds("entra.consent"):
        name = client_name(tenant, grant.client_id)
        raise AadstsError(65001, app_id=grant.client_id, name=name)
    return " ".join(sorted(held | wanted if ".default" not in wanted else held))


def _wanted(resource: JsonObject, scope: str) -> set[str]:
    """Return the permissions that are asked for, `.default` among them."""
    texts = [text for text in scope.split() if text.lower() not in OPENID_SCOPES]
    names = {text.rpartition("/")[2] for text in texts}
    known = {entry["value"] for entry in resource["oauth2PermissionScopes"]}
    for name in names - known - {".default"}:
        raise AadstsError(70011, scope=name)
    return names


def _held(tenant: Tenant, grant: Grant, resource: JsonObject) -> set[str]:
    """Return what the client may do for this person already."""
    first_party = PUBLIC_CLIENTS.get(grant.client_id)
    held = first_party.scopes.get(resource["appId"], "").split() if first_party else []
    client = tenant.service_principal_by_app_id(grant.client_id)
    for entry in tenant.oauth2_permission_grants.values():
        concerns = (
            client is not None
            and entry["clientId"] == client["id"]
            and entry["resourceId"] == resource["id"]
            and entry["principalId"] in (None, grant.user_id)
        )
        held += entry["scope"].split() if concerns else []
    return set(held)


def _consented(
    sandbox: Sandbox,
    tenant: Tenant,
    grant: Grant,
    resource: JsonObject,
    missing: set[str],
) -> set[str]:
    """Let a person consent for themselves; return what they may and did allow."""
    roles = set(tenant.role_templates_of(grant.user_id))
    allowed = missing if roles & CONSENTING_ROLES else missing & USER_CONSENT
    if allowed:
        entry = {
            "id": tenant.ids.letters(43),
            "clientId": _client(sandbox, tenant, grant.client_id)["id"],
            "consentType": "Principal",
            "principalId": grant.user_id,
            "resourceId": resource["id"],
            "scope": " ".join(sorted(allowed)),
        }
        tenant.oauth2_permission_grants[entry["id"]] = entry
    return allowed


def _client(sandbox: Sandbox, tenant: Tenant, client_id: str) -> JsonObject:
    """Return a client's service principal; the first consent makes a missing one."""
    client = tenant.service_principal_by_app_id(client_id)
    if client is None:
        application = tenant.application_by_app_id(client_id) or {
            "appId": client_id,
            "displayName": client_name(tenant, client_id),
            "signInAudience": "AzureADMultipleOrgs",
        }
        client = new_service_principal(tenant, application, sandbox.now())
        if client_id in PUBLIC_CLIENTS:
            client["appOwnerOrganizationId"] = MICROSOFT_TENANT
        tenant.service_principals[client["id"]] = client
    return client


def client_name(tenant: Tenant, client_id: str) -> str:
    """Return the display name of a client, or its id."""
    application = tenant.application_by_app_id(client_id)
    if application is not None:
        return str(application["displayName"])
    known = PUBLIC_CLIENTS.get(client_id)
    return known.name if known else client_id


def person_answer(
    sandbox: Sandbox, tenant: Tenant, grant: Grant, *, confidential: bool, info: bool
) -> JsonObject:
    """Return the body of a granted sign-in of a person.

    A refresh token only with the scope offline_access, an ID token only with
    openid; `info` adds what MSAL asks for as client_info.
    """
    scopes = granted_scopes(sandbox, tenant, grant)
    _, audience = resource_of(sandbox, tenant, grant.scope)
    claims = _access_claims(sandbox, tenant, grant, audience, scopes, confidential)
    body: JsonObject = {
        "token_type": "Bearer",
        "scope": " ".join(f"{audience.rstrip('/')}/{name}" for name in scopes.split()),
        "expires_in": LIFETIME_SECONDS - 1,
        "ext_expires_in": LIFETIME_SECONDS - 1,
        "access_token": _signed(claims),
    }
    asked = {text.lower() for text in grant.scope.split()}
    if "offline_access" in asked:
        body["refresh_token"] = sandbox.sign_ins.refresh.put(grant)
    if "openid" in asked:
        body["id_token"] = _signed(_id_claims(sandbox, tenant, grant))
    if info:
        ids = {"uid": grant.user_id, "utid": tenant.tenant_id}
        body["client_info"] = base64url(json.dumps(ids).encode())
    return body


def _access_claims(
    sandbox: Sandbox,
    tenant: Tenant,
    grant: Grant,
    audience: str,
    scopes: str,
    confidential: bool,
) -> dict[str, Any]:
    """Return the claims of a delegated access token (v1.0)."""
    user = tenant.users[grant.user_id]
    roles = tenant.role_templates_of(grant.user_id)
    return dated_claims(sandbox, tenant, audience) | {
        "acr": "1",
        "amr": ["pwd"],
        "app_displayname": client_name(tenant, grant.client_id),
        "appid": grant.client_id,
        "appidacr": "1" if confidential else "0",
        "family_name": user["surname"],
        "given_name": user["givenName"],
        "idtyp": "user",
        "name": user["displayName"],
        "oid": grant.user_id,
        "scp": scopes,
        "sub": base64url(f"{grant.user_id}/{grant.client_id}".encode())[:43],
        "unique_name": user["userPrincipalName"],
        "upn": user["userPrincipalName"],
        "wids": [*roles, NO_ROLE_USER],
    }


def _id_claims(sandbox: Sandbox, tenant: Tenant, grant: Grant) -> dict[str, Any]:
    """Return the claims of an ID token (v2.0)."""
    user, now = tenant.users[grant.user_id], int(time.time())
    claims = {
        "aud": grant.client_id,
        "iss": f"{sandbox.cloud.authority}/{tenant.tenant_id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "name": user["displayName"],
        "oid": grant.user_id,
        "preferred_username": user["userPrincipalName"],
        "sub": base64url(f"{grant.user_id}/{grant.client_id}".encode())[:43],
        "tid": tenant.tenant_id,
        "ver": "2.0",
    }
    return claims | ({"nonce": grant.nonce} if grant.nonce else {})


def _signed(claims: dict[str, Any]) -> str:
    """Sign claims as Entra does."""
    key = signing_key()
    headers = {"kid": key.thumbprint, "x5t": key.thumbprint}
    return jwt.encode(claims, key.private, algorithm="RS256", headers=headers)

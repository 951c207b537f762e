"""Azure Key Vault: the secrets of one vault per tenant, `kv-<tenant name>`.

Order of checks: token (401), API version (400), path (404), role (403), then the
request itself.

Source: Microsoft Learn, Key Vault REST API reference, "Secrets"; "Azure Key Vault
REST API error codes"; "Authentication, requests and responses".
"""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runbook_lib.sandbox import vault_secrets as secrets
from runbook_lib.sandbox.hosts import vault_name
from runbook_lib.sandbox.http import Answer, Call, Service, logged_body
from runbook_lib.sandbox.log import MASK
from runbook_lib.sandbox.state import Tenant
from runbook_lib.sandbox.tokens import (
    GRAPH_AUDIENCES,
    OUTLOOK_AUDIENCES,
    VAULT_AUDIENCES,
    Claims,
    TokenProblem,
    verify_access_token,
)
from runbook_lib.sandbox.vault_access import may
from runbook_lib.sandbox.vault_errors import VaultError, error_answer, forbidden

_VERSION = re.compile(r"7\.[0-6]|20\d\d-\d\d-\d\d(-preview)?")

# What the roles call the actions of the routes below.
DATA_ACTIONS = {
    "get": "getSecret/action",
    "list": "readMetadata/action",
    "set": "setSecret/action",
    "update": "update/action",
    "delete": "delete",
    "recover": "recover/action",
    "purge": "purge/action",
}


@dataclass(frozen=True)
class Route:
    """One request that a vault knows, and the action that a role has to allow."""

    method: str
    pattern: re.Pattern[str]
    action: str
    handler: Callable[[secrets.VaultCall], Answer]

    @property
    def template(self) -> str:
        """Return the path as a person reads it."""
        return self.pattern.pattern.replace("([^/]+)", "{}").replace("/?", "")


def _route(
    method: str,
    path: str,
    action: str,
    handler: Callable[[secrets.VaultCall], Answer],
) -> Route:
    """Return a route; `*` in the path is a part that the handler reads."""
    pattern = re.compile(path.replace("*", "([^/]+)") + "/?")
    return Route(method, pattern, action, handler)


ROUTES = (
    _route("GET", "/secrets", "list", secrets.list_secrets),
    _route("PUT", "/secrets/*", "set", secrets.set_secret),
    _route("GET", "/secrets/*", "get", secrets.get_secret),
    _route("DELETE", "/secrets/*", "delete", secrets.delete_secret),
    _route("GET", "/secrets/*/versions", "list", secrets.list_versions),
    _route("GET", "/secrets/*/*", "get", secrets.get_secret),
    _route("PATCH", "/secrets/*/*", "update", secrets.update_secret),
    _route("GET", "/deletedsecrets", "list", secrets.list_deleted),
    _route("GET", "/deletedsecrets/*", "list", secrets.get_deleted),
    _route("DELETE", "/deletedsecrets/*", "purge", secrets.purge_secret),
    _route("POST", "/deletedsecrets/*/recover", "recover", secrets.recover_secret),
)


def handle(call: Call) -> Answer:
    """Answer one request to a vault host."""
    tenant = vault_tenant(call)
    if tenant is None:
        return Answer(421)
    try:
        answer = _answered(call, tenant)
    except VaultError as problem:
        answer = error_answer(call, tenant, problem)
    answer.tenant = tenant.tenant_id
    answer.headers |= {
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-keyvault-region": "westeurope",
        "x-ms-keyvault-service-version": "1.9.2000.1",
        "Cache-Control": "no-cache",
        "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
        "X-Content-Type-Options": "nosniff",
    }
    return answer


def vault_tenant(call: Call) -> Tenant | None:
    """Return the tenant whose vault a request is for."""
    name = call.host.partition(".")[0]
    owner = name.removeprefix(vault_name(""))
    if owner == name:
        return None
    return call.sandbox.tenant(f"{owner}.{call.sandbox.cloud.initial_suffix}")


def _answered(call: Call, tenant: Tenant) -> Answer:
    """Answer a request to a vault that exists."""
    claims = _claims(call, tenant)
    version = call.query.get("api-version", "")
    strict = call.sandbox.holds("vault.api-version")
    if strict and not _VERSION.fullmatch(version):
        raise VaultError(
            400, "BadParameter", f"The api-version '{version}' is missing or invalid."
        )
    route, keys = _routed(call)
    role = tenant.vault.roles.get(claims["oid"])
    if not may(role, route.action) and call.sandbox.holds("vault.role"):
        raise forbidden(call, tenant, claims, DATA_ACTIONS[route.action])
    return route.handler(secrets.VaultCall(call, tenant, keys))


def _claims(call: Call, tenant: Tenant) -> Claims:
    """Return the claims of a token for this vault, or raise the 401."""
    sandbox, resource = call.sandbox, call.sandbox.cloud.vault_resource
    audiences = VAULT_AUDIENCES
    if not sandbox.holds("vault.audience"):
        audiences += OUTLOOK_AUDIENCES + GRAPH_AUDIENCES
    claims = verify_access_token(sandbox, call.bearer, audiences)
    if isinstance(claims, TokenProblem):
        message = {
            "missing": "AKV10000: Request is missing a Bearer or PoP token.",
            "audience": f"AKV10022: Invalid audience. Expected {resource}.",
        }.get(claims.reason, f"AKV10001: {claims.message}")
        raise VaultError(401, "Unauthorized", message)
    stranger = claims["tid"] != tenant.tenant_id
    if stranger and sandbox.holds("vault.tenant"):
        message = f"AKV10032: Invalid issuer. Found {claims['iss']}."
        raise VaultError(401, "Unauthorized", message)
    return claims


def _routed(call: Call) -> tuple[Route, tuple[str, ...]]:
    """Find the route of a request; a double slash at the start is one."""
    path = "/" + call.path.lstrip("/")
    allowed = []
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match and route.method == call.method:
            return route, match.groups()
        if match:
            allowed.append(route.method)
    if allowed:
        message = f"Method {call.method} is not allowed for this resource."
        raise VaultError(405, "BadMethod", message)
    raise VaultError(404, "NotFound", "The resource was not found.")


def is_write(call: Call) -> bool:
    """Say whether a request writes: no GET or HEAD."""
    return call.method not in ("GET", "HEAD")


def logged(call: Call) -> Any:
    """Return the body to log: everything but the secret."""
    body = logged_body(call)
    if isinstance(body, dict):
        return {name: MASK if name == "value" else body[name] for name in body}
    return None if body is None else MASK


def _unavailable(call: Call, status: int) -> Answer:
    """Return the reply of a throttled or overloaded vault."""
    code = "Throttled" if status == 429 else "ServiceUnavailable"
    text = json.dumps({"error": {"code": code, "message": "Try again later."}})
    return Answer(status, text.encode(), {"Content-Type": "application/json"})


def vault_service() -> Service:
    """Return the service for the vaults."""
    return Service("vault", handle, is_write, _unavailable, logged)

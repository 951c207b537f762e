"""Azure Resource Manager, as far as command lines ask it when somebody signs in.

The tenant has no Azure subscription: `az login --allow-no-subscriptions` finds its
tenant and no more. Nothing can be written.

Source: Microsoft Learn, Azure REST API reference, "Subscriptions - List" and
"Tenants - List"; refusals as quoted in published logs.
"""

import uuid

from runbook_lib.sandbox.http import Answer, Call, Service
from runbook_lib.sandbox.state import JsonObject, Tenant
from runbook_lib.sandbox.tokens import (
    GRAPH_AUDIENCES,
    MANAGEMENT_AUDIENCES,
    Claims,
    TokenProblem,
    verify_access_token,
)

REFUSED = {
    "missing": "AuthenticationFailed",
    "audience": "InvalidAuthenticationTokenAudience",
    "tenant": "InvalidAuthenticationTokenTenant",
    "expired": "ExpiredAuthenticationToken",
}


def handle(call: Call) -> Answer:
    """Answer one request: token (401), method (405), API version (400), path (404)."""
    audiences = MANAGEMENT_AUDIENCES
    if not call.sandbox.holds("management.audience"):
        audiences += GRAPH_AUDIENCES
    claims = verify_access_token(call.sandbox, call.bearer, audiences)
    if isinstance(claims, TokenProblem):
        answer = _unauthorized(call, claims)
    else:
        answer = _answered(call, claims)
    answer.headers |= {
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-correlation-request-id": str(uuid.uuid4()),
        "Cache-Control": "no-cache",
    }
    return answer


def _unauthorized(call: Call, problem: TokenProblem) -> Answer:
    """Return the reply to a token that is missing or wrong."""
    code = REFUSED.get(problem.reason, "InvalidAuthenticationToken")
    answer = _refusal(401, code, _sentence(call, problem))
    if not call.sandbox.holds("management.challenge"):
        return answer
    answer.headers["WWW-Authenticate"] = (
        f'Bearer authorization_uri="{call.sandbox.cloud.authority}/common",'
        f' error="invalid_token", error_description="{problem.message}"'
    )
    return answer


def _sentence(call: Call, problem: TokenProblem) -> str:
    """Return what the error says; never a part of the token."""
    if problem.reason == "missing":
        return "Authentication failed. The 'Authorization' header is missing."
    if problem.reason == "audience":
        names = call.sandbox.cloud.management_resources
        allowed = ",".join(f"'{name}/','{name}'" for name in names)
        return (
            "The access token has been obtained for wrong audience or resource. It "
            f"should exactly match with one of the allowed audiences {allowed}."
        )
    return problem.message


def _answered(call: Call, claims: Claims) -> Answer:
    """Answer a caller who is signed in."""
    tenant = call.sandbox.tenants[claims["tid"]]
    answer = _found(call, tenant)
    answer.tenant = tenant.tenant_id
    return answer


def _found(call: Call, tenant: Tenant) -> Answer:
    """Return what stands at a path."""
    path = "/" + call.path.strip("/").lower()
    if is_write(call) and call.sandbox.holds("management.read-only"):
        return _refusal(405, "MethodNotAllowed", "Nothing can be written here.")
    strict = call.sandbox.holds("management.api-version")
    if strict and not call.query.get("api-version"):
        return _refusal(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all "
            "requests.",
        )
    if path == "/subscriptions":
        return Answer(200, {"value": [], "count": {"type": "Total", "value": 0}})
    if path == "/tenants":
        return Answer(200, {"value": [_tenant(tenant)]})
    return _refusal(404, "ResourceNotFound", "The resource was not found.")


def _tenant(tenant: Tenant) -> JsonObject:
    """Return the caller's tenant, as the list of tenants shows it."""
    return {
        "id": f"/tenants/{tenant.tenant_id}",
        "tenantId": tenant.tenant_id,
        "displayName": tenant.display_name,
        "defaultDomain": tenant.initial_domain,
        "domains": [tenant.initial_domain],
        "tenantCategory": "Home",
        "tenantType": "AAD",
    }


def _refusal(status: int, code: str, message: str) -> Answer:
    """Return an error in the envelope of Azure."""
    return Answer(status, {"error": {"code": code, "message": message}})


def is_write(call: Call) -> bool:
    """Say whether a request would write: no GET or HEAD."""
    return call.method not in ("GET", "HEAD")


def management_service() -> Service:
    """Return the service for the host of Azure Resource Manager."""
    return Service("management", handle, is_write, None)

"""The token endpoint of a managed identity, as Azure App Service offers it.

`GET /msi/token?resource=…&api-version=2019-08-01` with the header X-IDENTITY-HEADER.
A host learns address and header value from the variables IDENTITY_ENDPOINT and
IDENTITY_HEADER; here the value also says whose identity it is.

Source: Microsoft Learn, "How to use managed identities for App Service and Azure
Functions", section "REST endpoint reference".
"""

import hmac
import time

from runbook_lib.sandbox.directory import by_resource_name
from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.state import JsonObject, Tenant
from runbook_lib.sandbox.tokens import LIFETIME_SECONDS, issue_token

API_VERSION = "2019-08-01"
HEADER = "x-identity-header"


def handle(call: Call) -> Answer:
    """Answer GET /msi/token."""
    if call.method != "GET":
        return Answer(405, None, {"Allow": "GET"})
    tenant = _tenant(call)
    if tenant is None:
        return _refused(401, "The header X-IDENTITY-HEADER is missing or wrong.")
    answer = _answered(call, tenant)
    answer.tenant = tenant.tenant_id
    return answer


def _answered(call: Call, tenant: Tenant) -> Answer:
    """Answer a host that proved to be one."""
    query = call.query
    if query.get("api-version") != API_VERSION:
        return _refused(400, f"The api-version has to be {API_VERSION}.")
    name = query.get("resource", "")
    resource = by_resource_name(tenant, name)
    if resource is None:
        return _refused(400, f"The resource '{name}' was not found in the tenant.")
    identity = _identity(tenant)
    asked = query.get("client_id") or query.get("principal_id") or identity["id"]
    if asked.lower() not in (identity["appId"], identity["id"]):
        return _refused(400, "No managed identity was found for the given id.")
    token = issue_token(
        call.sandbox, tenant, identity, resource, name, by_certificate=True
    )
    body = {
        "access_token": token,
        "client_id": identity["appId"],
        "expires_on": str(int(time.time()) + LIFETIME_SECONDS),
        "resource": name,
        "token_type": "Bearer",
    }
    return Answer(200, body)


def _tenant(call: Call) -> Tenant | None:
    """Return the tenant whose host sent this header value."""
    sent = call.headers.get(HEADER, "").encode()
    found = None
    for known, tenant_id in call.sandbox.identity_headers.items():
        if hmac.compare_digest(known.encode(), sent):
            found = tenant_id
    if found is None and not call.sandbox.holds("identity.header"):
        return next(iter(call.sandbox.tenants.values()))
    return None if found is None else call.sandbox.tenants[found]


def _identity(tenant: Tenant) -> JsonObject:
    """Return the service principal of the tenant's managed identity."""
    return next(
        principal
        for principal in tenant.service_principals.values()
        if principal["servicePrincipalType"] == "ManagedIdentity"
    )


def _refused(status: int, message: str) -> Answer:
    """Return a refusal in App Service's form."""
    return Answer(status, {"statusCode": status, "message": message})

"""The login host: metadata, keys, instance discovery and the token endpoint.

Source: Microsoft Learn, "OpenID Connect on the Microsoft identity platform";
OpenID Connect Discovery 1.0 section 3 and 4.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from runbook_lib.sandbox import entra_pages as pages
from runbook_lib.sandbox.entra_errors import AadstsError, error_answer, sign_in_headers
from runbook_lib.sandbox.entra_token import SHARED_TENANTS, find_tenant, token
from runbook_lib.sandbox.hosts import Cloud
from runbook_lib.sandbox.http import Answer, Call, Service, logged_body
from runbook_lib.sandbox.keys import signing_key
from runbook_lib.sandbox.log import MASK
from runbook_lib.sandbox.state import JsonObject

_CLAIMS = [
    "sub",
    "iss",
    "cloud_instance_name",
    "cloud_instance_host_name",
    "cloud_graph_host_name",
    "msgraph_host",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "acr",
    "nonce",
    "preferred_username",
    "name",
    "tid",
    "ver",
    "at_hash",
    "c_hash",
    "email",
]


def handle(call: Call) -> Answer:
    """Answer one request to the login host."""
    try:
        answer = _dispatched(call)
    except AadstsError as problem:
        answer = error_answer(call, problem)
        tenant = call.sandbox.tenant(call.path.strip("/").partition("/")[0])
        answer.tenant = tenant.tenant_id if tenant else None
    return answer


def _logged(call: Call) -> Any:
    """Return the form to log: an authorization code is as good as a secret."""
    body = logged_body(call)
    masked = isinstance(body, dict) and "code" in body
    return {**body, "code": MASK} if masked else body


def openid_configuration(call: Call, identifier: str) -> Answer:
    """Return the metadata of a tenant, found by id or verified domain."""
    if identifier in SHARED_TENANTS:
        return Answer(
            200,
            metadata(call.sandbox.cloud, identifier, "{tenantid}"),
            sign_in_headers(),
        )
    tenant = find_tenant(call.sandbox, identifier, "invalid_tenant")
    document = metadata(call.sandbox.cloud, tenant.tenant_id, tenant.tenant_id)
    return Answer(200, document, sign_in_headers(), tenant.tenant_id)


def metadata(cloud: Cloud, path: str, issuer: str) -> JsonObject:
    """Return the OpenID Connect metadata document."""
    base = f"{cloud.authority}/{path}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": [
            "code",
            "id_token",
            "code id_token",
            "id_token token",
        ],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{cloud.authority}/{issuer}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"https://{cloud.graph}/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": _CLAIMS,
        "kerberos_endpoint": f"{base}/kerberos",
        "tenant_region_scope": "EU",
        "cloud_instance_name": cloud.instance_name,
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": cloud.graph,
        "rbac_url": "https://pas.windows.net",
    }


def keys(call: Call, identifier: str) -> Answer:
    """Return the public keys that verify this process's tokens."""
    if identifier not in SHARED_TENANTS:
        find_tenant(call.sandbox, identifier)
    return Answer(200, {"keys": [signing_key().jwk()]}, sign_in_headers())


def instance_discovery(call: Call, identifier: str) -> Answer:
    """Say which host names belong together, for an authority of this cloud."""
    parts = urlsplit(call.query.get("authorization_endpoint", ""))
    cloud = call.sandbox.cloud
    aliases = [*cloud.login, *cloud.login_aliases]
    known = parts.hostname in aliases
    if not known and call.sandbox.holds("entra.unknown-instance"):
        raise AadstsError(50049)
    path = parts.path.strip("/").partition("/")[0] or "common"
    configuration = f"{cloud.authority}/{path}/v2.0/.well-known/openid-configuration"
    body = {
        "tenant_discovery_endpoint": configuration,
        "api-version": call.query.get("api-version", "1.0"),
        "metadata": [
            {
                "preferred_network": cloud.login[0],
                "preferred_cache": cloud.login[-1],
                "aliases": aliases,
            }
        ],
    }
    return Answer(200, body, sign_in_headers())


ROUTES: tuple[tuple[str, re.Pattern[str], Callable[[Call, str], Answer]], ...] = (
    (
        "GET",
        re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration"),
        openid_configuration,
    ),
    ("GET", re.compile(r"/([^/]+)/discovery/v2\.0/keys"), keys),
    ("GET", re.compile(r"/(common)/discovery/instance"), instance_discovery),
    ("POST", re.compile(r"/([^/]+)/oauth2/v2\.0/token"), token),
    ("POST", re.compile(r"/([^/]+)/oauth2/v2\.0/devicecode"), pages.device_code),
    ("GET", re.compile(r"/([^/]+)/oauth2/v2\.0/authorize"), pages.show_authorize),
    ("POST", re.compile(r"/([^/]+)/oauth2/v2\.0/authorize"), pages.enter_authorize),
    ("GET", re.compile(r"/(device)"), pages.show_device),
    ("POST", re.compile(r"/(device)"), pages.enter_device),
)


def _dispatched(call: Call) -> Answer:
    """Find the route of a call; 404 for a path, 405 for a method without one."""
    allowed = []
    for method, pattern, answer in ROUTES:
        match = pattern.fullmatch(call.path)
        if match and method == call.method:
            return answer(call, match[1])
        if match:
            allowed.append(method)
    if allowed:
        return Answer(405, None, {"Allow": ", ".join(allowed), **sign_in_headers()})
    return Answer(404, None, sign_in_headers())


def _unavailable(call: Call, status: int) -> Answer:
    """Return the reply of an overloaded login service."""
    return error_answer(call, AadstsError(90055 if status == 429 else 90033))


def login_service() -> Service:
    """Return the service for the login hosts; token requests are not writes."""
    return Service("login", handle, lambda call: False, _unavailable, _logged)

"""The token endpoint v2.0: the client credentials grant, and the way to the others.

Order of checks: tenant, form, application, credential, service principal, scope,
resource, Conditional Access. The order between credential and service principal
was not read in a published source.

Source: Microsoft Learn, "Microsoft identity platform and the OAuth 2.0 client
credentials flow"; RFC 6749 section 2.3.1 and 4.4.
"""

import base64
import binascii
import hmac
import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, unquote_plus

from runbook_lib.sandbox.assertion import ASSERTION_TYPE, check_assertion
from runbook_lib.sandbox.directory import by_resource_name
from runbook_lib.sandbox.entra_errors import AadstsError, required, sign_in_headers
from runbook_lib.sandbox.entra_person_grants import PersonRequest, person_token
from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.ids import is_guid
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant
from runbook_lib.sandbox.tokens import LIFETIME_SECONDS, issue_token, secret_hash

SHARED_TENANTS = ("common", "organizations", "consumers")
_DNS_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


@dataclass(frozen=True)
class TokenRequest:
    """One token request with what was found for it so far."""

    sandbox: Sandbox
    tenant: Tenant
    form: dict[str, str]
    application: JsonObject

    @property
    def app_id(self) -> str:
        """Return the client id as the application has it."""
        return str(self.application["appId"])


def token(call: Call, identifier: str) -> Answer:
    """Answer a token request, or raise AadstsError."""
    form = _form(call)
    grant_type = required(form, "grant_type")
    if grant_type != "client_credentials":
        return _person_token(call, identifier, form)
    tenant = _tenant(call.sandbox, identifier, form)
    client_id = required(form, "client_id")
    scope = required(form, "scope")
    application = tenant.application_by_app_id(client_id)
    if application is None:
        raise _unknown(tenant, client_id)
    request = TokenRequest(call.sandbox, tenant, form, application)
    by_certificate = check_credential(request)
    client = _service_principal(request)
    resource, audience = _resource(request, scope)
    _check_conditional_access(request)
    access_token = issue_token(
        call.sandbox, tenant, client, resource, audience, by_certificate=by_certificate
    )
    return Answer(200, _granted(access_token), sign_in_headers(), tenant.tenant_id)


def _person_token(call: Call, identifier: str, form: dict[str, str]) -> Answer:
    """Answer a token request for a person, or raise AADSTS70003 for another grant."""
    sandbox = call.sandbox
    shared = identifier in SHARED_TENANTS
    tenant = None if shared else find_tenant(sandbox, identifier)

    def authenticate(holder: Tenant, application: JsonObject) -> object:
        return check_credential(TokenRequest(sandbox, holder, form, application))

    answer = person_token(PersonRequest(sandbox, tenant, form, authenticate))
    if answer is None:
        raise AadstsError(70003, grant_type=form["grant_type"])
    return answer


def _unknown(tenant: Tenant, client_id: str) -> AadstsError:
    """Return the refusal of an application that the tenant does not have."""
    return AadstsError(700016, app_id=client_id, tenant=tenant.display_name)


def _granted(access_token: str) -> JsonObject:
    """Return the body of a granted request: never a refresh or id token."""
    return {
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS - 1,
        "ext_expires_in": LIFETIME_SECONDS - 1,
        "access_token": access_token,
    }


def find_tenant(sandbox: Sandbox, identifier: str, error: str | None = None) -> Tenant:
    """Return the tenant that a path names; `error` replaces the OAuth error code.

    Raises AADSTS90002, or AADSTS900023 for what cannot name a tenant.
    """
    tenant = sandbox.tenant(identifier)
    if tenant is not None:
        return tenant
    if not sandbox.holds("entra.unknown-tenant"):
        return next(iter(sandbox.tenants.values()))
    if is_guid(identifier) or _DNS_NAME.fullmatch(identifier):
        raise AadstsError(90002, error, identifier=identifier)
    raise AadstsError(900023, error, identifier=identifier)


def _tenant(sandbox: Sandbox, identifier: str, form: dict[str, str]) -> Tenant:
    """Return the tenant of a token request; the shared names do not do."""
    if identifier not in SHARED_TENANTS:
        return find_tenant(sandbox, identifier)
    app_id = form.get("client_id", "")
    raise AadstsError(50194, app_id=app_id, name=app_id, identifier=identifier)


def _form(call: Call) -> dict[str, str]:
    """Return the form fields, with client id and secret of HTTP Basic added."""
    if call.content_type != "application/x-www-form-urlencoded":
        raise AadstsError(900144, parameter="grant_type")
    text = call.body.decode("utf-8", errors="replace")
    form = dict(parse_qsl(text, keep_blank_values=True))
    scheme, _, blob = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and call.sandbox.holds("entra.basic-authentication"):
        form |= _basic(blob)
    return form


def _basic(blob: str) -> dict[str, str]:
    """Read HTTP Basic as OAuth uses it: both parts are form-encoded first."""
    try:
        text = base64.b64decode(blob, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise AadstsError(900144, parameter="client_id") from None
    client_id, _, secret = text.partition(":")
    return {
        "client_id": unquote_plus(client_id),
        "client_secret": unquote_plus(secret),
    }


def check_credential(request: TokenRequest) -> bool:
    """Check the secret or the assertion; true where it was an assertion."""
    form = request.form
    if form.get("client_assertion"):
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise AadstsError(900144, parameter="client_assertion_type")
        check_assertion(
            request.sandbox,
            request.tenant,
            request.application,
            form["client_assertion"],
        )
        return True
    if not form.get("client_secret"):
        raise AadstsError(7000218)
    _check_secret(request, form["client_secret"])
    return False


def _check_secret(request: TokenRequest, text: str) -> None:
    """Accept a secret, or raise AADSTS7000215 or AADSTS7000222."""
    sandbox, offered = request.sandbox, secret_hash(text)
    for credential in request.application["passwordCredentials"]:
        stored = request.tenant.secret_hashes.get(credential["keyId"], "")
        if not hmac.compare_digest(stored, offered):
            continue
        if sandbox.faults.lagging("secret", credential["keyId"]):
            break
        end = datetime.fromisoformat(credential["endDateTime"])
        expired = end <= sandbox.now() and sandbox.holds("entra.expired-secret")
        if expired or sandbox.faults.take("secret-expired"):
            raise AadstsError(7000222, app_id=request.app_id)
        return
    if sandbox.holds("entra.wrong-secret"):
        raise AadstsError(7000215, app_id=request.app_id)


def _service_principal(request: TokenRequest) -> JsonObject:
    """Return the client's service principal, enabled."""
    tenant, app_id = request.tenant, request.app_id
    client = tenant.service_principal_by_app_id(app_id)
    if client is None:
        if not request.sandbox.holds("entra.missing-service-principal"):
            raise _unknown(tenant, app_id)
        raise AadstsError(7000229, app_id=app_id, tenant_id=tenant.tenant_id)
    if not client["accountEnabled"] and request.sandbox.holds("entra.disabled-client"):
        raise AadstsError(7000112, app_id=app_id, name=client["displayName"])
    return client


def _resource(request: TokenRequest, scope: str) -> tuple[JsonObject, str]:
    """Return the resource's service principal and the audience for a scope."""
    audience = scope.removesuffix("/.default")
    if len(scope.split()) != 1 or not audience:
        raise AadstsError(70011, scope=scope)
    if audience == scope and request.sandbox.holds("entra.default-scope"):
        raise AadstsError(1002012, scope=scope)
    tenant = request.tenant
    principal = by_resource_name(tenant, audience)
    if principal is None and request.sandbox.holds("entra.unknown-resource"):
        raise AadstsError(500011, resource=audience, tenant=tenant.display_name)
    return principal or next(iter(tenant.service_principals.values())), audience


def _check_conditional_access(request: TokenRequest) -> None:
    """Raise AADSTS53003 while the fault `conditional-access` lasts."""
    if not request.sandbox.faults.take("conditional-access"):
        return
    policies = {"essential": True, "values": [str(uuid.uuid4())]}
    problem = AadstsError(53003)
    problem.extra = {
        "suberror": "message_only",
        "claims": json.dumps({"access_token": {"capolids": policies}}),
    }
    raise problem

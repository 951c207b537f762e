"""Grants of people at the token endpoint: device code, authorization code, refresh.

Source: Microsoft Learn, "Microsoft identity platform and the OAuth 2.0 device
authorization grant flow", "… OAuth 2.0 authorization code flow", "Refresh tokens in
the Microsoft identity platform"; RFC 8628 section 3; RFC 7636 section 4.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from runbook_lib.sandbox.entra_errors import AadstsError, required, sign_in_headers
from runbook_lib.sandbox.entra_people import person_answer
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.keys import base64url
from runbook_lib.sandbox.public_clients import PUBLIC_CLIENTS
from runbook_lib.sandbox.sign_ins import AuthorizationCode, Grant
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True)
class PersonRequest:
    """A token request for a person: the form, and how its client is checked.

    `tenant` is null where the path names none (common, organizations).
    `authenticate` checks the client's own credential and raises AadstsError.
    """

    sandbox: Sandbox
    tenant: Tenant | None
    form: dict[str, str]
    authenticate: Callable[[Tenant, JsonObject], object]

    @property
    def client_id(self) -> str:
        """Return the client id as registrations write it."""
        return self.form.get("client_id", "").lower()


def person_token(request: PersonRequest) -> Answer | None:
    """Answer a token request of a person; null for another grant."""
    handler = _GRANTS.get(request.form["grant_type"])
    if handler is None:
        return None
    grant = handler(request)
    tenant = _tenant_of(request, grant)
    confidential = _checked_client(request, tenant, grant)
    body = person_answer(
        request.sandbox,
        tenant,
        grant,
        confidential=confidential,
        info=request.form.get("client_info") == "1",
    )
    return Answer(200, body, sign_in_headers(), tenant.tenant_id)


def _by_device_code(request: PersonRequest) -> Grant:
    """Return what a person allowed on another device, or raise what holds it up."""
    code = request.form.get("device_code") or request.form.get("code") or ""
    entry = request.sandbox.sign_ins.devices.values.get(code)
    if entry is None or entry.client_id != request.client_id:
        raise AadstsError(70000, error="bad_verification_code")
    if entry.expires <= time.time():
        raise AadstsError(70020)
    if entry.declined and request.sandbox.holds("entra.device-declined"):
        raise AadstsError(70018)
    if entry.grant is None:
        pending = request.sandbox.holds("entra.device-pending")
        raise AadstsError(70016 if pending else 70020)
    del request.sandbox.sign_ins.devices.values[code]
    return entry.grant


def _by_code(request: PersonRequest) -> Grant:
    """Return what an authorization code stands for; it can be used once."""
    form, sign_ins = request.form, request.sandbox.sign_ins
    code = required(form, "code")
    if code in sign_ins.redeemed and request.sandbox.holds("entra.code-once"):
        raise AadstsError(54005)
    entry = sign_ins.codes.values.get(code)
    if entry is None or entry.grant.client_id != request.client_id:
        raise AadstsError(9002313)
    if entry.expires <= time.time():
        raise AadstsError(70008)
    if form.get("redirect_uri") != entry.redirect_uri:
        raise AadstsError(500112)
    _check_verifier(request, entry)
    if request.sandbox.holds("entra.code-once"):
        sign_ins.take_code(code)
    return entry.grant


def _check_verifier(request: PersonRequest, entry: AuthorizationCode) -> None:
    """Refuse a client that does not know what the code was bound to (PKCE)."""
    if not entry.challenge or not request.sandbox.holds("entra.code-verifier"):
        return
    verifier = request.form.get("code_verifier", "")
    digest = base64url(hashlib.sha256(verifier.encode()).digest())
    sent = digest if entry.method == "S256" else verifier
    if not hmac.compare_digest(sent.encode(), entry.challenge.encode()):
        raise AadstsError(501481)


def _by_refresh_token(request: PersonRequest) -> Grant:
    """Return what a refresh token stands for; other scopes may be asked for."""
    text = required(request.form, "refresh_token")
    grant = request.sandbox.sign_ins.refresh.values.get(text)
    if grant is None:
        raise AadstsError(9002313)
    if grant.client_id != request.client_id:
        raise AadstsError(700016, app_id=request.client_id, tenant=grant.tenant_id)
    return replace(grant, scope=request.form.get("scope") or grant.scope, nonce=None)


_GRANTS: dict[str, Callable[[PersonRequest], Grant]] = {
    DEVICE_GRANT: _by_device_code,
    "device_code": _by_device_code,
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
}


def _tenant_of(request: PersonRequest, grant: Grant) -> Tenant:
    """Return the tenant of a grant; the path must not name another one."""
    if request.tenant is not None and request.tenant.tenant_id != grant.tenant_id:
        raise AadstsError(9002313)
    tenant = request.sandbox.tenants[grant.tenant_id]
    if not tenant.users[grant.user_id]["accountEnabled"]:
        raise AadstsError(50057)
    return tenant


def _checked_client(request: PersonRequest, tenant: Tenant, grant: Grant) -> bool:
    """Check the client; true where it is confidential and proved who it is.

    A public client sends no credential. Which one a registration is, is said by
    `isFallbackPublicClient`; that of the authorization code by its redirect address.
    """
    sent = request.form.get("client_secret") or request.form.get("client_assertion")
    if grant.client_id in PUBLIC_CLIENTS:
        return False
    application = tenant.application_by_app_id(grant.client_id)
    if application is None:
        raise AadstsError(700016, app_id=grant.client_id, tenant=tenant.display_name)
    public = _is_public(application, request.form.get("redirect_uri"))
    if not sent and (public or not request.sandbox.holds("entra.public-client")):
        return False
    request.authenticate(tenant, application)
    return True


def _is_public(application: JsonObject, redirect_uri: str | None) -> bool:
    """Say whether a registration may sign people in without a credential."""
    public = application["publicClient"]["redirectUris"]
    return bool(application["isFallbackPublicClient"]) or redirect_uri in public

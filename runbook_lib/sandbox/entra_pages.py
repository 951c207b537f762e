"""What people see: the sign-in page of the authorization code and of a device.

The pages are the sandbox's own, one plain form each; the addresses and what comes
back are the published ones. A form has the fields `login`, `passwd` and, for a
device, `user_code`; `cancel` declines.

Source: Microsoft Learn, "Microsoft identity platform and OAuth 2.0 authorization
code flow", "… device authorization grant flow"; RFC 6749 section 4.1.
"""

import html
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from runbook_lib.sandbox.entra_errors import AadstsError, required, sign_in_headers
from runbook_lib.sandbox.entra_people import authenticated, granted_scopes
from runbook_lib.sandbox.entra_token import SHARED_TENANTS, find_tenant
from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.public_clients import PUBLIC_CLIENTS
from runbook_lib.sandbox.sign_ins import (
    CODE_SECONDS,
    DEVICE_SECONDS,
    AuthorizationCode,
    Grant,
)
from runbook_lib.sandbox.state import Sandbox, Tenant

POLL_SECONDS = 5

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p>{form}</body></html>
"""
_FORM = """<form method="post">{code}
<label>User <input name="login" autocomplete="username" required></label>
<label>Password <input name="passwd" type="password" required></label>
<button>Sign in</button> <button name="cancel" value="1" formnovalidate>Cancel</button>
</form>"""
_USER_CODE = '<label>Code <input name="user_code" required></label>'


def device_code(call: Call, identifier: str) -> Answer:
    """Answer POST /{tenant}/oauth2/v2.0/devicecode."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    client_id = required(form, "client_id").lower()
    scope = required(form, "scope")
    tenant = None
    if identifier not in SHARED_TENANTS:
        tenant = find_tenant(call.sandbox, identifier)
        _known_client(tenant, client_id)
    owner = tenant.tenant_id if tenant else None
    code, entry = call.sandbox.sign_ins.new_device_code(owner, client_id, scope)
    page = device_page(call.sandbox)
    body = {
        "user_code": entry.user_code,
        "device_code": code,
        "verification_uri": page,
        "expires_in": DEVICE_SECONDS,
        "interval": POLL_SECONDS,
        "message": f"To sign in, use a web browser to open the page {page} and enter"
        f" the code {entry.user_code} to authenticate.",
    }
    return Answer(200, body, sign_in_headers(), owner)


def device_page(sandbox: Sandbox) -> str:
    """Return the address of the page where a user code is entered."""
    hosts = sandbox.cloud.login
    preferred = "login.microsoft.com"
    return f"https://{preferred if preferred in hosts else hosts[0]}/device"


def show_device(call: Call, _identifier: str) -> Answer:
    """Answer GET /device: the form."""
    return _page("Enter code", "Enter the code that your app shows.", "", _USER_CODE)


def enter_device(call: Call, _identifier: str) -> Answer:
    """Answer POST /device: sign in for the device that shows this code."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    entry = call.sandbox.sign_ins.device_with(form.get("user_code", ""))
    if entry is None or entry.expires <= time.time():
        return _page("Enter code", "That code didn't work.", "", _USER_CODE, 400)
    if form.get("cancel"):
        entry.declined = True
        return _page("Cancelled", "You can close this window.")
    try:
        tenant, user_id = authenticated(
            call.sandbox, form.get("login", ""), form.get("passwd", "")
        )
        if entry.tenant_id not in (None, tenant.tenant_id):
            raise AadstsError(50020, login=form["login"], tenant=entry.tenant_id or "")
        _known_client(tenant, entry.client_id)
        grant = Grant(tenant.tenant_id, user_id, entry.client_id, entry.scope)
        granted_scopes(call.sandbox, tenant, grant, consent=True)
    except AadstsError as problem:
        return _refused(problem)
    entry.grant = grant
    return _page("Signed in", "You can close this window.")


def show_authorize(call: Call, identifier: str) -> Answer:
    """Answer GET /{tenant}/oauth2/v2.0/authorize: the form, or why there is none."""
    try:
        _checked_authorize(call, identifier)
    except AadstsError as problem:
        return _refused(problem)
    return _page("Sign in", "Sign in with your work account.", _FORM.format(code=""))


def enter_authorize(call: Call, identifier: str) -> Answer:
    """Answer the sign-in form: back to the client with a code or with an error."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    query = call.query
    try:
        named = _checked_authorize(call, identifier)
        if form.get("cancel"):
            return _declined(query, named)
        tenant, user_id = authenticated(
            call.sandbox, form.get("login", ""), form.get("passwd", "")
        )
        if named is not None and named.tenant_id != tenant.tenant_id:
            raise AadstsError(50020, login=form["login"], tenant=named.display_name)
        _check_client(call, tenant)
        code = _new_code(call, tenant, user_id)
    except AadstsError as problem:
        return _refused(problem)
    return _back(query, {"code": code, "session_state": tenant.tenant_id})


def _checked_authorize(call: Call, identifier: str) -> Tenant | None:
    """Check what can be checked before the person is known.

    Returns the tenant, null where the path names none: then client and redirect
    address are judged in the tenant of the person.
    """
    query = call.query
    for name in ("client_id", "scope", "redirect_uri"):
        required(query, name)
    if query.get("response_type") != "code":
        raise AadstsError(700054)
    if identifier in SHARED_TENANTS:
        return None
    tenant = find_tenant(call.sandbox, identifier)
    _check_client(call, tenant)
    return tenant


def _check_client(call: Call, tenant: Tenant) -> None:
    """Refuse a client that a tenant does not know, or that is not at this address."""
    client_id, uri = call.query["client_id"].lower(), call.query["redirect_uri"]
    _known_client(tenant, client_id)
    own = client_id in PUBLIC_CLIENTS and _is_loopback(uri)
    registered = own or _registered(tenant, client_id, uri)
    if not registered and call.sandbox.holds("entra.redirect-uri"):
        raise AadstsError(50011, uri=uri, app_id=client_id)


def _declined(query: dict[str, str], tenant: Tenant | None) -> Answer:
    """Tell the client that the person declined, where its address is known."""
    if tenant is None:
        return _page("Cancelled", "You can close this window.")
    return _back(query, {"error": "access_denied", "error_subcode": "cancel"})


def _new_code(call: Call, tenant: Tenant, user_id: str) -> str:
    """Return an authorization code for a person who signed in."""
    query = call.query
    client_id = query["client_id"].lower()
    grant = Grant(
        tenant.tenant_id, user_id, client_id, query["scope"], query.get("nonce")
    )
    granted_scopes(call.sandbox, tenant, grant, consent=True)
    code = AuthorizationCode(
        grant,
        query["redirect_uri"],
        query.get("code_challenge"),
        query.get("code_challenge_method", "plain"),
        time.time() + CODE_SECONDS,
    )
    return call.sandbox.sign_ins.codes.put(code)


def _known_client(tenant: Tenant, client_id: str) -> None:
    """Refuse a client that neither the tenant nor Microsoft has."""
    known = client_id in PUBLIC_CLIENTS or tenant.application_by_app_id(client_id)
    if not known:
        raise AadstsError(700016, app_id=client_id, tenant=tenant.display_name)


def _registered(tenant: Tenant, client_id: str, uri: str) -> bool:
    """Say whether a client may be answered at this address.

    On loopback the port does not count (RFC 8252 section 7.3).
    """
    application = tenant.application_by_app_id(client_id)
    if application is None:
        return False
    uris = [
        u
        for kind in ("web", "spa", "publicClient")
        for u in application[kind]["redirectUris"]
    ]
    if uri in uris:
        return True
    return _is_loopback(uri) and any(
        _without_port(u) == _without_port(uri) for u in uris
    )


def _is_loopback(uri: str) -> bool:
    """Say whether an address is one on the person's own machine."""
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")


def _without_port(uri: str) -> tuple[str, str | None, str]:
    """Return the parts of an address that count on loopback."""
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.path.rstrip("/")


def _back(query: dict[str, str], values: dict[str, str]) -> Answer:
    """Send the browser back: by query, by fragment, or by a form that it posts."""
    if "state" in query:
        values = {**values, "state": query["state"]}
    if query.get("response_mode") == "form_post":
        return _posted_back(query["redirect_uri"], values)
    mark = "#" if query.get("response_mode") == "fragment" else "?"
    location = f"{query['redirect_uri']}{mark}{urlencode(values)}"
    return Answer(302, None, {"Location": location, **sign_in_headers()})


def _posted_back(uri: str, values: dict[str, str]) -> Answer:
    """Return a page whose form goes back to the client."""
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in values.items()
    )
    form = f'<form method="post" action="{html.escape(uri)}">{fields}<button>Continue'
    return _page("Working…", "Continue to your app.", f"{form}</button></form>")


def _refused(problem: AadstsError) -> Answer:
    """Show a refusal to the person."""
    text = f"AADSTS{problem.code}: {problem.text}"
    return _page("Sorry, but we're having trouble signing you in", text, status=400)


def _page(
    title: str, text: str, form: str = "", code: str = "", status: int = 200
) -> Answer:
    """Return a page; with `code` a form that also asks for the user code."""
    shown = form or (_FORM.format(code=code) if code else "")
    content = _PAGE.format(title=html.escape(title), text=html.escape(text), form=shown)
    headers = {"Content-Type": "text/html; charset=utf-8", **sign_in_headers()}
    return Answer(status, content.encode(), headers)

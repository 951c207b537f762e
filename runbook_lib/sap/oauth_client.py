"""SOAUTH2_CLIENT or OA2C_CONFIG: the OAuth 2.0 client, as a typed form."""

from __future__ import annotations

import re

from runbook_lib.sap.finding import Finding, Rule, failed, passed, unclear, warned
from runbook_lib.sap.form import Field, Form, empty, read_form
from runbook_lib.sap.sources import GUIDE, INFERENCE, OAUTH_CLIENT, TOKEN_ENDPOINT
from runbook_lib.sap.wanted import WantedClient

CLIENT = "SOAUTH2_CLIENT"

LABELS = {
    "client_profile": ("OAuth 2.0 Client Profile", "Client Profile", "Profile"),
    "configuration": ("Configuration Name", "OAuth 2.0 Client Configuration"),
    "client_id": ("OAuth 2.0 Client ID", "Client ID"),
    "token_endpoint": ("Token Endpoint", "OAuth 2.0 Token Endpoint"),
    "scope": ("Scope", "Scopes", "Scopes tab"),
    "grant_type": ("Grant Type", "Selected Grant Type"),
    "client_authentication": ("Client Authentication", "Authentication"),
    "client_secret": ("Client Secret", "Secret"),
    "ssl_client_pse": ("SSL Client PSE", "PSE for Https/TLS Communication"),
    "token_test": ("Request Token", "Token", "Token test", "Access Token"),
}

CLIENT_ID_RIGHT = passed(
    "CLIENT_ID_RIGHT", "The client ID is the application's.", GUIDE
)
CLIENT_ID_OTHER = failed(
    "CLIENT_ID_OTHER",
    "The client ID is {found}. Often the object ID is taken by mistake.",
    "Enter the Application (client) ID, {app_id}.",
    GUIDE,
)
ENDPOINT_SCHEME = warned(
    "ENDPOINT_SCHEME",
    "The token endpoint is given with https://, which the screen shows by itself.",
    "Enter it without: {endpoint}.",
    TOKEN_ENDPOINT,
)
ENDPOINT_V1 = failed(
    "ENDPOINT_V1",
    "The token endpoint is the one of version 1.0, which knows no scopes.",
    "Enter {endpoint}.",
    "Microsoft Learn, OAuth 2.0 client credentials flow",
)
ENDPOINT_COMMON = failed(
    "ENDPOINT_COMMON",
    "The token endpoint names {found} instead of the tenant.",
    "Enter {endpoint}.",
    "Microsoft Learn, OAuth 2.0 client credentials flow",
)
ENDPOINT_OTHER = failed(
    "ENDPOINT_OTHER",
    "The token endpoint is {found}.",
    "Enter {endpoint}.",
    f"{TOKEN_ENDPOINT}; {GUIDE}",
)
SCOPE_DELEGATED = failed(
    "SCOPE_DELEGATED",
    "The scope {found} is a delegated one; SAP signs in without a person.",
    "Enter exactly {scope}.",
    GUIDE,
)
SCOPE_OTHER = failed(
    "SCOPE_OTHER",
    "The scope is {found}.",
    "Enter exactly {scope}.",
    GUIDE,
)
SCOPE_MORE = failed(
    "SCOPE_MORE",
    "There are more scopes than the one that is needed.",
    "Leave exactly {scope}; .default cannot be mixed with others.",
    f"{GUIDE}; {OAUTH_CLIENT}",
)
GRANT_OTHER = failed(
    "GRANT_OTHER",
    "The grant type is “{found}”.",
    "Choose Client Credentials.",
    GUIDE,
)
AUTHENTICATION_OTHER = failed(
    "AUTHENTICATION_OTHER",
    "The client authentication is “{found}”, and the credential is a {credential}.",
    "Choose {right}.",
    f"{TOKEN_ENDPOINT}; {GUIDE}",
)
PROFILE_NOT_NAMED = failed(
    "PROFILE_NOT_NAMED",
    "The client profile is empty.",
    "Use BCS_MAIL, or your own profile with an authorization S_OA2C_USE for it.",
    GUIDE,
)
SECRET_DISCLOSED = failed(
    "SECRET_DISCLOSED",
    "A client secret was handed in as evidence.",
    "Take the secret back: create a new one, enter it in SAP, remove the old one.",
    INFERENCE,
)
TOKEN_VALID = passed("TOKEN_VALID", "SAP obtained a token with it.", TOKEN_ENDPOINT)
TOKEN_FAILED = failed(
    "TOKEN_FAILED",
    "The token test says “{found}”.",
    "Look the AADSTS code up in the troubleshooting page; without one it is TLS, proxy "
    "or a missing authorization S_OA2C_USE.",
    TOKEN_ENDPOINT,
)
TOKEN_NOT_TESTED = unclear(
    "TOKEN_NOT_TESTED",
    "The result of Request Token is not shown.",
    "SOAUTH2_CLIENT, display mode, Token > Request Token; add `token_test: …`.",
    TOKEN_ENDPOINT,
)

_AUTHENTICATIONS = {
    "secret": ("Form Fields", {"form fields", "form field", "basic", "header field"}),
    "certificate": ("JWT", {"jwt", "private key jwt", "jwt bearer", "private_key_jwt"}),
}
_ENDPOINT = re.compile(
    r"(?P<host>[^/\s]+)/(?P<tenant>[^/\s]+)/oauth2/(?P<v2>v2\.0/)?token/?"
)
_SHARED = frozenset({"common", "organizations", "consumers"})


def read_client(text: str) -> Form:
    """Read the form of the OAuth 2.0 client."""
    return read_form(text, LABELS, CLIENT)


def judge_client(form: Form, wanted: WantedClient) -> list[Finding]:
    """Judge the form against the application that the runbook made."""
    if nothing := empty(form):
        return nothing
    needed = ["client_id", "token_endpoint", "scope", "grant_type"]
    findings = [*form.repeated, *form.absent([*needed, "client_authentication"])]
    findings += _client_id(form, wanted)
    endpoint, scope = form.get("token_endpoint"), form.get("scope")
    if endpoint:
        findings += judge_endpoint(endpoint, wanted)
    if scope:
        findings += judge_scope(scope, wanted.scope)
    findings += _method(form, wanted)
    profile = form.get("client_profile")
    if profile and not profile.plain:
        findings.append(form.at("client_profile", PROFILE_NOT_NAMED))
    return [*findings, *_secret(form), *_token(form)]


def _client_id(form: Form, wanted: WantedClient) -> list[Finding]:
    field = form.get("client_id")
    if field is None:
        return []
    if field.plain.strip("{}") == wanted.app_id.casefold():
        return [form.at("client_id", CLIENT_ID_RIGHT)]
    found = field.value or "empty"
    return [form.at("client_id", CLIENT_ID_OTHER, found=found, app_id=wanted.app_id)]


def judge_endpoint(field: Field, wanted: WantedClient) -> list[Finding]:
    """Judge a token endpoint: host, tenant, version, and that it has no scheme."""
    right = wanted.token_endpoint
    bare = field.plain.removeprefix("https://")
    values = {"found": field.value or "empty", "endpoint": right}
    match = _ENDPOINT.fullmatch(bare)
    if match and match["tenant"] in _SHARED:
        shared = {"found": match["tenant"], "endpoint": right}
        return [ENDPOINT_COMMON.at(field.line, **shared)]
    if match and not match["v2"]:
        return [ENDPOINT_V1.at(field.line, **values)]
    if bare.rstrip("/") != right.casefold():
        return [ENDPOINT_OTHER.at(field.line, **values)]
    with_scheme = field.plain.startswith("https://")
    return [ENDPOINT_SCHEME.at(field.line, **values)] if with_scheme else []


def judge_scope(field: Field, scope: str) -> list[Finding]:
    """Judge the scope: exactly the one of Exchange Online, and no other."""
    scopes = [part for part in re.split(r"[\s,;]+", field.value.strip()) if part]
    values = {"found": field.value or "empty", "scope": scope}
    if scopes == [scope]:
        return []
    if scope in scopes:
        return [SCOPE_MORE.at(field.line, **values)]
    delegated = re.search(r"(?i)/SMTP\.Send\b(?!AsApp)|offline_access", field.value)
    rule: Rule = SCOPE_DELEGATED if delegated else SCOPE_OTHER
    return [rule.at(field.line, **values)]


def _method(form: Form, wanted: WantedClient) -> list[Finding]:
    findings = []
    grant, method = form.get("grant_type"), form.get("client_authentication")
    if grant and grant.plain.replace("_", " ") != "client credentials":
        found = grant.value or "empty"
        findings.append(form.at("grant_type", GRANT_OTHER, found=found))
    right, accepted = _AUTHENTICATIONS[wanted.credential]
    if method and method.plain not in accepted:
        values = {"found": method.value or "empty", "right": right}
        finding = form.at(
            "client_authentication",
            AUTHENTICATION_OTHER,
            credential=wanted.credential,
            **values,
        )
        findings.append(finding)
    return findings


def _secret(form: Form) -> list[Finding]:
    """Return a finding where a value stands for the secret, instead of stars."""
    field = form.get("client_secret")
    if field is None or re.fullmatch(
        r"[*•●.\s]*|\(?(set|stored|hidden|yes)\)?", field.plain
    ):
        return []
    return [form.at("client_secret", SECRET_DISCLOSED)]


def _token(form: Form) -> list[Finding]:
    field = form.get("token_test")
    if field is None or not field.plain:
        return [TOKEN_NOT_TESTED.missing("result of Request Token", form.place)]
    bad = re.search(
        r"(?i)\b(in|not )valid|error|fail|AADSTS|expired|denied", field.value
    )
    good = re.search(r"(?i)\bvalid\b|\bgültig\b|\bok\b|success", field.value)
    if good and not bad:
        return [form.at("token_test", TOKEN_VALID)]
    return [form.at("token_test", TOKEN_FAILED, found=field.value)]

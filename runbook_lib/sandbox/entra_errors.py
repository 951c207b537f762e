"""The AADSTS errors that an application can meet at the token endpoint.

Source: Microsoft Learn, "Microsoft Entra authentication and authorization error
codes"; texts as quoted in published logs. Rows marked uncertain in
docs/sandbox.md carry a text or status that was not read in a published source.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runbook_lib.sandbox.http import Answer, Call


@dataclass(frozen=True)
class Aadsts:
    """One error: HTTP status, OAuth error code and the text, to be filled in."""

    status: int
    error: str
    text: str


_OTHER_TENANT = (
    "This can happen if the application has not been installed by the administrator"
    " of the tenant or consented to by any user in the tenant."
)

ERRORS = {
    7000215: Aadsts(
        401,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request"
        " is the client secret value, not the client secret ID, for a secret added"
        " to app '{app_id}'.",
    ),
    7000222: Aadsts(
        401,
        "invalid_client",
        "The provided client secret keys for app '{app_id}' are expired. Visit the"
        " Azure portal to create new keys for your app: https://aka.ms/NewClientSecret,"
        " or consider using certificate credentials for added security:"
        " https://aka.ms/certCreds.",
    ),
    700016: Aadsts(
        400,
        "unauthorized_client",
        "Application with identifier '{app_id}' was not found in the directory"
        " '{tenant}'. " + _OTHER_TENANT + " You may have sent your authentication"
        " request to the wrong tenant.",
    ),
    700024: Aadsts(
        401,
        "invalid_client",
        "Client assertion is not within its valid time range. Current time: {now},"
        " assertion valid from {start}, expiry time of assertion {end}. Review the"
        " documentation at https://docs.microsoft.com/azure/active-directory/develop/"
        "active-directory-certificate-credentials .",
    ),
    700027: Aadsts(401, "invalid_client", "{reason}"),
    700023: Aadsts(
        401,
        "invalid_client",
        "Client assertion audience claim does not match Realm issuer.",
    ),
    50027: Aadsts(401, "invalid_client", "JWT token is invalid or malformed."),
    90002: Aadsts(
        400,
        "invalid_request",
        "Tenant '{identifier}' not found. Check to make sure you have the correct"
        " tenant ID and are signing into the correct cloud. Check with your"
        " subscription administrator, this may happen if there are no active"
        " subscriptions for the tenant.",
    ),
    900023: Aadsts(
        400,
        "invalid_request",
        "Specified tenant identifier '{identifier}' is neither a valid DNS name, nor"
        " a valid external domain.",
    ),
    50194: Aadsts(
        400,
        "invalid_request",
        "Application '{app_id}'({name}) is not configured as a multi-tenant"
        " application. Usage of the /{identifier} endpoint is not supported for such"
        " apps created after '10/15/2018'. Use a tenant-specific endpoint or"
        " configure the application to be multi-tenant.",
    ),
    70011: Aadsts(
        400,
        "invalid_scope",
        "The provided value for the input parameter 'scope' isn't valid. The scope"
        " {scope} isn't valid.",
    ),
    1002012: Aadsts(
        400,
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows"
        " must have a scope value with /.default suffixed to the resource identifier"
        " (application ID URI).",
    ),
    500011: Aadsts(
        400,
        "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named"
        " {tenant}. " + _OTHER_TENANT + " You might have sent your authentication"
        " request to the wrong tenant.",
    ),
    7000229: Aadsts(
        401,
        "invalid_client",
        "The client application {app_id} is missing service principal in the tenant"
        " {tenant_id}. See instructions here:"
        " https://go.microsoft.com/fwlink/?linkid=2225119",
    ),
    7000112: Aadsts(
        400, "unauthorized_client", "Application '{app_id}'({name}) is disabled."
    ),
    7000218: Aadsts(
        401,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion'"
        " or 'client_secret'.",
    ),
    900144: Aadsts(
        400,
        "invalid_request",
        "The request body must contain the following parameter: '{parameter}'.",
    ),
    70003: Aadsts(
        400,
        "unsupported_grant_type",
        "The app requested an unsupported grant type '{grant_type}'.",
    ),
    53003: Aadsts(
        400,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies. The access policy"
        " does not allow token issuance.",
    ),
    50049: Aadsts(400, "invalid_instance", "Unknown or invalid instance."),
    90033: Aadsts(
        503,
        "temporarily_unavailable",
        "A transient error has occurred. Please try again.",
    ),
    90055: Aadsts(
        429,
        "temporarily_unavailable",
        "There have been too many requests or an expected response is missing.",
    ),
}


class AadstsError(Exception):
    """A sign-in that Entra refuses; `code` is the AADSTS number."""

    def __init__(self, code: int, error: str | None = None, **values: str) -> None:
        """Fill the text of `code` with `values`; `error` replaces its OAuth code."""
        super().__init__(f"AADSTS{code}")
        self.code = code
        self.known = ERRORS[code]
        self.error = error or self.known.error
        self.text = self.known.text.format(**values)
        self.extra: dict[str, str] = {}


def error_answer(call: Call, problem: AadstsError) -> Answer:
    """Return the reply for a refused sign-in.

    Source: Microsoft Learn, "Error handling in OAuth 2.0 and OpenID Connect".
    """
    trace, correlation = str(uuid.uuid4()), correlation_id(call)
    moment = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
    body: dict[str, Any] = {
        "error": problem.error,
        "error_description": f"AADSTS{problem.code}: {problem.text} Trace ID: {trace}"
        f" Correlation ID: {correlation} Timestamp: {moment}",
        "error_codes": [problem.code],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{call.sandbox.cloud.authority}/error?code={problem.code}",
        **problem.extra,
    }
    return Answer(problem.known.status, body, sign_in_headers(trace))


def correlation_id(call: Call) -> str:
    """Return the caller's client-request-id where it is a GUID, or a new one."""
    try:
        return str(uuid.UUID(call.headers.get("client-request-id", "")))
    except ValueError:
        return str(uuid.uuid4())


def sign_in_headers(request_id: str | None = None) -> dict[str, str]:
    """Return the headers that every reply of the login host carries."""
    return {
        "Cache-Control": "no-store, no-cache",
        "Pragma": "no-cache",
        "x-ms-request-id": request_id or str(uuid.uuid4()),
        "x-ms-ests-server": "2.1.22356.6 - WEULR1 ProdSlices",
        "P3P": 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
    }

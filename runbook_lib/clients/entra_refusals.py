"""What Microsoft Entra ID means when it issues no token."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx

from runbook_lib.clients.recording import masked
from runbook_lib.clients.replies import measured
from runbook_lib.errors import TokenRefused

_CREDENTIAL = (
    "Check the client secret or certificate: value (not its ID), expiry, and that it"
    " belongs to this application; a new one takes up to a minute to work."
)
_IDENTITY = (
    "Check client ID (the application ID, not an object ID), tenant ID and cloud, and"
    " that the enterprise application exists in this tenant; a new one takes up to a"
    " minute to be found."
)
_SCOPE = "Check the scope: the resource of this cloud, followed by /.default."
_POLICY = (
    "A Conditional Access policy for workload identities blocks this sign-in: let its"
    " owner allow this application or this network."
)

REMEDIES: Mapping[int, str] = {
    **dict.fromkeys((7000215, 7000222, 700027, 700024, 7000218), _CREDENTIAL),
    **dict.fromkeys((700016, 7000229, 90002, 900023), _IDENTITY),
    **dict.fromkeys((70011, 1002012, 500011), _SCOPE),
    53003: _POLICY,
    7000112: "The application is disabled: let its owner enable it.",
    501051: "Assign the application to a role of the resource.",
}

_CODE = re.compile(r"AADSTS(\d+)")
_TRAILERS = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp): .*", re.DOTALL)
_FACTS = (
    *("error", "error_codes", "suberror", "claims"),
    *("trace_id", "correlation_id", "timestamp"),
)


def token_refused(response: httpx.Response, body: Mapping[str, object]) -> TokenRefused:
    """Return the error for a refusal, with its code, family and ids.

    The text says why; the ids behind it, which differ each time, are facts. The
    documentation warns that codes and texts may change, so both only inform.

    Source: Microsoft Entra authentication and authorization error codes.
    """
    description = masked(response, str(body.get("error_description", "")))
    number = error_number(body)
    stated = {name: body[name] for name in _FACTS if name in body}
    reason = _TRAILERS.sub("", description).strip() or str(body["error"])
    return TokenRefused(
        f"Microsoft Entra ID issued no token: {reason}",
        code=f"AADSTS{number}" if number else str(body["error"]),
        remedy=REMEDIES.get(number) if number else None,
        facts={**measured(response), **stated},
    )


def error_number(body: Mapping[str, object]) -> int | None:
    """Return the AADSTS number of an error, from its list or from its text."""
    match body.get("error_codes"):
        case [int(number), *_]:
            return number
    found = _CODE.search(str(body.get("error_description", "")))
    return int(found[1]) if found else None

"""The AADSTS errors of the login host; their texts stand in `data/aadsts.json`.

Source: Microsoft Learn, "Microsoft Entra authentication and authorization error
codes"; texts as quoted in published logs. Rows marked uncertain in
docs/sandbox.md carry a text or status that was not read in a published source.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.package_data import packaged


@dataclass(frozen=True)
class Aadsts:
    """One error: HTTP status, OAuth error code and the text, to be filled in."""

    status: int
    error: str
    text: str


def _read() -> dict[int, Aadsts]:
    """Return the errors by their number."""
    known = packaged("aadsts.json")
    return {int(code): Aadsts(**entry) for code, entry in known.items()}


ERRORS = _read()


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


def required(form: dict[str, str], name: str) -> str:
    """Return a form field, or raise AADSTS900144 where it is absent or empty."""
    if not form.get(name):
        raise AadstsError(900144, parameter=name)
    return form[name]


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

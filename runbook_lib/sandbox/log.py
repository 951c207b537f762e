"""The access log: one JSON object a line, written before the next request.

Keys: `time, protocol (https|smtp|mx|dns|proxy), host, method, path, query, body,
status, tenant, write`. `query` is the decoded query text or null; `body` is the
parsed JSON, the form fields, or a text; `tenant` is a tenant id or null.
Secrets are masked here, whatever the caller passes.
"""

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import IO, Any

MASK = "***"

SECRET_KEYS = frozenset(
    {
        "access_token",
        "assertion",
        "authorization",
        "client_assertion",
        "client_secret",
        "code_verifier",
        "control_token",
        "device_code",
        "id_token",
        "identity_header",
        "passwd",
        "password",
        "proof",
        "refresh_token",
        "secrettext",
        "user_code",
    }
)

MECHANISMS = ("LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", "NTLM")

_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*")
_FIELD = re.compile(
    rf"(?i)\b({'|'.join(sorted(SECRET_KEYS))})(\"?\s*[=:]\s*\"?)[^&\s\",}}]+"
)
_BEARER = re.compile(r"(?i)\b(Bearer|Basic)\s+[\w~+/.=-]{8,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")


class AccessLog:
    """Write requests to a file that anyone may follow while the sandbox runs."""

    def __init__(self, file: IO[str] | None = None) -> None:
        """Write to `file`, or nowhere."""
        self._file = file

    def write(
        self,
        *,
        protocol: str,
        host: str,
        method: str,
        path: str = "",
        query: str | None = None,
        body: Any = None,
        status: int | str | None = None,
        tenant: str | None = None,
        write: bool = False,
    ) -> None:
        """Write one request; the line is in the file when this returns."""
        entry = {
            "time": _timestamp(),
            "protocol": protocol,
            "host": host,
            "method": method,
            "path": masked(path),
            "query": masked(query),
            "body": _masked_sign_in(protocol, method, body),
            "status": status,
            "tenant": tenant,
            "write": write,
        }
        if self._file is not None:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()


def masked(value: Any) -> Any:
    """Return the same value with every secret in it replaced by ***."""
    if isinstance(value, dict):
        return {
            key: MASK if str(key).lower() in SECRET_KEYS else masked(entry)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(entry) for entry in value]
    if isinstance(value, bytes):
        return masked(value.decode("utf-8", errors="replace"))
    return _masked_text(value) if isinstance(value, str) else value


def _masked_sign_in(protocol: str, method: str, body: Any) -> Any:
    """Mask a body; of an SMTP sign-in nothing but the mechanism stays."""
    if protocol not in ("smtp", "mx") or method.upper() != "AUTH" or not body:
        return masked(body)
    first = str(body).split()[0].upper()
    return f"{first} {MASK}" if first in MECHANISMS else MASK


def _masked_text(text: str) -> str:
    """Mask tokens, named secrets and sign-in blobs inside a text."""
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _FIELD.sub(rf"\1\2{MASK}", text)
    text = _TOKEN.sub(MASK, text)
    return _BASE64.sub(_masked_blob, text)


def _masked_blob(match: re.Match[str]) -> str:
    """Mask a base64 run that holds a sign-in; leave certificates readable."""
    padded = match[0] + "=" * (-len(match[0]) % 4)
    try:
        plain = base64.b64decode(padded, validate=True)
    except binascii.Error:
        return match[0]
    return MASK if b"auth=Bearer" in plain or b"eyJ" in plain else match[0]


def _timestamp() -> str:
    """Return the real time in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

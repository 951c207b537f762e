"""What Microsoft Entra ID answers in these tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx

from runbook_lib.clients.entra import EntraClient
from runbook_lib.secret import Mask, Secret
from tests.clients.conftest import Opened

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "99999999-2222-3333-4444-555555555555"
AUTHORITY = "https://login.microsoftonline.com"
SCOPE = "https://outlook.office365.com/.default"
SECRET = "abC~1.2_3-4567890123456789012345678901"
Handler = Callable[[httpx.Request], httpx.Response]


def jwt(**claims: object) -> str:
    """Return an unsigned token in the form of a signed one."""
    parts = [{"typ": "JWT", "alg": "RS256", "kid": "k1"}, claims]
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in parts
    ]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


class Entra:
    """Answers discovery, and the token endpoint with the prepared answers."""

    def __init__(self, *answers: httpx.Response) -> None:
        """Give the answers one after the other, the last one for ever."""
        self._answers = list(answers)
        self.forms: list[dict[str, list[str]]] = []
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(f"{request.method} {request.url.path}")
        if request.url.path.endswith("openid-configuration"):
            base = f"{AUTHORITY}/{TENANT}/oauth2/v2.0"
            return httpx.Response(
                200,
                json={
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "issuer": f"{AUTHORITY}/{TENANT}/v2.0",
                },
            )
        self.forms.append(parse_qs(request.content.decode()))
        answers = self._answers
        reply = answers.pop(0) if len(answers) > 1 else answers[0]
        return httpx.Response(
            reply.status_code, headers=reply.headers, content=reply.content
        )


def issued(token: str | None = None) -> httpx.Response:
    """Return the answer that issues a token."""
    body = {
        "token_type": "Bearer",
        "expires_in": 3599,
        "ext_expires_in": 3599,
        "access_token": token or jwt(roles=["SMTP.SendAsApp"], tid=TENANT),
    }
    return httpx.Response(200, json=body)


def refused(
    number: int, text: str, *, status: int = 401, separator: str = " ", **more: object
) -> httpx.Response:
    """Return a refusal of the token endpoint."""
    trailers = (
        "Trace ID: 0d2c",
        "Correlation ID: 7a1b",
        "Timestamp: 2026-01-01 00:00:00Z",
    )
    body = {
        "error": "invalid_client",
        "error_description": separator.join([f"AADSTS{number}: {text}", *trailers]),
        "error_codes": [number],
        "timestamp": "2026-01-01 00:00:00Z",
        "trace_id": "0d2c",
        "correlation_id": "7a1b",
        **more,
    }
    return httpx.Response(status, json=body)


def client_of(
    open_client: Opened,
    mask: Mask,
    handler: Handler,
    *,
    credential: str = SECRET,
    instance_discovery: bool = False,
) -> EntraClient:
    """Return a client of the one application of these tests."""
    return EntraClient(
        open_client(handler),
        authority=AUTHORITY,
        tenant_id=TENANT,
        client_id=CLIENT,
        credential=Secret(credential),
        mask=mask,
        instance_discovery=instance_discovery,
    )

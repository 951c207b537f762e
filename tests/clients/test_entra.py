"""Tokens through MSAL, over our own client."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from runbook_lib.clients.entra import EntraClient, decoded
from runbook_lib.errors import (
    CannotLook,
    InputError,
    TokenRefused,
    UnknownReply,
)
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


def test_a_token_is_issued_and_described(open_client: Opened, mask: Mask) -> None:
    """The form is that of the client credentials flow; the claims are decoded."""
    entra = Entra(issued())
    token = client_of(open_client, mask, entra).token(SCOPE)
    form = entra.forms[0]
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_secret"] == [SECRET]
    assert form["client_id"] == [CLIENT]
    assert form["scope"] == [SCOPE]
    assert token.claims["roles"] == ["SMTP.SendAsApp"]
    assert token.header["kid"] == "k1"
    text = token.secret.reveal()
    assert token.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert 3590 <= token.expires_in <= 3599
    assert text not in repr(token)


def test_a_token_is_kept_until_a_fresh_one_is_asked(
    open_client: Opened, mask: Mask
) -> None:
    """The cache serves the second call; `fresh` goes to the service again."""
    entra = Entra(issued(jwt(uti="1")), issued(jwt(uti="2")))
    client = client_of(open_client, mask, entra)
    seen = [client.token(SCOPE), client.token(SCOPE), client.token(SCOPE, fresh=True)]
    assert [token.claims["uti"] for token in seen] == ["1", "1", "2"]
    assert client.token(SCOPE).claims["uti"] == "2"
    assert (
        entra.asked.count(f"GET /{TENANT}/v2.0/.well-known/openid-configuration") == 1
    )


def test_neither_secret_nor_token_is_recorded(
    open_client: Opened, mask: Mask, traffic: list[Any]
) -> None:
    """The exchange is there, without what it carried; it is no write."""
    token = client_of(open_client, mask, Entra(issued("opaque.token~123"))).token(SCOPE)
    text = json.dumps(traffic)
    assert SECRET not in text
    assert "opaque.token~123" not in text
    assert token.claims == {}
    assert token.header == {}
    assert [entry["write"] for entry in traffic] == [False, False]
    assert "opaque.token~123" not in mask.text("later: opaque.token~123")


@pytest.mark.parametrize("separator", [" ", "\r\n"])
def test_a_refusal_names_its_code_and_keeps_the_ids_apart(
    open_client: Opened, mask: Mask, separator: str
) -> None:
    """Both spellings of the trailers are cut from the sentence and kept as facts."""
    reply = refused(7000215, "Invalid client secret provided.", separator=separator)
    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, Entra(reply)).token(SCOPE)
    error = caught.value
    assert error.code == "AADSTS7000215"
    assert error.message.endswith("AADSTS7000215: Invalid client secret provided.")
    assert error.remedy is not None
    assert "client secret" in error.remedy
    assert error.facts["error"] == "invalid_client"
    assert error.facts["error_codes"] == [7000215]
    assert error.facts["trace_id"] == "0d2c"
    assert error.facts["correlation_id"] == "7a1b"
    assert error.facts["timestamp"] == "2026-01-01 00:00:00Z"
    assert error.facts["status"] == 401


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (700027, "certificate"),
        (700016, "tenant ID"),
        (7000229, "enterprise application"),
        (1002012, "scope"),
        (53003, "Conditional Access"),
    ],
)
def test_the_remedy_follows_the_family_of_the_code(
    open_client: Opened, mask: Mask, number: int, word: str
) -> None:
    """Credential, identity, scope and policy have different remedies."""
    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, Entra(refused(number, "No."))).token(SCOPE)
    assert word in str(caught.value.remedy)


def test_an_unlisted_code_has_no_remedy(open_client: Opened, mask: Mask) -> None:
    """A number is read from the text too, and what else was said is kept."""
    reply = refused(
        1234567, "New.", status=400, error_codes=None, suberror="message_only"
    )
    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, Entra(reply)).token(SCOPE)
    assert caught.value.code == "AADSTS1234567"
    assert caught.value.remedy is None
    assert caught.value.facts["suberror"] == "message_only"


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_is_not_cached(open_client: Opened, mask: Mask, status: int) -> None:
    """The next call asks again: the service may have caught up meanwhile."""
    entra = Entra(refused(700016, "Not found.", status=status), issued())
    client = client_of(open_client, mask, entra)
    with pytest.raises(TokenRefused):
        client.token(SCOPE)
    assert client.token(SCOPE).claims["tid"] == TENANT


def test_an_unknown_tenant_is_refused_at_discovery(
    open_client: Opened, mask: Mask
) -> None:
    """The metadata request already tells that there is no such tenant."""

    def handle(request: httpx.Request) -> httpx.Response:
        return refused(90002, "Tenant not found.", status=400, error="invalid_tenant")

    with pytest.raises(TokenRefused) as caught:
        client_of(open_client, mask, handle).token(SCOPE)
    assert caught.value.code == "AADSTS90002"
    assert "cloud" in str(caught.value.remedy)


def test_a_fault_of_the_service_is_not_a_refusal(
    open_client: Opened, mask: Mask, waits: list[float]
) -> None:
    """503 is repeated as a read and then told as what it is."""
    entra = Entra(httpx.Response(503, text="busy"))
    with pytest.raises(CannotLook) as caught:
        client_of(open_client, mask, entra).token(SCOPE)
    assert not isinstance(caught.value, TokenRefused)
    assert waits == [2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, html="<html>sign in at the proxy</html>"),
        httpx.Response(403, html="<html>blocked</html>"),
        httpx.Response(200, json={"token_type": "Bearer"}),
    ],
    ids=["page", "blocked", "no token"],
)
def test_an_odd_answer_is_unknown(
    open_client: Opened, mask: Mask, reply: httpx.Response
) -> None:
    """Neither a token nor a refusal: it is not taken for either."""
    with pytest.raises(UnknownReply):
        client_of(open_client, mask, Entra(reply)).token(SCOPE)


def test_without_instance_discovery_only_the_authority_is_asked(
    open_client: Opened, mask: Mask, traffic: list[Any]
) -> None:
    """The sandbox's authority is the only host of all exchanges."""
    client_of(open_client, mask, Entra(issued())).token(SCOPE)
    assert {entry["host"] for entry in traffic} == {"login.microsoftonline.com"}
    assert not any("common/discovery" in entry["url"] for entry in traffic)


def self_signed() -> tuple[str, x509.Certificate]:
    """Return a private key with its certificate as PEM, and the certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "operator")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    encoded = certificate.public_bytes(serialization.Encoding.PEM)
    return (pem + encoded).decode(), certificate


def test_a_certificate_signs_the_assertion(
    open_client: Opened, mask: Mask, traffic: list[Any]
) -> None:
    """PS256, named by the certificate's SHA-256, for the token endpoint."""
    pem, certificate = self_signed()
    entra = Entra(issued())
    client_of(open_client, mask, entra, credential=pem).token(SCOPE)
    form = entra.forms[0]
    assert "client_secret" not in form
    assertion = form["client_assertion"][0]
    header, claims = decoded(Secret(assertion))
    digest = certificate.fingerprint(hashes.SHA256())
    thumbprint = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert header["alg"] == "PS256"
    # MSAL keeps the padding that RFC 7515 drops; Entra takes it.
    assert str(header["x5t#S256"]).rstrip("=") == thumbprint
    assert claims["aud"] == f"{AUTHORITY}/{TENANT}/oauth2/v2.0/token"
    assert claims["iss"] == claims["sub"] == CLIENT
    assert assertion not in json.dumps(traffic)


def test_a_key_without_its_certificate_is_an_input_error(
    open_client: Opened, mask: Mask
) -> None:
    """The remedy says what is missing, and no key is shown."""
    pem, _ = self_signed()
    key = pem.split("-----BEGIN CERTIFICATE")[0]
    with pytest.raises(InputError, match="without its certificate") as caught:
        client_of(open_client, mask, Entra(issued()), credential=key).token(SCOPE)
    assert "MII" not in str(caught.value)


@pytest.mark.parametrize("text", ["a.b", "a.b.c", "eyJ9.###.c", ""])
def test_what_is_no_jwt_decodes_to_nothing(text: str) -> None:
    """A token may be opaque; then there are no claims, and no fault."""
    assert decoded(Secret(text)) == ({}, {})

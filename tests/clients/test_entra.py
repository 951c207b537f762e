"""Tokens through MSAL, over our own client."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from runbook_lib.clients.entra import decoded
from runbook_lib.errors import (
    InputError,
)
from runbook_lib.secret import Mask, Secret
from tests.clients.conftest import Opened
from tests.clients.entra_replies import (
    AUTHORITY,
    CLIENT,
    SCOPE,
    SECRET,
    TENANT,
    Entra,
    client_of,
    issued,
    jwt,
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

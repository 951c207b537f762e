"""Client assertions: a JWT that the application signs with its own certificate.

Source: Microsoft Learn, "Microsoft identity platform application authentication
certificate credentials"; RFC 7523 section 2.2 and 3.
"""

import base64
import binascii
import hashlib
import time
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from runbook_lib.sandbox.entra_errors import AadstsError
from runbook_lib.sandbox.keys import base64url
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
SKEW_SECONDS = 300
UNSUPPORTED = "Invalid JWT token. Unsupported asymmetric signing algorithm."


def check_assertion(
    sandbox: Sandbox, tenant: Tenant, application: JsonObject, text: str
) -> None:
    """Accept an assertion or raise AadstsError.

    Order: form and algorithm, key by thumbprint, signature, audience and subject,
    times. Nothing is remembered, so that a repeated `jti` is accepted.
    """
    header, claims = _parts(text)
    key = _registered_key(sandbox, application, header)
    if sandbox.holds("entra.assertion-signature"):
        _check_signature(key, text)
    if sandbox.holds("entra.assertion-audience"):
        _check_audience(sandbox, tenant, claims)
    if {claims.get("iss"), claims.get("sub")} != {application["appId"]}:
        raise AadstsError(50027)
    if sandbox.holds("entra.assertion-times"):
        _check_times(claims)


def _check_signature(key: rsa.RSAPublicKey, text: str) -> None:
    """Refuse an assertion that the key did not sign."""
    try:
        jwt.decode(
            text,
            key,
            algorithms=list(ALGORITHMS),
            options={"verify_aud": False, "verify_exp": False, "verify_nbf": False},
        )
    except jwt.PyJWTError:
        reason = "Client assertion failed signature validation."
        raise AadstsError(700027, reason=reason) from None


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, unverified."""
    try:
        header = jwt.get_unverified_header(text)
        claims = jwt.decode(text, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise AadstsError(50027) from None
    if header.get("alg") not in ALGORITHMS:
        raise AadstsError(700027, reason=UNSUPPORTED)
    return header, claims


def _registered_key(
    sandbox: Sandbox, application: JsonObject, header: dict[str, Any]
) -> rsa.RSAPublicKey:
    """Return the key of the application's certificate that the header names.

    Raises AADSTS700027 for one that is absent, not replicated yet, expired, or not
    RSA.
    """
    for credential in application["keyCredentials"]:
        der = base64.b64decode(credential["key"])
        if not _names(header, der):
            continue
        if sandbox.faults.lagging("certificate", credential["keyId"]):
            break
        if datetime.fromisoformat(credential["endDateTime"]) <= sandbox.now():
            raise AadstsError(700027, reason=_expired(der, credential))
        key = x509.load_der_x509_certificate(der).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            return key
        raise AadstsError(700027, reason=UNSUPPORTED)
    raise AadstsError(700027, reason=_not_found(application, header))


def _names(header: dict[str, Any], der: bytes) -> bool:
    """Say whether `x5t#S256` or `x5t` of the header belongs to a certificate.

    Padding is ignored: MSAL sends it, though RFC 7515 leaves it out.
    """
    # RFC 7515 section 4.1.7 defines x5t as a SHA-1 digest.
    sha1 = base64url(hashlib.sha1(der, usedforsecurity=False).digest())
    sha256 = base64url(hashlib.sha256(der).digest())
    sent = {name: str(header.get(name)).rstrip("=") for name in ("x5t", "x5t#S256")}
    return sent["x5t"] == sha1 or sent["x5t#S256"] == sha256


def _not_found(application: JsonObject, header: dict[str, Any]) -> str:
    """Return the text for a certificate that is not registered."""
    return (
        "The certificate with identifier used to sign the client assertion is not"
        " registered on application. [Reason - The key was not found., Thumbprint of"
        f" key used by client: '{_shown_thumbprint(header)}', Please visit the Azure"
        " Portal, Graph Explorer or directly use MS Graph to see configured keys for"
        f" app Id '{application['appId']}'.]"
    )


def _expired(der: bytes, credential: JsonObject) -> str:
    """Return the text for a certificate that is registered but expired."""
    thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    start, end = (
        f"{datetime.fromisoformat(credential[name]):%m/%d/%Y %H:%M:%S}"
        for name in ("startDateTime", "endDateTime")
    )
    return (
        "Client assertion contains an invalid signature. [Reason - The key used is"
        f" expired. Thumbprint of key used by client: '{thumbprint}', Found key"
        f" 'Start={start}, End={end}']"
    )


def _shown_thumbprint(header: dict[str, Any]) -> str:
    """Return the thumbprint of the header as hexadecimal digits."""
    value = str(header.get("x5t") or header.get("x5t#S256") or "")
    try:
        padded = value + "=" * (-len(value) % 4)
        return base64.urlsafe_b64decode(padded).hex().upper()
    except (binascii.Error, ValueError):
        return value


def _check_audience(sandbox: Sandbox, tenant: Tenant, claims: dict[str, Any]) -> None:
    """Refuse an assertion that was made for somebody else."""
    audiences = claims.get("aud")
    names = audiences if isinstance(audiences, list) else [audiences]
    accepted = accepted_audiences(sandbox, tenant)
    if not any(name in accepted for name in names):
        raise AadstsError(700023)


def _check_times(claims: dict[str, Any]) -> None:
    """Refuse an assertion outside its times; a skew of five minutes is allowed."""
    now, start, end = time.time(), claims.get("nbf", 0), claims.get("exp")
    if not isinstance(end, int | float) or not isinstance(start, int | float):
        raise AadstsError(50027)
    if not start - SKEW_SECONDS <= now < end + SKEW_SECONDS:
        raise AadstsError(700024, **_times(now, start, end))


def accepted_audiences(sandbox: Sandbox, tenant: Tenant) -> set[str]:
    """Return the values of `aud` that name this tenant's token endpoint."""
    paths = ("oauth2/v2.0/token", "oauth2/token", "v2.0")
    names = (tenant.tenant_id, *tenant.domains)
    return {
        f"https://{host}/{name}/{path}"
        for host in sandbox.cloud.login
        for name in names
        for path in paths
    }


def _times(now: float, start: float, end: float) -> dict[str, str]:
    """Return the three moments as the error text shows them."""
    moments = {"now": now, "start": start, "end": end}
    return {
        name: f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
        for name, value in moments.items()
    }

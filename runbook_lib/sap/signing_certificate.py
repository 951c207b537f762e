"""The certificate of SAP's JWT signing key, as SOAUTH2_CLIENT or STRUST exports it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    load_der_pkcs7_certificates,
    load_pem_pkcs7_certificates,
)

from runbook_lib.sap.finding import Finding, Line, Rule, failed, passed, warned
from runbook_lib.sap.pasted import cleaned
from runbook_lib.sap.sources import GUIDE, INFERENCE

CERTIFICATE = "exported certificate"
LEAST_BITS = 2048
NEAR_EXPIRY = timedelta(days=30)
_ENTRA = "Microsoft Learn, Microsoft identity platform certificate credentials"

CERTIFICATE_USABLE = passed(
    "CERTIFICATE_USABLE",
    "An RSA certificate of {bits} bits, valid until {until}; SHA-1 {sha1}.",
    f"{GUIDE}; {_ENTRA}",
)
EXPIRED = failed(
    "EXPIRED",
    "The certificate expired on {until}.",
    "Renew the key pair in STRUST; upload the new certificate to Entra ID first.",
    _ENTRA,
)
NOT_YET_VALID = failed(
    "NOT_YET_VALID",
    "The certificate is valid from {since} on.",
    "Wait, or set the clock of the SAP system right.",
    _ENTRA,
)
NEARLY_EXPIRED = warned(
    "NEARLY_EXPIRED",
    "The certificate expires on {until}.",
    "Plan its renewal: upload the new one before SAP switches.",
    _ENTRA,
)
KEY_NOT_RSA = failed(
    "KEY_NOT_RSA",
    "The key is {kind}, not RSA.",
    "Make the PSE anew in STRUST: RSA, 2048 bits or more, SHA-256.",
    _ENTRA,
)
KEY_SHORT = failed(
    "KEY_SHORT",
    "The RSA key has {bits} bits.",
    "Make the PSE anew in STRUST: RSA, 2048 bits or more, SHA-256.",
    _ENTRA,
)
PRIVATE_KEY_PRESENT = failed(
    "PRIVATE_KEY_PRESENT",
    "There is a private key in it. It was disclosed.",
    "Replace the key pair in STRUST, and export the certificate only.",
    _ENTRA,
)
NO_ARMOR = warned(
    "NO_ARMOR",
    "The lines BEGIN CERTIFICATE and END CERTIFICATE are missing; they were added.",
    "Export with the format Base64.",
    GUIDE,
)
BINARY = passed(
    "BINARY", "The file is binary (DER); it was converted to Base64.", GUIDE
)
CONTAINER = failed(
    "CONTAINER",
    "The file is a PKCS#7 container with {count} certificate(s), not a certificate.",
    "Export the own certificate itself, with the format Base64.",
    GUIDE,
)
SEVERAL = failed(
    "SEVERAL",
    "There are {count} certificates in it.",
    "Hand in the own certificate only, without its issuers.",
    INFERENCE,
)
OTHER_KIND = failed(
    "OTHER_KIND",
    "It is a {kind}, not a certificate.",
    "Double-click the subject of the own certificate in STRUST, and export that.",
    GUIDE,
)
UNPARSABLE = failed(
    "UNPARSABLE",
    "The certificate cannot be read; it is cut off or damaged.",
    "Export it again and hand in the file as it is.",
    INFERENCE,
)
SUBJECT_OTHER_SYSTEM = warned(
    "SUBJECT_OTHER_SYSTEM",
    "The subject {subject} does not hold the system ID {sid}.",
    "Make sure that it is the certificate of this system.",
    INFERENCE,
)

_ARMOR = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_KINDS = {
    "CERTIFICATE REQUEST": "certificate request",
    "NEW CERTIFICATE REQUEST": "certificate request",
    "TRUSTED CERTIFICATE": "trusted certificate of OpenSSL",
    "PUBLIC KEY": "public key",
}


@dataclass(frozen=True)
class SigningCertificate:
    """The certificate that was found, in PEM, or None; and the findings."""

    pem: str | None
    sha1: str | None
    not_after: datetime | None
    findings: tuple[Finding, ...]


def judge_certificate(
    data: bytes, *, now: datetime, sid: str = ""
) -> SigningCertificate:
    """Judge what was exported; `now` has an offset, `sid` is the system ID.

    A private key stops the reading: nothing of the data is returned then.
    """
    text = cleaned(data.decode("utf-8", errors="replace"))
    if "PRIVATE KEY" in text:
        return _nothing(PRIVATE_KEY_PRESENT, "BEGIN PRIVATE KEY")
    loaded, notes = _loaded(data, text)
    if loaded is None:
        return SigningCertificate(None, None, None, tuple(notes))
    return _judged(loaded, notes, now, sid)


def _nothing(rule: Rule, what: str, **values: object) -> SigningCertificate:
    line = Line(1, what, CERTIFICATE)
    return SigningCertificate(None, None, None, (rule.at(line, **values),))


def _loaded(data: bytes, text: str) -> tuple[x509.Certificate | None, list[Finding]]:
    """Return the one certificate, or None and why there is none."""
    blocks = _ARMOR.findall(text)
    first = Line(1, text.strip()[:64].partition("\n")[0], CERTIFICATE)
    certificates = [body for kind, body in blocks if kind == "CERTIFICATE"]
    if len(certificates) > 1:
        return None, [SEVERAL.at(first, count=len(certificates))]
    if certificates:
        return _decoded(certificates[0], first, [])
    for kind, _ in blocks:
        if kind in _KINDS:
            return None, [OTHER_KIND.at(first, kind=_KINDS[kind])]
    count = _container(data, text)
    if count is not None:
        return None, [CONTAINER.at(first, count=count)]
    if data[:1] == b"\x30":
        return _parsed(data, Line(1, "binary", CERTIFICATE), BINARY)
    if text.strip() and _BASE64.fullmatch(text):
        return _decoded(text, first, [NO_ARMOR.at(first)])
    return None, [UNPARSABLE.missing("BEGIN and END CERTIFICATE", CERTIFICATE)]


def _decoded(
    body: str, line: Line, notes: list[Finding]
) -> tuple[x509.Certificate | None, list[Finding]]:
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return None, [UNPARSABLE.at(line)]
    certificate, found = _parsed(der, line, None)
    return certificate, [*notes, *found] if certificate else found


def _parsed(
    der: bytes, line: Line, note: Rule | None
) -> tuple[x509.Certificate | None, list[Finding]]:
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()
        certificate.subject.rfc4514_string()
    except (ValueError, UnsupportedAlgorithm):
        return None, [UNPARSABLE.at(line)]
    return certificate, [note.at(line)] if note else []


def _container(data: bytes, text: str) -> int | None:
    """Return how many certificates a PKCS#7 container holds; None if it is none."""
    try:
        if "BEGIN PKCS7" in text:
            return len(load_pem_pkcs7_certificates(text.encode()))
        if data[:1] == b"\x30":
            return len(load_der_pkcs7_certificates(data))
    except (ValueError, UnsupportedAlgorithm):
        return 0 if "BEGIN PKCS7" in text else None
    return None


def _judged(
    certificate: x509.Certificate, notes: Sequence[Finding], now: datetime, sid: str
) -> SigningCertificate:
    subject = certificate.subject.rfc4514_string()
    line = Line(1, f"subject {subject}", CERTIFICATE)
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    sha1 = certificate.fingerprint(SHA1()).hex().upper()  # noqa: S303 - Entra's name
    findings = [*notes, *_key(certificate, line), *_dates(since, until, now, line)]
    if sid and sid.casefold() not in subject.casefold():
        findings.append(SUBJECT_OTHER_SYSTEM.at(line, subject=subject, sid=sid))
    key = certificate.public_key()
    if not any(finding.verdict == "fail" for finding in findings):
        bits = key.key_size if isinstance(key, RSAPublicKey) else 0
        values = {"bits": bits, "until": until.date(), "sha1": sha1}
        findings.append(CERTIFICATE_USABLE.at(line, **values))
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return SigningCertificate(pem, sha1, until, tuple(findings))


def _key(certificate: x509.Certificate, line: Line) -> list[Finding]:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        kind = type(key).__name__.removeprefix("_").removesuffix("PublicKey")
        return [KEY_NOT_RSA.at(line, kind=kind)]
    if key.key_size < LEAST_BITS:
        return [KEY_SHORT.at(line, bits=key.key_size)]
    return []


def _dates(
    since: datetime, until: datetime, now: datetime, line: Line
) -> list[Finding]:
    if until < now:
        return [EXPIRED.at(line, until=until.date())]
    if since > now:
        return [NOT_YET_VALID.at(line, since=since.date())]
    if until - now < NEAR_EXPIRY:
        return [NEARLY_EXPIRED.at(line, until=until.date())]
    return []

"""What is recorded of a certificate and of a TLS connection."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal, Protocol

from cryptography import x509


class TlsConnection(Protocol):
    """What is asked of a TLS connection; sockets and httpcore's objects have it."""

    def version(self) -> str | None:
        """Return the protocol version."""

    def cipher(self) -> tuple[str, str, int] | None:
        """Return the name of the cipher, and more."""

    def getpeercert(self, binary_form: Literal[True], /) -> bytes | None:
        """Return the peer's certificate, DER."""


def issuer_digest(der: bytes) -> str:
    """Return the SHA-256 of the issuer name (DER) of a certificate, in hex.

    It equals the digest of the subject name of the authority that signed it, so
    it tells whose certificate answered without keeping the certificate.
    """
    issuer = x509.load_der_x509_certificate(der).issuer
    return hashlib.sha256(issuer.public_bytes()).hexdigest()


def describe(der: bytes) -> dict[str, object]:
    """Return the facts of a certificate that a person compares.

    `names` are the DNS names and IP addresses of the subjectAltName; times are
    UTC RFC 3339; digests are hex.
    """
    certificate = x509.load_der_x509_certificate(der)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "names": _names(certificate),
        "not_before": _utc(certificate.not_valid_before_utc),
        "not_after": _utc(certificate.not_valid_after_utc),
        "sha256": hashlib.sha256(der).hexdigest(),
        "issuer_sha256": issuer_digest(der),
    }


def tls_facts(connection: TlsConnection) -> dict[str, object]:
    """Return what is recorded of a TLS connection.

    `issuer_sha256` is the digest of the issuer name of the peer's certificate
    (see `issuer_digest`), `certificate_sha256` that of the certificate itself.
    """
    der = connection.getpeercert(True)
    cipher = connection.cipher()
    return {
        "version": connection.version(),
        "cipher": cipher[0] if cipher else None,
        "issuer_sha256": issuer_digest(der) if der else None,
        "certificate_sha256": hashlib.sha256(der).hexdigest() if der else None,
    }


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return []
    names = extension.value.get_values_for_type(x509.DNSName)
    return names + [
        str(address) for address in extension.value.get_values_for_type(x509.IPAddress)
    ]


def _utc(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

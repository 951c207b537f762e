"""Certificates as SAP exports them, good and bad, made when they are needed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | dsa.DSAPrivateKey
NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COMMON_NAME, "S4D SSF OA2CJC"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso"),
    ]
)
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


@cache
def key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return an RSA key; the same one each time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def dsa_key() -> dsa.DSAPrivateKey:
    """Return a DSA key, as old PSEs have."""
    return dsa.generate_private_key(key_size=2048)


def certificate(
    own: PrivateKey | None = None, since: datetime = SINCE, until: datetime = UNTIL
) -> x509.Certificate:
    """Return a self-signed certificate."""
    own = own or key()
    builder = x509.CertificateBuilder(
        subject_name=NAME,
        issuer_name=NAME,
        public_key=own.public_key(),
        serial_number=4711,
        not_valid_before=since,
        not_valid_after=until,
    )
    return builder.sign(own, hashes.SHA256())


def pem(found: x509.Certificate) -> bytes:
    """Return a certificate with its armor."""
    return found.public_bytes(serialization.Encoding.PEM)


def der(found: x509.Certificate) -> bytes:
    """Return a certificate as bytes."""
    return found.public_bytes(serialization.Encoding.DER)


def bare(found: x509.Certificate) -> bytes:
    """Return a certificate in base64 without its armor."""
    return base64.encodebytes(der(found))


def container(found: x509.Certificate) -> bytes:
    """Return a PKCS#7 container that holds the certificate."""
    return pkcs7.serialize_certificates([found], serialization.Encoding.PEM)


def private_key() -> bytes:
    """Return the private key of the certificate."""
    return key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def with_private_key() -> bytes:
    """Return a certificate together with its private key, as a careless export."""
    return pem(certificate()) + private_key()


def request() -> bytes:
    """Return a certificate request."""
    builder = x509.CertificateSigningRequestBuilder(NAME)
    made = builder.sign(key(), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)

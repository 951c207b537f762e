"""The key that signs access tokens; made anew in each process, never stored."""

import base64
import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class SigningKey:
    """An RSA key and the certificate that the key document publishes for it."""

    private: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def thumbprint(self) -> str:
        """Return the base64url SHA-1 of the certificate: `x5t` and `kid`."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        # RFC 7515 section 4.1.7 defines x5t as a SHA-1 digest.
        return base64url(hashlib.sha1(der, usedforsecurity=False).digest())

    def jwk(self) -> dict[str, object]:
        """Return the public key as one entry of the JWKS document."""
        numbers = self.private.public_key().public_numbers()
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.thumbprint,
            "x5t": self.thumbprint,
            "n": base64url(numbers.n.to_bytes(256)),
            "e": base64url(numbers.e.to_bytes(3)),
            "x5c": [base64.b64encode(der).decode()],
        }


def signing_key() -> SigningKey:
    """Return this process's signing key, made at first use, by one thread alone."""
    with _ONE_AT_A_TIME:
        return _made()


@cache
def _made() -> SigningKey:
    """Make the key; the second call returns the same."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "accounts.accesscontrol.windows.net")]
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(private, hashes.SHA256())
    )
    return SigningKey(private, certificate)


def base64url(data: bytes) -> str:
    """Encode without padding, as JOSE does (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

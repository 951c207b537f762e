"""The key of the time stamping authority, and its certificate.

Source: RFC 3161 section 2.3: a certificate for time stamping alone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runbook_lib.sandbox.state import Sandbox


@dataclass(frozen=True)
class Stamper:
    """The key that stamps, and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """Return the certificate as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


def stamper_of(sandbox: Sandbox) -> Stamper:
    """Return the stamping key of a sandbox, made at first use."""
    if sandbox.stamper is None:
        sandbox.stamper = make_stamper(sandbox.authority or trustme.CA())
    stamper: Stamper = sandbox.stamper
    return stamper


def make_stamper(authority: trustme.CA) -> Stamper:
    """Make a key, and a certificate for time stamping alone (RFC 3161 section 2.3)."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    pem = authority.private_key_pem.bytes()
    signer = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the sandbox's authority has an elliptic curve key")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.NameAttribute(NameOID.COMMON_NAME, "Sandbox time stamping authority")
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([name]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(usage, critical=True)
        .add_extension(_signing_only(), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )
    return Stamper(key, certificate)


def _signing_only() -> x509.KeyUsage:
    """Return the key usage of a key that signs."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )

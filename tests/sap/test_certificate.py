"""Certificates, good and bad: each refused with its reason, and never a key kept."""

from __future__ import annotations

import base64
import itertools
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from runbook_lib.errors import InputError
from runbook_lib.sap.certificate import PrivateKeyHandedIn, parse_certificate

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Key = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | dsa.DSAPrivateKey
    | ed25519.Ed25519PrivateKey
)

KEYS: dict[str, Key] = {
    "rsa 2048": rsa.generate_private_key(65537, 2048),
    "rsa 3072": rsa.generate_private_key(65537, 3072),
    "rsa 1024": rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
    "ec": ec.generate_private_key(ec.SECP256R1()),
    # Old PSEs are DSA. Small, because a large one takes seconds to make.
    "dsa": dsa.generate_private_key(1024),  # noqa: S505 - to be refused
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}


def issued(
    key: str = "rsa 2048", *, start: datetime | None = None, days: int = 3650
) -> x509.Certificate:
    """Return a self-signed certificate such as STRUST makes."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "OA2CJC"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso"),
        ]
    )
    begin = start or NOW - timedelta(days=30)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEYS[key].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .sign(KEYS[key], None if key == "ed25519" else hashes.SHA256())
    )


def pem(certificate: x509.Certificate) -> bytes:
    """Return the PEM form."""
    return certificate.public_bytes(Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    """Return the DER form."""
    return certificate.public_bytes(Encoding.DER)


def bare(certificate: x509.Certificate) -> bytes:
    """Return the base64 of DER on one line."""
    return base64.b64encode(der(certificate))


def wrapped(certificate: x509.Certificate) -> bytes:
    """Return the base64 of DER in lines of 76, with CRLF."""
    return base64.encodebytes(der(certificate)).replace(b"\n", b"\r\n")


def mailed(certificate: x509.Certificate) -> bytes:
    """Return PEM with text around it and CRLF line ends, as from a mail."""
    return b"Hello,\r\n" + pem(certificate).replace(b"\n", b"\r\n") + b"\r\nRegards"


FORMS: dict[str, Callable[[x509.Certificate], bytes]] = {
    "PEM": pem,
    "DER": der,
    "bare base64": bare,
    "wrapped base64": wrapped,
    "mailed PEM": mailed,
}
GOOD_KEYS = ("rsa 2048", "rsa 3072")


@pytest.mark.parametrize(("form", "key"), list(itertools.product(FORMS, GOOD_KEYS)))
def test_good_forms_are_read(form: str, key: str) -> None:
    """Every form in which people export it gives the same certificate."""
    certificate = issued(key)
    found = parse_certificate(FORMS[form](certificate), now=NOW)
    assert found.der == der(certificate)
    assert found.bits == int(key.split()[1])
    assert found.not_after == certificate.not_valid_after_utc


def private(key: str, form: PrivateFormat, encoding: Encoding) -> bytes:
    """Return a private key in the clear."""
    return KEYS[key].private_bytes(encoding, form, NoEncryption())


def pfx(password: bytes | None) -> bytes:
    """Return key and certificate as PKCS#12."""
    key = KEYS["rsa 2048"]
    hidden = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"sap", key, issued(), None, hidden)


def encrypted(encoding: Encoding) -> bytes:
    """Return a private key with a password."""
    return KEYS["rsa 2048"].private_bytes(
        encoding, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )


PRIVATE: dict[str, bytes] = {
    "PKCS#8 PEM": private("rsa 2048", PrivateFormat.PKCS8, Encoding.PEM),
    "PKCS#1 PEM": private("rsa 2048", PrivateFormat.TraditionalOpenSSL, Encoding.PEM),
    "PKCS#8 DER": private("rsa 2048", PrivateFormat.PKCS8, Encoding.DER),
    "PKCS#1 DER": private("rsa 2048", PrivateFormat.TraditionalOpenSSL, Encoding.DER),
    "EC PEM": private("ec", PrivateFormat.PKCS8, Encoding.PEM),
    "EC DER": private("ec", PrivateFormat.TraditionalOpenSSL, Encoding.DER),
    "encrypted PEM": encrypted(Encoding.PEM),
    "encrypted DER": encrypted(Encoding.DER),
    "PFX": pfx(None),
    "PFX with a password": pfx(b"secret"),
    "PFX as base64": base64.b64encode(pfx(b"secret")),
    "key as base64": base64.b64encode(
        private("rsa 2048", PrivateFormat.PKCS8, Encoding.DER)
    ),
    "certificate, then key": pem(issued())
    + private("rsa 2048", PrivateFormat.PKCS8, Encoding.PEM),
}


@pytest.mark.parametrize("form", PRIVATE)
def test_private_keys_stop_everything(form: str) -> None:
    """A private key is recognised in every form, and advised to be replaced."""
    with pytest.raises(PrivateKeyHandedIn) as caught:
        parse_certificate(PRIVATE[form], now=NOW)
    assert "disclosed" in str(caught.value.remedy)
    assert "nothing of it was kept" in caught.value.message


def bundle(encoding: Encoding) -> bytes:
    """Return a PKCS#7 file of one certificate."""
    return pkcs7.serialize_certificates([issued()], encoding)


BAD: dict[str, tuple[bytes, str]] = {
    "EC": (pem(issued("ec")), "not RSA"),
    "EC DER": (der(issued("ec")), "not RSA"),
    "DSA": (pem(issued("dsa")), "not RSA"),
    "DSA as base64": (bare(issued("dsa")), "not RSA"),
    "Ed25519": (pem(issued("ed25519")), "not RSA"),
    "1024 bits": (pem(issued("rsa 1024")), "1024 bits"),
    "expired": (pem(issued(start=NOW - timedelta(days=400), days=399)), "expired"),
    "expired today": (pem(issued(start=NOW - timedelta(days=10), days=10)), "expired"),
    "not yet": (pem(issued(start=NOW + timedelta(days=1))), "valid only from"),
    "PKCS#7 PEM": (bundle(Encoding.PEM), "PKCS#7"),
    "PKCS#7 DER": (bundle(Encoding.DER), "PKCS#7"),
    "PEM cut in the middle": (pem(issued())[:500], "END line"),
    "PEM without its end": (pem(issued()).rsplit(b"-----END", 1)[0], "END line"),
    "DER cut": (der(issued())[:300], "cut off"),
    "base64 cut": (bare(issued())[:400], "cut off"),
    "damaged base64": (pem(issued()).replace(b"M", b"*", 5), "base64"),
    "two certificates": (pem(issued()) + pem(issued()), "2 certificates"),
    "chain of three": (b"".join(pem(issued()) for _ in range(3)), "3 certificates"),
    "chain as PKCS#7": (
        pkcs7.serialize_certificates([issued(), issued()], Encoding.DER),
        "PKCS#7",
    ),
    "request": (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .sign(KEYS["rsa 2048"], hashes.SHA256())
        .public_bytes(Encoding.PEM),
        "CERTIFICATE REQUEST",
    ),
    "public key": (
        b"-----BEGIN PUBLIC KEY-----\nMFww\n-----END PUBLIC KEY-----\n",
        "PUBLIC KEY",
    ),
    "text": (b"please find attached", "damaged"),
    "empty": (b" \n", "empty"),
    "large": (b"A" * 70_000, "64 KB"),
    "html": (b"<html>sign in</html>", "damaged"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_the_reason(case: str) -> None:
    """The message names what the file is, or what is wrong with the certificate."""
    data, reason = BAD[case]
    with pytest.raises(InputError) as caught:
        parse_certificate(data, now=NOW)
    assert not isinstance(caught.value, PrivateKeyHandedIn)
    assert reason in caught.value.message
    assert caught.value.remedy


def test_there_are_forty_cases() -> None:
    """Good and bad together."""
    assert len(FORMS) * len(GOOD_KEYS) + len(PRIVATE) + len(BAD) >= 40


@pytest.mark.parametrize(("form", "key"), list(itertools.product(FORMS, GOOD_KEYS)))
def test_thumbprints_are_those_of_openssl(form: str, key: str, tmp_path: Path) -> None:
    """openssl and we show the same digits, in whatever form it was handed in."""
    certificate = issued(key)
    path = tmp_path / "sap.pem"
    path.write_bytes(pem(certificate))
    found = parse_certificate(FORMS[form](certificate), now=NOW)
    assert openssl(path, "-sha1") == found.sha1_colons
    assert openssl(path, "-sha1").replace(":", "") == found.thumbprint
    assert openssl(path, "-sha256").replace(":", "").lower() == found.sha256


def openssl(path: Path, digest: str) -> str:
    """Return a fingerprint as openssl prints it."""
    command = ["openssl", "x509", "-in", str(path), "-noout", "-fingerprint", digest]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().partition("=")[2]

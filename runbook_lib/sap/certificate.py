"""The certificate with which SAP signs its client assertions: read, or refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
)

from runbook_lib.errors import InputError

SHORTEST_KEY = 2048
LARGEST_FILE = 65_536

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
# The object identifiers of PKCS#7 content types.
_PKCS7 = bytes.fromhex("06092a864886f70d0107")
# A PFX (PKCS#12) begins with its version, INTEGER 3. Source: RFC 7292, section 4.
_PFX_VERSION = bytes.fromhex("020103")
_BEGIN_PEM = b"-----BEGIN "


class PrivateKeyHandedIn(InputError):
    """A file that was to be a certificate holds a private key.

    Nothing of it is kept. The key must be taken as disclosed.
    """


@dataclass(frozen=True)
class SigningCertificate:
    """An RSA certificate, as Entra ID takes it.

    `der` is the certificate; `subject` its name as RFC 4514 text; the dates are
    UTC; `bits` is the key's size.
    """

    der: bytes
    subject: str
    not_before: datetime
    not_after: datetime
    bits: int

    @property
    def thumbprint(self) -> str:
        """Return the SHA-1 as Entra ID shows it: 40 upper-case hex digits."""
        return hashlib.sha1(self.der).hexdigest().upper()  # noqa: S324 - an identifier

    @property
    def sha1_colons(self) -> str:
        """Return the SHA-1 as openssl and STRUST show it: pairs with colons."""
        text = self.thumbprint
        return ":".join(text[i : i + 2] for i in range(0, len(text), 2))

    @property
    def sha256(self) -> str:
        """Return the SHA-256 as 64 lower-case hex digits."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def base64(self) -> str:
        """Return the certificate as one line of standard base64."""
        return base64.b64encode(self.der).decode()


def read_certificate(path: Path, *, now: datetime) -> SigningCertificate:
    """Read a certificate from a file.

    Raises:
        InputError: as `parse_certificate`, or the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"certificate: {path} cannot be read: {error.strerror}",
            remedy="Give the path of the certificate that SAP exported.",
        ) from None
    return parse_certificate(data, now=now)


def parse_certificate(data: bytes, *, now: datetime) -> SigningCertificate:
    """Read a certificate: PEM, DER, or the bare base64 of DER.

    Raises:
        PrivateKeyHandedIn: there is a private key in it.
        InputError: it is something else, not RSA, too short, or not valid now;
            the message names the reason.
    """
    der = _der(data)
    try:
        found = x509.load_der_x509_certificate(der)
        key = found.public_key()
        certificate = _certificate(found.public_bytes(Encoding.DER))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _not_a_certificate("it is damaged or cut off") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise _not_usable(
            "its key is not RSA",
            "Entra ID accepts only RSA keys for client assertions; make an RSA key.",
        )
    if key.key_size < SHORTEST_KEY:
        raise _not_usable(
            f"its key has {key.key_size} bits",
            f"Make a key of {SHORTEST_KEY} bits or more in STRUST.",
        )
    _check_dates(certificate, now)
    return certificate


def stored_certificate(text: str) -> SigningCertificate:
    """Return a certificate that was read before, from the base64 of its DER."""
    return _certificate(base64.b64decode(text))


def _certificate(der: bytes) -> SigningCertificate:
    found = x509.load_der_x509_certificate(der)
    key = found.public_key()
    return SigningCertificate(
        der=der,
        subject=found.subject.rfc4514_string(),
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        bits=key.key_size if isinstance(key, rsa.RSAPublicKey) else 0,
    )


def _check_dates(certificate: SigningCertificate, now: datetime) -> None:
    if certificate.not_after <= now:
        raise _not_usable(
            f"it expired on {certificate.not_after:%Y-%m-%d}",
            "Renew the certificate in SAP and export it again.",
        )
    if certificate.not_before > now:
        raise _not_usable(
            f"it is valid only from {certificate.not_before:%Y-%m-%d}",
            "Check the clock of the SAP system, and export the certificate again.",
        )


def _der(data: bytes) -> bytes:
    if len(data) > LARGEST_FILE:
        raise _not_a_certificate("it is larger than 64 KB")
    if not data.strip():
        raise _not_a_certificate("it is empty")
    if _BEGIN_PEM in data:
        return _from_pem(data)
    return _refuse_others(_from_base64(data) or data)


def _from_pem(data: bytes) -> bytes:
    if b"PRIVATE KEY-----" in data:
        raise _private_key()
    blocks = [(label.decode(), body) for label, body in _PEM.findall(data)]
    if not blocks:
        raise _not_a_certificate("its END line is missing: it is cut off")
    labels = {label for label, _ in blocks}
    if labels & {"PKCS7", "CMS"}:
        raise _not_a_certificate("it is a PKCS#7 file")
    if labels != {"CERTIFICATE"}:
        raise _not_a_certificate(f"it holds {', '.join(sorted(labels))}")
    if len(blocks) > 1:
        raise _not_a_certificate(f"it holds {len(blocks)} certificates, not one")
    decoded = _from_base64(blocks[0][1])
    if decoded is None:
        raise _not_a_certificate("its base64 is damaged")
    return _refuse_others(decoded)


def _from_base64(text: bytes) -> bytes | None:
    compact = b"".join(text.split())
    try:
        return base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return None


def _refuse_others(der: bytes) -> bytes:
    """Tell what is no certificate: private keys above all."""
    if _is_private_key(der) or _content(der).startswith(_PFX_VERSION):
        raise _private_key()
    if _PKCS7 in der[:64]:
        raise _not_a_certificate("it is a PKCS#7 file")
    return der


def _is_private_key(der: bytes) -> bool:
    try:
        load_der_private_key(der, password=None)
    except TypeError:  # it is one, and encrypted
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _content(der: bytes) -> bytes:
    """Return what stands in the outermost SEQUENCE of a DER value."""
    if len(der) < 2 or der[0] != 0x30:
        return b""
    long_form = der[1] & 0x80
    return der[2 + (der[1] & 0x7F if long_form else 0) :]


def _private_key() -> PrivateKeyHandedIn:
    return PrivateKeyHandedIn(
        "certificate: the file holds a private key; nothing of it was kept",
        remedy="Take that key as disclosed: make a new one in SAP, and export only "
        "the certificate (STRUST, Own Certificate, Export, Base64).",
    )


def _not_a_certificate(why: str) -> InputError:
    return InputError(
        f"certificate: the file is no certificate that can be used: {why}",
        remedy="Export it again: STRUST, SSF OA2CJC, Own Certificate, Base64.",
    )


def _not_usable(why: str, remedy: str) -> InputError:
    return InputError(f"certificate: it cannot be used: {why}", remedy=remedy)

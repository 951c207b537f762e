"""A time stamping authority (RFC 3161) over HTTP: `POST /timestamp`.

Its certificate is issued by the sandbox's authority, for time stamping alone. Time
is real. A reply carries the signer's certificate and no other: some clients refuse
a chain whose order they do not expect.

Source: RFC 3161 section 2.4 and 3.4; RFC 5652 section 5; RFC 5816.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from runbook_lib.sandbox import der
from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.state import Sandbox
from runbook_lib.sandbox.timestamp_signer import Stamper, stamper_of

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"

# An arc for private use (the enterprise number of the documentation, RFC 5612).
POLICY = "1.3.6.1.4.1.32473.1"

SHA256 = "2.16.840.1.101.3.4.2.1"
DIGEST_SIZES = {
    SHA256: 32,
    "2.16.840.1.101.3.4.2.2": 48,
    "2.16.840.1.101.3.4.2.3": 64,
}
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"

# PKIFailureInfo
BAD_ALGORITHM, BAD_REQUEST, BAD_FORMAT, BAD_POLICY = 0, 2, 5, 15


class TimestampError(Exception):
    """A request that is rejected; `bit` of PKIFailureInfo, and a sentence."""

    def __init__(self, bit: int, sentence: str) -> None:
        """Take reason and sentence."""
        super().__init__(sentence)
        self.bit = bit
        self.sentence = sentence


@dataclass(frozen=True)
class Request:
    """A time stamp request: what to stamp, and how. `imprint` is as it was sent."""

    imprint: bytes
    nonce: bytes | None
    with_certificate: bool


def handle(call: Call) -> Answer:
    """Answer POST /timestamp."""
    if call.method != "POST":
        return Answer(405, None, {"Allow": "POST"})
    if call.content_type != QUERY:
        return Answer(415)
    try:
        request = read_request(call.sandbox, call.body)
        reply = _granted(call.sandbox, request)
    except TimestampError as problem:
        reply = _rejected(problem)
    return Answer(200, reply, {"Content-Type": REPLY}, logged=_shown(call.body))


def _shown(body: bytes) -> str:
    """Return a request as the log shows it."""
    return f"time stamp query, {len(body)} bytes"


def read_request(sandbox: Sandbox, body: bytes) -> Request:
    """Read a TimeStampReq, or raise TimestampError."""
    try:
        version, imprint, *rest = der.inside(body)
        parts = dict(rest)
    except (der.DerError, ValueError):
        raise TimestampError(BAD_FORMAT, "no time stamp request") from None
    if version != (der.INTEGER, b"\x01") or imprint[0] != der.SEQUENCE:
        raise TimestampError(BAD_REQUEST, "version 1 is the only one")
    _check_imprint(sandbox, imprint[1])
    asked = parts.get(der.OID)
    known = asked is None or der.encoded(der.OID, asked) == der.oid(POLICY)
    if not known and sandbox.holds("timestamp.policy"):
        raise TimestampError(BAD_POLICY, "another policy than this authority's")
    nonce = parts.get(der.INTEGER)
    with_certificate = parts.get(der.BOOLEAN, b"\x00") != b"\x00"
    whole = der.encoded(der.SEQUENCE, imprint[1])
    return Request(whole, nonce, with_certificate)


def _check_imprint(sandbox: Sandbox, content: bytes) -> None:
    """Refuse a digest of an unknown algorithm or of the wrong length."""
    try:
        algorithm, digest = der.values(content)
        name = der.encoded(*der.values(algorithm[1])[0])
    except (der.DerError, ValueError, IndexError):
        raise TimestampError(BAD_FORMAT, "no message imprint") from None
    sizes = {der.oid(known): size for known, size in DIGEST_SIZES.items()}
    if name not in sizes and sandbox.holds("timestamp.algorithm"):
        raise TimestampError(BAD_ALGORITHM, "SHA-256, SHA-384 and SHA-512 only")
    if len(digest[1]) != sizes.get(name, len(digest[1])):
        raise TimestampError(BAD_FORMAT, "a digest of the wrong length")


def _rejected(problem: TimestampError) -> bytes:
    """Return a TimeStampResp without token."""
    bits = bytearray(problem.bit // 8 + 1)
    bits[-1] = 0x80 >> problem.bit % 8
    unused = 7 - problem.bit % 8
    status = der.sequence(
        der.integer(2),
        der.sequence(der.encoded(der.UTF8_STRING, problem.sentence.encode())),
        der.encoded(der.BIT_STRING, bytes([unused]) + bytes(bits)),
    )
    return der.sequence(status)


def _granted(sandbox: Sandbox, request: Request) -> bytes:
    """Return a TimeStampResp with its token."""
    info = _info(sandbox, request)
    stamper = stamper_of(sandbox)
    certificates = der.tagged(0, stamper.der) if request.with_certificate else b""
    signed_data = der.sequence(
        der.integer(3),
        der.set_of([_algorithm(SHA256)]),
        der.sequence(der.oid(_TST_INFO), der.tagged(0, der.octets(info))),
        certificates,
        der.set_of([_signer(stamper, info)]),
    )
    token = der.sequence(der.oid(_SIGNED_DATA), der.tagged(0, signed_data))
    return der.sequence(der.sequence(der.integer(0)), token)


def _info(sandbox: Sandbox, request: Request) -> bytes:
    """Return the TSTInfo: what was stamped, and when."""
    parts = [
        der.integer(1),
        der.oid(POLICY),
        request.imprint,
        der.integer(secrets.randbits(64)),
        der.moment(datetime.now(UTC)),
        der.sequence(der.integer(1)),  # accuracy: a second
    ]
    if request.nonce is not None and sandbox.holds("timestamp.nonce"):
        parts.append(der.encoded(der.INTEGER, request.nonce))
    return der.sequence(*parts)


def _signer(stamper: Stamper, info: bytes) -> bytes:
    """Return the SignerInfo over a TSTInfo."""
    identity = stamper.certificate
    certificate_id = der.sequence(der.octets(hashlib.sha256(stamper.der).digest()))
    attributes = [
        _attribute(_CONTENT_TYPE, der.oid(_TST_INFO)),
        _attribute(_MESSAGE_DIGEST, der.octets(hashlib.sha256(info).digest())),
        _attribute(_SIGNING_CERTIFICATE, der.sequence(der.sequence(certificate_id))),
    ]
    signed = der.set_of(attributes)
    return der.sequence(
        der.integer(1),
        der.sequence(
            identity.issuer.public_bytes(), der.integer(identity.serial_number)
        ),
        _algorithm(SHA256),
        bytes([0xA0]) + signed[1:],  # the same set, as [0] IMPLICIT
        der.sequence(der.oid(_ECDSA_SHA256)),
        der.octets(stamper.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
    )


def _attribute(name: str, value: bytes) -> bytes:
    """Return a signed attribute with one value."""
    return der.sequence(der.oid(name), der.set_of([value]))


def _algorithm(name: str) -> bytes:
    """Return an AlgorithmIdentifier without parameters."""
    return der.sequence(der.oid(name))

"""DER, as much of it as a time stamp needs: writing values and reading a request.

Source: ITU-T X.690 section 8 and 10.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 1, 2, 3, 4, 5, 6
UTF8_STRING, GENERALIZED_TIME = 12, 24
SEQUENCE, SET = 0x30, 0x31

Value = tuple[int, bytes]  # tag and content


class DerError(ValueError):
    """Bytes that are no DER, or not the DER that was asked for."""


def encoded(tag: int, content: bytes) -> bytes:
    """Return tag, length and content."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of encoded parts."""
    return encoded(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """Return a SET OF encoded parts, in the order that DER demands."""
    return encoded(SET, b"".join(sorted(parts)))


def integer(number: int) -> bytes:
    """Return an INTEGER."""
    size = number.bit_length() // 8 + 1
    return encoded(INTEGER, number.to_bytes(size, signed=True))


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return encoded(OCTET_STRING, content)


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = b"".join(_base128(number) for number in (40 * first + second, *rest))
    return encoded(OID, content)


def moment(time: datetime) -> bytes:
    """Return a GeneralizedTime in UTC, in whole seconds."""
    return encoded(GENERALIZED_TIME, f"{time.astimezone(UTC):%Y%m%d%H%M%SZ}".encode())


def tagged(number: int, content: bytes) -> bytes:
    """Return a constructed value with the context tag [number]."""
    return encoded(0xA0 | number, content)


def _base128(number: int) -> bytes:
    """Return a number in groups of seven bits."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return bytes(reversed(groups))


def values(content: bytes) -> list[Value]:
    """Return the values that stand one after the other; raises DerError."""
    found = []
    while content:
        tag, body, content = _first(content)
        found.append((tag, body))
    return found


def inside(content: bytes, tag: int = SEQUENCE) -> list[Value]:
    """Return the values inside the one value that `content` is."""
    found = values(content)
    if len(found) != 1 or found[0][0] != tag:
        raise DerError(f"not one value with tag {tag}")
    return values(found[0][1])


def _first(content: bytes) -> tuple[int, bytes, bytes]:
    """Return tag and content of the first value, and what follows it."""
    if len(content) < 2:
        raise DerError("a value breaks off")
    tag, length, start = content[0], content[1], 2
    if length >= 0x80:
        start = 2 + (length & 0x7F)
        if not 2 < start <= 6 or len(content) < start:
            raise DerError("a length of no usual form")
        length = int.from_bytes(content[2:start])
    if len(content) < start + length:
        raise DerError("a value breaks off")
    end = start + length
    return tag, content[start:end], content[end:]

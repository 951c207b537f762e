"""What bytes say once escapes, base64 and gzip are taken away."""

from __future__ import annotations

import binascii
import json
import re
import string
import zlib
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

GZIP = b"\x1f\x8b\x08"
LARGEST_MEMBER = 1 << 26

_ESCAPED = re.compile(rb'\\(?:u[0-9A-Fa-f]{4}(?:\\u[0-9A-Fa-f]{4})*|[\\"/nrtbf])')
_SIMPLE_ESCAPES = {
    rb"\\": b"\\",
    rb"\"": b'"',
    rb"\/": b"/",
    rb"\n": b"\n",
    rb"\r": b"\r",
    rb"\t": b"\t",
    rb"\b": b"\b",
    rb"\f": b"\f",
}
# Below 20 characters nothing fits in that the search for the encoded secret
# itself would not find.
BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/_-]{20,}(?:\r?\n[A-Za-z0-9+/_-]+)*")
# An expression tries at every character of every word. A text in which each
# character of base64 is an x is searched for twenty of them much more quickly.
_ALPHABET = frozenset(string.ascii_letters + string.digits + "+/_-")
_AS_X = bytes(ord("x") if chr(code) in _ALPHABET else 0 for code in range(256))
_LONG = b"x" * 20
_WRAPPED_AT = (64, 76)  # PEM and MIME
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class TooLarge(Exception):
    """A gzip member unpacks to more than is searched."""


def texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a form and the bytes without it, from the outside in.

    JSON escapes are taken away twice, because a notebook or a traffic line
    holds JSON within JSON.
    """
    yield "plain", data
    if b"\0" in data:  # UTF-16, as PowerShell writes it, is ASCII with zeros between
        data = data.replace(b"\0", b"")
        yield "UTF-16", data
    for form in ("JSON-escaped", "JSON-escaped twice"):
        unescaped = without_escapes(data)
        if unescaped == data:
            break
        data = unescaped
        yield form, data
    if b"%" in data and (unquoted := unquote_to_bytes(data)) != data:
        yield "URL-encoded", unquoted


def without_escapes(data: bytes) -> bytes:
    """Return the bytes with JSON's escapes replaced (RFC 8259, section 7)."""
    return _ESCAPED.sub(_character, data)


def _character(match: re.Match[bytes]) -> bytes:
    simple = _SIMPLE_ESCAPES.get(match[0])
    if simple is not None:
        return simple
    text: str = json.loads(b'"' + match[0] + b'"')
    return text.encode("utf-8", "replace")


def compact(data: bytes) -> bytes:
    """Return the bytes without white space, so that wrapped base64 is whole."""
    return data.translate(None, b" \t\r\n")


def from_base64(data: bytes) -> bytes:
    """Return what the base64 texts in the data hold, a line feed between them."""
    return b"\n".join(map(_decoded, _base64_texts(data)))


def _base64_texts(data: bytes) -> Iterator[bytes]:
    """Yield base64 texts; a full line and the next one belong together."""
    for match in long_runs(data):
        if b"\n" not in match[0]:
            yield match[0]
            continue
        text: list[bytes] = []
        for line in match[0].replace(b"\r", b"").split(b"\n"):
            text.append(line)
            if len(line) not in _WRAPPED_AT:
                yield b"".join(text)
                text = []
        yield b"".join(text)


def long_runs(data: bytes) -> Iterator[re.Match[bytes]]:
    """Yield what `BASE64_TEXT.finditer` would."""
    marked = data.translate(_AS_X)
    place = marked.find(_LONG)
    while place >= 0 and (match := BASE64_TEXT.match(data, place)):
        yield match
        place = marked.find(_LONG, match.end())


def _decoded(text: bytes) -> bytes:
    text = text.translate(_URL_SAFE)
    whole = len(text) - (len(text) % 4 == 1)
    return binascii.a2b_base64(text[:whole] + b"=" * (-whole % 4))


class GzipMember:
    """Unpacks one gzip member that arrives in pieces (RFC 1952)."""

    def __init__(self) -> None:
        """Start before the member's first byte."""
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._size = 0

    def unpack(self, piece: bytes, most: int) -> Iterator[bytes]:
        """Yield what a piece unpacks to, at most `most` bytes at a time.

        What is not gzip, and what follows the member, yields nothing.

        Raises:
            TooLarge: the member is larger than what is searched.
        """
        while piece and not self._stream.eof:
            try:
                data = self._stream.decompress(piece, most)
            except zlib.error:
                return
            self._size += len(data)
            if self._size > LARGEST_MEMBER:
                raise TooLarge
            yield data
            piece = self._stream.unconsumed_tail

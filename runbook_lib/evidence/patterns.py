"""What looks like a credential, where the credential itself is not known."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


def _mixed(value: bytes) -> bool:
    """Tell digits and letters mixed from words that a person wrote."""
    return bool(re.search(rb"[0-9]", value) and re.search(rb"[A-Za-z]", value))


def _user_and_password(value: bytes) -> bool:
    """Tell whether the base64 text holds `name:password` (RFC 7617)."""
    try:
        text = binascii.a2b_base64(value + b"=" * (-len(value) % 4))
    except binascii.Error:
        return False
    name, colon, password = text.partition(b":")
    return bool(name and colon and password) and text.isascii()


@dataclass(frozen=True)
class Pattern:
    """A kind of credential: its name, its shape, and a check of the shape's group.

    `mark` stands in everything of that shape. It is looked for first, because
    a fixed text is found, or missed, ten times as quickly as an expression.
    """

    name: str
    mark: bytes
    shape: re.Pattern[bytes]
    check: Callable[[bytes], bool] = bool

    def found(self, text: bytes) -> bool:
        """Tell whether the text holds such a credential."""
        return self.mark in text and any(self._matches(text))

    def _matches(self, text: bytes) -> Iterator[bool]:
        return (self.check(match[1]) for match in self.shape.finditer(text))


# A masked value is "•••", which none of these characters can be.
_VALUE = rb"[A-Za-z0-9_.~+/=-]"

PATTERNS = (
    # Header and claims of a token are JSON objects, and {" is eyJ in base64.
    Pattern(
        "JSON web token",
        b"eyJ",
        re.compile(rb"(eyJ[A-Za-z0-9_-]{6,}\.eyJ[A-Za-z0-9_-]{6,})"),
    ),
    # Three characters, a digit, "Q~" and at least 31 characters, as Microsoft
    # Entra ID makes client secrets.
    Pattern(
        "client secret of Microsoft Entra ID",
        b"Q~",
        re.compile(rb"Q~(?<=[\w.~-]{3}[0-9]Q~)([\w.~-]{31})"),
    ),
    Pattern(
        "client secret in a request or reply",
        b"client_secret=",
        re.compile(rb"client_secret=(" + _VALUE + rb"{16,})"),
        _mixed,
    ),
    Pattern(
        "client secret in a request or reply",
        b"secretText",
        re.compile(rb'secretText" ?: ?"(' + _VALUE + rb"{16,})"),
        _mixed,
    ),
    Pattern(
        "private key",
        b"-----BEGIN ",
        re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----"),
    ),
    Pattern(
        "age private key",
        b"AGE-SECRET-KEY-1",
        re.compile(rb"(AGE-SECRET-KEY-1[0-9A-Z]{20,})"),
    ),
    Pattern(
        "bearer token",
        b"earer ",
        re.compile(rb"earer (" + _VALUE + rb"{24,})"),
        _mixed,
    ),
    Pattern(
        "bearer token",
        b"auth=Bearer ",
        re.compile(rb"auth=Bearer (" + _VALUE + rb"{8,})"),
    ),
    Pattern(
        "name and password of HTTP Basic",
        b"asic ",
        re.compile(rb"asic ([A-Za-z0-9+/]{8,}={0,2})"),
        _user_and_password,
    ),
)

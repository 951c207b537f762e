"""Secrets, references to secrets, and the mask that keeps them out of texts."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, quote_plus
from weakref import WeakSet

from runbook_lib.errors import InputError

MASKED = "•••"


class Secret:
    """A value that is used but never shown.

    It has no representation, no JSON and no pickle; `reveal()` is the only way
    to the text, so a search for that word finds every use.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Hold the text."""
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def fingerprint(self, salt: str) -> str:
        """Return 8 hex digits that tell two secrets of one run apart."""
        return hashlib.sha256(f"{salt}:{self._text}".encode()).hexdigest()[:8]

    def __repr__(self) -> str:
        """Show that there is a secret, and nothing of it."""
        return "Secret(•••)"

    def __format__(self, spec: str) -> NoReturn:
        """Refuse to be put into a text.

        Raises:
            TypeError: always.
        """
        raise TypeError("a Secret is not formatted; call reveal() where it is used")

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied.

        Raises:
            TypeError: always.
        """
        raise TypeError("a Secret is not pickled")


SCHEMES = {
    "env": "NAME of an environment variable",
    "file": "PATH of a file that only its owner can read",
    "keyring": "SERVICE/USER",
    "keyvault": "URL of the secret",
    "age": "RECIPIENT, an age public key",
}


@dataclass(frozen=True)
class SecretReference:
    """Where a secret stands: `scheme:rest`. It is not secret itself.

    As a source: `env`, `file`, `keyring`, `keyvault`. As a sink: `keyvault`,
    `keyring`, `age`, and `file` for the sandbox.
    """

    scheme: str
    rest: str

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """Read `scheme:rest`.

        Raises:
            InputError: no known scheme, or nothing behind it. The text is not
                repeated, because people paste secrets where references belong.
        """
        scheme, colon, rest = text.partition(":")
        if not colon or scheme not in SCHEMES or not rest.strip():
            known = ", ".join(f"{name}:{hint}" for name, hint in SCHEMES.items())
            raise InputError(
                "not a secret reference (the value is not shown)",
                remedy=f"Write one of {known}.",
            )
        return cls(scheme, rest.strip())

    def __str__(self) -> str:
        """Return the reference as it is written."""
        return f"{self.scheme}:{self.rest}"


def forms(text: str) -> set[str]:
    """Return the texts in which a secret may appear in a file or a log.

    Plain, URL-encoded (both ways), base64 and base64url with and without
    padding, JSON-escaped with and without ASCII only, and as Python shows it.
    """
    raw = text.encode()
    standard = base64.b64encode(raw).decode()
    urlsafe = base64.urlsafe_b64encode(raw).decode()
    found = {text, quote(text, safe=""), quote_plus(text), repr(text)[1:-1]}
    found |= {json.dumps(text, ensure_ascii=only)[1:-1] for only in (True, False)}
    return found | {standard, standard.rstrip("="), urlsafe, urlsafe.rstrip("=")}


_PATTERNS = (
    # A JSON web token: header and claims are JSON objects, so both start "eyJ".
    re.compile(r"eyJ[A-Za-z0-9_-]{6,}\.eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/-]{20,}=*"),
    # Base64 of user:password; prose after the word has no digit, + or =.
    re.compile(r"(?i)(?<=basic )(?=[a-z/]*[0-9+=])[a-z0-9+/]{8,}=*"),
    re.compile(r"(?<=client_secret=)[^&\s\"']+"),
    re.compile(r"(?<=client_assertion=)[^&\s\"']+"),
    re.compile(r'(?<="secretText":")(?:[^"\\]|\\.)+'),
    re.compile(r'(?<="secretText": ")(?:[^"\\]|\\.)+'),
    # The XOAUTH2 initial response: base64 of "user=", in the three alignments
    # only the first can occur, because the blob starts with it.
    re.compile(r"dXNlcj[A-Za-z0-9+/]{20,}=*"),
)

# What every pattern above needs: most texts hold none of it, and masking is done
# to each text of a record.
_SUSPECT = re.compile(
    r"eyJ|dXNlcj|secretText|client_(?:secret|assertion)=|(?i:bearer |basic )"
)

SHORTEST_FORM = 6  # shorter ones would be found everywhere


class Mask:
    """Replaces known secrets, and what looks like one, in texts and JSON values.

    Secrets are added as they are resolved, issued or created. Each run has its
    own mask.
    """

    def __init__(self) -> None:
        """Start with the patterns only."""
        self._added: set[str] = set()
        self._known: set[str] = set()
        self._longest_first: list[str] = []

    def add(self, secret: Secret) -> Secret:
        """Know a secret from now on, in all its forms, and return it."""
        text = secret.reveal()
        if len(text) >= SHORTEST_FORM and text not in self._added:
            self._added.add(text)
            self._known |= forms(text)
            self._longest_first = sorted(self._known, key=len, reverse=True)
        return secret

    def text(self, text: str) -> str:
        """Return the text with every secret replaced."""
        if len(text) < SHORTEST_FORM:
            return text
        for known in self._longest_first:
            if known in text:
                text = text.replace(known, MASKED)
        if not _SUSPECT.search(text):
            return text
        for pattern in _PATTERNS:
            text = pattern.sub(MASKED, text)
        return text

    def value(self, value: object) -> object:
        """Return a JSON value with every string in it masked, keys as well."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, (dict, Mapping)):
            return {self.text(str(k)): self.value(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


class MaskingHandler(logging.Handler):
    """Masks the log records of a library in place, before any other handler.

    A filter would not do: one on `msal` is not asked for what `msal.application`
    logs, but a record reaches the handlers of every logger above it. Masks of
    runs that have ended fall away.
    """

    def __init__(self) -> None:
        """Know no mask yet."""
        super().__init__()
        self.masks: WeakSet[Mask] = WeakSet()

    def emit(self, record: logging.LogRecord) -> None:
        """Replace message, exception and stack by their masked texts."""
        record.msg, record.args = self._masked(_message(record)), None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        if record.exc_text:
            record.exc_text = self._masked(record.exc_text)
        if record.stack_info:
            record.stack_info = self._masked(record.stack_info)

    def _masked(self, text: str) -> str:
        for mask in self.masks:
            text = mask.text(text)
        return text


def _message(record: logging.LogRecord) -> str:
    """Return the message; a library's wrong log call must not end a run."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} {record.args}"


def mask_logging(mask: Mask) -> None:
    """Put the mask on the loggers of the libraries that see secrets."""
    for name in ("httpx", "httpcore", "hpack", "msal", "urllib3"):
        logger = logging.getLogger(name)
        ours = [h for h in logger.handlers if isinstance(h, MaskingHandler)]
        handler = ours[0] if ours else MaskingHandler()
        if not ours:
            logger.handlers.insert(0, handler)
        handler.acquire()
        handler.masks.add(mask)
        handler.release()

"""The leak search: no file of a record may hold a credential, in any form.

Every file is read in pieces. Each piece is searched as it stands and without
JSON escapes and URL encoding; what base64 texts and gzip members hold is
searched the same way, one within the other. Not searched: what else packs
or encrypts (zip, PDF, pictures).
"""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runbook_lib.evidence.files import chunks, entries, is_plain
from runbook_lib.evidence.patterns import PATTERNS, Pattern
from runbook_lib.evidence.unwrap import (
    GZIP,
    GzipMember,
    TooLarge,
    compact,
    from_base64,
    texts,
)
from runbook_lib.secret import Secret

PIECE = 1 << 22
OVERLAP = 1 << 16
DEPTH = 3
SHORTEST = 6


@dataclass(frozen=True, order=True)
class Leak:
    """A credential in a file: which, and in which form, and nothing of it.

    `what` is `secret <number>` in the order given, or the name of a pattern.
    """

    file: str
    what: str
    form: str


Texts = Sequence[tuple[str, bytes]]


class Look(Protocol):
    """What is searched for."""

    def at(self, piece: Texts) -> Iterator[tuple[str, str]]:
        """Yield what is in a piece, given as `texts` gives it, and its form."""
        ...


@dataclass(frozen=True)
class Forms:
    """The byte strings by which one secret is found."""

    name: str
    written: frozenset[bytes]
    coded: frozenset[bytes]

    @classmethod
    def of(cls, name: str, secret: Secret) -> Forms:
        """Derive the forms of a secret."""
        text = secret.reveal()
        marks = {'"': "&#34;", "'": "&#39;"}
        escaped = html.escape(text, quote=False)
        for mark, entity in marks.items():
            escaped = escaped.replace(mark, entity)
        written = {text, text.replace(" ", "+"), html.escape(text), escaped}
        found = {item.encode() for item in written}
        if not text.isascii():  # others show once the zeros are taken away
            found |= {text.encode("utf-16-le"), text.encode("utf-16-be")}
        return cls(name, frozenset(found), frozenset(base64_cores(text.encode())))


def base64_cores(raw: bytes) -> Iterator[bytes]:
    """Yield the base64 characters that stand for these bytes alone.

    Inside a longer text the bytes begin at one of three places of a group;
    characters that also depend on the neighbours are left out.
    """
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
        bits = 8 * (before + len(raw))
        core = text[-(-8 * before // 6) : bits // 6]
        if len(core) >= SHORTEST:
            yield core
            yield core.translate(bytes.maketrans(b"+/", b"-_"))


@dataclass(frozen=True)
class KnownSecrets:
    """Looks for secrets that are known, in every form."""

    forms: Sequence[Forms]

    def at(self, piece: Texts) -> Iterator[tuple[str, str]]:
        """Yield the secrets of which a form is in the piece, outermost form first."""
        for secret in self.forms:
            for form, text in piece:
                if any(item in text for item in secret.written):
                    yield secret.name, form
                    break
        for packed in {compact(piece[0][1]), compact(piece[-1][1])}:
            for secret in self.forms:
                if any(item in packed for item in secret.coded):
                    yield secret.name, "base64"


class KnownPatterns:
    """Looks for what is shaped like a credential."""

    def at(self, piece: Texts) -> Iterator[tuple[str, str]]:
        """Yield the patterns that the piece holds."""
        for pattern in _possible(piece):
            for form, text in piece:
                if pattern.found(text):
                    yield pattern.name, form
                    break


def _possible(piece: Texts) -> Iterator[Pattern]:
    """Yield the patterns whose mark may be in one of the texts.

    Escapes of one character, of which no mark has any, neither make nor hide a
    mark; so where no others are the outermost text tells.
    """
    (_plain, text), *forms = piece
    simple = all(form.startswith("JSON") for form, _ in forms)
    told = simple and rb"\u" not in text
    return (pattern for pattern in PATTERNS if not told or pattern.mark in text)


class Search:
    """Searches a stream of bytes, and what is packed in it."""

    def __init__(self, look: Look, *, inside: str = "", depth: int = DEPTH) -> None:
        """Search with `look`; `inside` names what the stream was packed in."""
        self.found: set[tuple[str, str]] = set()
        self._look = look
        self._inside = inside
        self._depth = depth
        self._tail = b""
        self._members: list[tuple[GzipMember, Search]] = []

    def feed(self, chunk: bytes) -> None:
        """Search the next bytes, together with the end of those before."""
        piece = self._tail + chunk
        read = tuple(texts(piece))
        for what, form in self._look.at(read):
            self.found.add((what, form + self._inside))
        if self._depth:
            self._feed_base64(read[-1][1])
            self._feed_members(chunk, piece)
        self._tail = piece[-OVERLAP:]

    def _within(self, packing: str) -> Search:
        inside = f" in {packing}{self._inside}"
        return Search(self._look, inside=inside, depth=self._depth - 1)

    def _feed_base64(self, text: bytes) -> None:
        if decoded := from_base64(text):
            search = self._within("base64")
            search.feed(decoded)
            self.found |= search.found

    def _feed_members(self, chunk: bytes, piece: bytes) -> None:
        for member, search in self._members:
            self._unpack(member, search, chunk)
        start = max(0, len(self._tail) - len(GZIP) + 1)
        while (start := piece.find(GZIP, start)) >= 0:
            member, search = GzipMember(), self._within("gzip")
            self._members.append((member, search))
            self._unpack(member, search, piece[start:])
            start += len(GZIP)

    def _unpack(self, member: GzipMember, search: Search, data: bytes) -> None:
        try:
            for unpacked in member.unpack(data, PIECE):
                search.feed(unpacked)
        except TooLarge:
            self.found.add(("too large to be searched", "gzip" + self._inside))
        self.found |= search.found


def find(folder: Path, secrets: Iterable[Secret]) -> list[Leak]:
    """Search every file of a folder for known secrets.

    Secrets of fewer than six characters are not searched for: they are no
    secrets, and would be found everywhere.
    """
    forms = [
        Forms.of(f"secret {number}", secret)
        for number, secret in enumerate(secrets, start=1)
        if len(secret.reveal()) >= SHORTEST
    ]
    return _search(folder, KnownSecrets(forms)) if forms else []


def find_patterns(folder: Path) -> list[Leak]:
    """Search every file of a folder for what looks like a credential."""
    return _search(folder, KnownPatterns())


def holds_credential(data: bytes) -> bool:
    """Tell whether bytes hold what looks like a credential."""
    search = Search(KnownPatterns())
    search.feed(data)
    return bool(search.found)


def _search(folder: Path, look: Look) -> list[Leak]:
    found: set[Leak] = set()
    files = [name for name in entries(folder) if is_plain(folder / name)]
    for name in files:
        search = Search(look)
        search.feed(os.fsencode(name) + b"\n")
        for chunk in chunks(folder / name, PIECE):
            search.feed(chunk)
        found |= {Leak(name, what, form) for what, form in search.found}
    return sorted(found)

"""The header of a received message, as a mail program shows and people paste it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.parser import HeaderParser
from email.utils import getaddresses

from runbook_lib.sap.authentication_results import AuthenticationResults, read_results
from runbook_lib.sap.finding import Line
from runbook_lib.sap.pasted import lines

HEADER = "received header"

_START = re.compile(r"[A-Za-z][A-Za-z0-9-]*:")
_FROM = re.compile(r"(?i)\bfrom\s+(\S+)")
_BY = re.compile(r"(?i)\bby\s+(\S+)")
_WITH = re.compile(r"(?i)\bwith\s+(.+?)(?=\s+(?:id|for|via)\s|;|$)")
_ADDRESS = re.compile(r"\[?((?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]*:[0-9a-fA-F:]+)\]?")
# Characters at which the parser would part lines, and a paste does not.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")
# RFC 3848: ESMTPS, ESMTPSA, LMTPS, UTF8SMTPS …
_TLS = re.compile(r"(?i)\b(?:UTF8)?[EL]?S?MTPSA?\b|version=TLS|using TLSv1")
_CLEAR = re.compile(r"(?i)\bE?SMTPA?\b")


@dataclass(frozen=True)
class Field:
    """One field of the header: its name in lower case, its value, its line."""

    name: str
    value: str
    line: Line


@dataclass(frozen=True)
class Hop:
    """One server that took the message; `tls` is None where it does not say."""

    line: Line
    sender: str | None
    server: str | None
    address: str | None
    tls: bool | None


@dataclass(frozen=True)
class HeaderBlock:
    """The fields in the order of the paste: the last server's stand first."""

    fields: tuple[Field, ...]

    def all(self, name: str) -> list[Field]:
        """Return the fields of a name, the one that was added last first."""
        return [field for field in self.fields if field.name == name.casefold()]

    def first(self, name: str) -> Field | None:
        """Return the field of a name that was added last, or None."""
        return next(iter(self.all(name)), None)

    def addresses(self, name: str) -> list[str]:
        """Return the addresses of fields such as From and To, in lower case."""
        values = [field.value for field in self.all(name)]
        return [address.casefold() for _, address in getaddresses(values) if address]

    def hops(self) -> list[Hop]:
        """Return the servers, the one that took it from the sender last."""
        return [_hop(field) for field in self.all("received")]

    def results(self) -> tuple[Field, AuthenticationResults] | None:
        """Return the results that count: the topmost ones, added on the way."""
        for field in self.all("authentication-results"):
            if not self.sent_with(field):
                return field, read_results(field.value)
        return None

    def sent_with(self, field: Field) -> bool:
        """Tell whether results may have been in the message before it was taken.

        Above the lowest Received only servers write. Below it anybody may have
        written, unless the results are in the name of the server that took the
        message, which removes forged ones of its own name; some servers write
        theirs below their Received. Source: RFC 8601, sections 5 and 7.1.
        """
        hops = self.hops()
        if not hops or field.line.number < hops[-1].line.number:
            return False
        server = read_results(field.value).server
        return server is None or server.casefold() != (hops[-1].server or "").casefold()


def read_header(text: str) -> HeaderBlock | None:
    """Read a pasted header; None where the text is none."""
    kept = list(_of_header(lines(_CONTROL.sub(" ", text), HEADER)))
    starts = [line for line in kept if _START.match(line.text)]
    if not starts or kept[0] is not starts[0]:
        return None
    whole = "\n".join(_folded(line) for line in kept)
    parsed = HeaderParser().parsestr(whole).items()
    if len(parsed) != len(starts):
        return None
    return HeaderBlock(
        tuple(
            Field(name.casefold(), decoded(value), line)
            for (name, value), line in zip(parsed, starts, strict=True)
        )
    )


def _of_header(found: Sequence[Line]) -> Iterable[Line]:
    """Yield the lines of the header: up to an empty line that other text follows."""
    last: int | None = None
    for line in found:
        if not line.text.strip():
            continue
        gap = last is not None and line.number - last > 1
        if gap and not _START.match(line.text):
            return
        last = line.number
        yield line


def _folded(line: Line) -> str:
    """Return a line; one that lost its indentation when it was copied gets it back."""
    if _START.match(line.text) or line.text[:1].isspace():
        return line.text
    return f" {line.text}"


def decoded(value: str) -> str:
    """Return a value in one line, encoded words (RFC 2047) read."""
    flat = " ".join(str(value).split())
    try:
        return str(make_header(decode_header(flat)))
    except (HeaderParseError, LookupError, ValueError):
        return flat


def _hop(field: Field) -> Hop:
    value = field.value
    sender, server = _FROM.search(value), _BY.search(value)
    way, before = _WITH.search(value), value.partition(" by ")[0]
    address = _ADDRESS.search(before)
    return Hop(
        field.line,
        sender[1] if sender else None,
        server[1] if server else None,
        address[1] if address else None,
        _tls(way[1] if way else "", value),
    )


def _tls(way: str, value: str) -> bool | None:
    if _TLS.search(way) or _TLS.search(value):
        return True
    return False if _CLEAR.search(way) else None

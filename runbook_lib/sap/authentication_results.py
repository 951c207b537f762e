"""The header Authentication-Results: what a receiver says of SPF, DKIM and DMARC.

Source: RFC 8601; Exchange Online leaves out the name of the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

METHODS = ("spf", "dkim", "dmarc")

# Which property says for which domain a method speaks.
_DOMAINS = {
    "spf": ("smtp.mailfrom", "smtp.helo"),
    "dkim": ("header.d", "header.i"),
    "dmarc": ("header.from",),
}


@dataclass(frozen=True)
class Result:
    """What one method gave: `pass`, `fail`, `none` …; properties as they stand."""

    method: str
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""

    @property
    def domain(self) -> str | None:
        """Return the domain that the result is about, or None."""
        for name in _DOMAINS.get(self.method, ()):
            value = self.properties.get(name, "").rpartition("@")[2].casefold()
            if value and value != "none":
                return value
        return None


@dataclass(frozen=True)
class AuthenticationResults:
    """One header: who states it (None where it does not say), and the results."""

    server: str | None
    results: tuple[Result, ...]

    def of(self, method: str) -> Result | None:
        """Return what a method gave; of several DKIM signatures a good one."""
        found = [result for result in self.results if result.method == method]
        good = [result for result in found if result.result == "pass"]
        return next(iter([*good, *found]), None)


def read_results(value: str) -> AuthenticationResults:
    """Read the value of the header; parts that are not understood are left out."""
    parts = [_without_comments(part) for part in _split(value)]
    first, _ = parts[0]
    server = None
    if "=" not in first:
        server = first.split()[0] if first.split() else None
        parts = parts[1:]
    found = [_result(words, comment) for words, comment in parts]
    return AuthenticationResults(server, tuple(r for r in found if r is not None))


def _result(words: str, comment: str) -> Result | None:
    pairs = re.findall(r'([\w./-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]+)', words)
    if not pairs:
        return None
    (method, result), *others = pairs
    properties = {name.casefold(): value.strip('"') for name, value in others}
    name = method.partition("/")[0].casefold()
    return Result(name, result.casefold(), properties, comment)


def _split(value: str) -> list[str]:
    """Split at semicolons that stand in no comment and no quotes."""
    parts, depth, quoted = [""], 0, False
    for char in value:
        if char == '"' and not depth:
            quoted = not quoted
        elif not quoted:
            depth = max(0, depth + (char == "(") - (char == ")"))
        if char == ";" and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _without_comments(part: str) -> tuple[str, str]:
    """Return a part without its comments, and the comments; they may be nested."""
    words, comments, depth = "", "", 0
    for char in part:
        depth += char == "("
        words, comments = (
            (words, comments + char) if depth else (words + char, comments)
        )
        depth = max(0, depth - (char == ")"))
    return " ".join(words.split()), comments.strip("()")

"""Pasted text as lines, without what copying leaves behind."""

from __future__ import annotations

import re

from runbook_lib.sap.finding import Line

# Non-breaking and zero-width characters, byte order mark, typographic quotes:
# what browsers, mail programs and SAP GUI put in when text is copied.
_REPLACED = str.maketrans(
    {
        "\u00a0": " ",
        "\u2007": " ",
        "\u202f": " ",
        "\u200b": None,
        "\ufeff": None,
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2018": "'",
        "\u2019": "'",
    }
)


def cleaned(text: str) -> str:
    """Return the text with plain spaces, quotes and line ends."""
    plain = text.translate(_REPLACED)
    return plain.replace("\r\n", "\n").replace("\r", "\n")


def lines(text: str, artifact: str = "") -> list[Line]:
    """Return all lines with their numbers; the numbers are those of the paste."""
    found = cleaned(text).split("\n")
    return [Line(n, line.rstrip(), artifact) for n, line in enumerate(found, start=1)]


def filled(text: str, artifact: str = "") -> list[Line]:
    """Return the lines that hold something."""
    return [line for line in lines(text, artifact) if line.text.strip()]


def same_words(text: str) -> str:
    """Return a label in the form in which labels are compared.

    Case, spaces and punctuation do not count: `Service Name/Port` is the same
    as `service name / port:`.
    """
    return re.sub(r"[^\w]+", " ", text.casefold().replace("_", " ")).strip()

"""Lists as SAP GUI saves them: bars, tabs, semicolons, columns of spaces.

Columns are found by their headings, because layouts differ by release,
language and user. Excel 2003 XML is read by `spreadsheet`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Line
from runbook_lib.sap.pasted import filled, same_words
from runbook_lib.sap.spreadsheet import is_spreadsheet, spreadsheet_rows

Headings = Mapping[str, tuple[str, ...]]
Split = Callable[[str], list[str]]

_RULER = re.compile(r"[\s|+=_-]*")


@dataclass(frozen=True)
class Row:
    """One row: its line, and its cells by the name of the column."""

    line: Line
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """Return a cell; a column that the list does not have is empty."""
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table:
    """A list: the line of its headings, its columns by our names, and its rows."""

    header: Line
    columns: frozenset[str]
    rows: tuple[Row, ...]


def read_table(
    text: str, headings: Headings, needed: frozenset[str], artifact: str
) -> Table | None:
    """Return the first list in the text that has the needed columns, or None.

    `headings` gives for each column, by our name, the headings that mean it.
    """
    if is_spreadsheet(text):
        return _read(spreadsheet_rows(text, artifact), headings, needed)
    return _read(filled(text, artifact), headings, needed)


def _read(
    lines: Sequence[Line], headings: Headings, needed: frozenset[str]
) -> Table | None:
    for position, line in enumerate(lines):
        for split in _splits(line.text):
            names = [_column(cell, headings) for cell in split(line.text)]
            if needed <= set(names):
                body = lines[position + 1 :]
                return Table(line, _named(names), tuple(_rows(body, split, names)))
    return None


def _named(names: Sequence[str | None]) -> frozenset[str]:
    return frozenset(name for name in names if name)


def _column(heading: str, headings: Headings) -> str | None:
    wanted = same_words(heading)
    for name, synonyms in headings.items():
        if wanted in {same_words(synonym) for synonym in synonyms}:
            return name
    return None


def _rows(
    lines: Sequence[Line], split: Split, names: Sequence[str | None]
) -> list[Row]:
    found = []
    for line in lines:
        if _RULER.fullmatch(line.text):
            continue
        cells = split(line.text)
        pairs = zip(names, cells, strict=False)
        found.append(Row(line, {name: cell for name, cell in pairs if name}))
    return found


def _splits(header: str) -> list[Split]:
    """Return the ways in which a line may be divided, the surest first."""
    found: list[Split] = []
    if header.count("|") >= 2:
        found.append(_bars)
    if "\t" in header:
        found.append(_separated("\t", header.count("\t")))
    if header.count(";") >= 1:
        found.append(_separated(";", header.count(";")))
    return [*found, _aligned(header)]


def _bars(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in inner.split("|")]


def _separated(separator: str, columns: int) -> Split:
    """Return a division by one character; the last column may hold it too."""

    def split(line: str) -> list[str]:
        return [cell.strip().strip('"') for cell in line.split(separator, columns)]

    return split


def _aligned(header: str) -> Split:
    """Return a division by position: a cell belongs to the heading above it.

    Headings are parted by two or more spaces. A cell may begin one character
    before its heading, as right-aligned numbers do.
    """
    starts = [match.start() for match in re.finditer(r"\S+(?: \S+)*", header)]

    def split(line: str) -> list[str]:
        cells = [""] * len(starts)
        for match in re.finditer(r"\S+(?: \S+)*", line):
            before = [n for n, start in enumerate(starts) if start <= match.start() + 1]
            column = before[-1] if before else 0
            cells[column] = f"{cells[column]} {match[0]}".strip()
        return cells

    return split

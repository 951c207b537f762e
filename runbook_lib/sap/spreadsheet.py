"""Excel 2003 XML, as SAP GUI exports a list, turned into lines of cells."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, fromstring

from runbook_lib.sap.finding import Line
from runbook_lib.sap.pasted import cleaned

NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
_SS = f"{{{NAMESPACE}}}"
_LARGEST_INDEX = 200


def is_spreadsheet(text: str) -> bool:
    """Tell whether the text is an Excel 2003 workbook."""
    return NAMESPACE in text


def spreadsheet_rows(text: str, artifact: str) -> list[Line]:
    """Return the rows as lines whose cells are parted by tabs.

    A line's number counts the rows. A text that is not well formed, or that
    declares entities, gives no rows.
    """
    plain = cleaned(text).strip()
    if "<!" in plain.replace("<!--", ""):
        return []
    try:
        root = fromstring(plain)  # noqa: S314 - no entities: refused above
    except (ParseError, ValueError):
        return []
    rows = [_cells(row) for row in root.iter(f"{_SS}Row")]
    return [
        Line(number, "\t".join(cells), artifact)
        for number, cells in enumerate(rows, start=1)
        if any(cells)
    ]


def _cells(row: Element) -> list[str]:
    """Return a row's cells; `ss:Index` skips empty ones."""
    cells: list[str] = []
    for cell in row.iter(f"{_SS}Cell"):
        index = cell.get(f"{_SS}Index", "")
        if index.isdecimal() and len(cells) < int(index) <= _LARGEST_INDEX:
            cells += [""] * (int(index) - 1 - len(cells))
        cells.append(" ".join("".join(cell.itertext()).split()))
    return cells

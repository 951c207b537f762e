"""Tables of docs/performance.md, written by the benchmarks.

A table stands between `<!-- NAME -->` and `<!-- /NAME -->`.
"""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def write_table(name: str, rows: list[tuple[str, ...]]) -> None:
    """Replace a table; the first row is its head."""
    text = PAGE.read_text(encoding="utf-8")
    head, begin, rest = text.partition(f"<!-- {name} -->\n")
    _, end, tail = rest.partition(f"<!-- /{name} -->")
    if not begin or not end:
        raise ValueError(f"docs/performance.md has no table {name}")
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    table = "\n".join(lines)
    PAGE.write_text(f"{head}{begin}\n{table}\n\n{end}{tail}", encoding="utf-8")

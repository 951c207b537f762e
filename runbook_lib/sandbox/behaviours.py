"""The list of what the sandbox does, each with its source, and each breakable.

The rows stand in `data/behaviours/*.json`, one file per area:

`id` (area.what), `says` (one sentence), `source` (where it is published),
`uncertain` (true where no source was read) and `test` (the test that covers it).

`--break ROW` turns one off; code asks `sandbox.holds(ROW)` at the place where
the behaviour is made, and a test finds the difference.
"""

from dataclasses import dataclass
from functools import cache

from runbook_lib.sandbox.package_data import DATA, packaged


@dataclass(frozen=True)
class Behaviour:
    """One row of docs/sandbox.md."""

    id: str
    says: str
    source: str
    test: str
    uncertain: bool = False


@cache
def known_rows() -> dict[str, Behaviour]:
    """Return all rows by id, in the order of the files and inside them.

    Raises ValueError if an id stands twice.
    """
    rows: dict[str, Behaviour] = {}
    for file in sorted(file.name for file in (DATA / "behaviours").iterdir()):
        for entry in packaged(f"behaviours/{file}"):
            row = Behaviour(**entry)
            if row.id in rows:
                raise ValueError(f"behaviour {row.id} is listed twice")
            rows[row.id] = row
    return rows

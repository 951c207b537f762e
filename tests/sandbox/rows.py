"""Rows of docs/sandbox.md: each has one check, run against whole and broken tenants.

A check states with plain assertions what the row promises. It has to pass where the
row holds and to fail where the row is switched off.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook_lib.sandbox.behaviours import known_rows
from tests.sandbox.world import World

Check = Callable[[World], None]
RowTests = tuple[Callable[[str], None], Callable[[str], None], Callable[[], None]]


class Checks:
    """The checks of some areas, by row."""

    def __init__(self, *areas: str, file: str = "") -> None:
        """Collect checks for the rows of these areas.

        With `file`, the path of a test module, only for those that name it.
        """
        self._areas = areas
        self._file = Path(file).name
        self._checks: dict[str, Check] = {}

    def row(self, identifier: str) -> Callable[[Check], Check]:
        """Register the check of a row."""

        def register(check: Check) -> Check:
            assert identifier not in self._checks, identifier
            self._checks[identifier] = check
            return check

        return register

    def __iter__(self) -> Iterator[str]:
        """Yield the rows that have a check."""
        return iter(self._checks)

    def missing(self) -> set[str]:
        """Return the rows of the areas that have no check."""
        wanted = {
            row.id
            for row in known_rows().values()
            if row.id.partition(".")[0] in self._areas
            and self._file in ("", Path(row.test).name)
        }
        return wanted ^ set(self._checks)

    def run(self, identifier: str, world: World) -> None:
        """Run the check of a row."""
        self._checks[identifier](world)

    def tests(self, *, tenants: int = 1) -> RowTests:
        """Return the tests of all rows, for a test module to name and keep."""

        @pytest.mark.parametrize("row", list(self))
        def test_row_holds(row: str) -> None:
            """The row's check passes against a whole sandbox."""
            with World(tenants=tenants) as world:
                self.run(row, world)

        @pytest.mark.parametrize("row", list(self))
        def test_row_is_noticed_when_broken(row: str) -> None:
            """The row's check fails where the row is switched off."""
            broken = World(tenants=tenants, broken=row)
            with broken as world, pytest.raises(AssertionError):
                self.run(row, world)

        def test_every_row_has_a_check() -> None:
            """No row of the areas is without a check, and no check without a row."""
            assert self.missing() == set()

        return (
            test_row_holds,
            test_row_is_noticed_when_broken,
            test_every_row_has_a_check,
        )

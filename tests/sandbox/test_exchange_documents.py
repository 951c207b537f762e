"""The pages about Exchange, SMTP, DNS and SAP hold exactly the rows of the sandbox."""

from pathlib import Path

import pytest

from runbook_lib.sandbox.behaviours import Behaviour, known_rows
from runbook_lib.sandbox.exchange_cmdlets import HANDLERS
from runbook_lib.sandbox.exchange_contract import cmdlets

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "sandbox-exchange.md": ("exchange", "trace"),
    "sandbox-smtp.md": ("smtp", "mx", "dns"),
    "sandbox-sap.md": ("sapcontrol", "communication"),
}


def line_of(row: Behaviour) -> str:
    """Return the line of a row in its page's table."""
    mark = "**uncertain**: " if row.uncertain else ""
    return f"| `{row.id}` | {row.says} | {mark}{row.source} | `{row.test}` |"


@pytest.mark.parametrize("page", PAGES)
def test_page_lists_the_rows_of_its_areas(page: str) -> None:
    """No row is missing, none is listed that is not there, and each says the same."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    table = text.partition("## Rows\n\n")[2].splitlines()[2:]
    rows = known_rows().values()
    assert table == [
        line_of(row) for row in rows if row.id.partition(".")[0] in PAGES[page]
    ]


@pytest.mark.parametrize("areas", PAGES.values())
def test_rows_name_tests_that_exist(areas: tuple[str, ...]) -> None:
    """The file that a row names has a check of the row."""
    rows = [row for row in known_rows().values() if row.id.partition(".")[0] in areas]
    assert rows
    for row in rows:
        assert f'"{row.id}"' in (ROOT / row.test).read_text(encoding="utf-8"), row.id


def test_page_states_the_number_of_cmdlets() -> None:
    """The page's number is the list's, and what is built is in the list."""
    text = (ROOT / "docs" / "sandbox-exchange.md").read_text(encoding="utf-8")
    assert f"lists {len(cmdlets())} cmdlets" in text
    assert {name.lower() for name in HANDLERS} <= set(cmdlets())

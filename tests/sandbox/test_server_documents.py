"""docs/sandbox.md says what the code does: rows, faults, operations, errors."""

import re
from pathlib import Path

import pytest

from runbook_lib.sandbox.behaviours import known_rows
from runbook_lib.sandbox.control_operations import OPERATIONS
from runbook_lib.sandbox.dump import LEFT_OUT
from runbook_lib.sandbox.entra_errors import ERRORS
from runbook_lib.sandbox.faults import FAULTS
from runbook_lib.sandbox.graph import ROUTES
from runbook_lib.sandbox.hosts import CLOUDS, Cloud
from runbook_lib.sandbox.seed_objects import OPERATOR_GRAPH_ROLES
from runbook_lib.sandbox.vault import ROUTES as VAULT_ROUTES
from tests.sandbox.test_exchange_documents import line_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
AREAS = ("entra", "graph", "management", "vault", "identity", "timestamp")
CODE = {
    path.name: path.read_text(encoding="utf-8")
    for path in (ROOT / "runbook_lib" / "sandbox").glob("*.py")
}


def test_page_lists_the_rows_of_its_areas() -> None:
    """No row is missing, none is listed that is not there, and each says the same."""
    table = PAGE.partition("## Rows\n\n")[2].splitlines()
    rows = known_rows().values()
    wanted = [line_of(row) for row in rows if row.id.partition(".")[0] in AREAS]
    assert [line for line in table if line.startswith("| `")] == wanted


def test_rows_name_tests_that_exist() -> None:
    """The test that a row names is a file of this project."""
    assert all((ROOT / row.test).is_file() for row in known_rows().values())


@pytest.mark.parametrize("row", [r for r in known_rows() if r.startswith(AREAS)])
def test_row_is_asked_for_in_the_code(row: str) -> None:
    """A row that no code asks for could be broken without effect."""
    asked = re.compile(rf'holds\(\s*"{re.escape(row)}"')
    assert any(asked.search(text) for text in CODE.values())


def test_code_asks_for_known_rows_only() -> None:
    """A misspelt row would raise KeyError at the first request."""
    asked = {
        row for text in CODE.values() for row in re.findall(r'holds\(\s*"(.+?)"', text)
    }
    assert asked <= set(known_rows())


def test_uncertain_rows_say_so() -> None:
    """A row without a source is marked, and a marked one says what is not known."""
    for row in known_rows().values():
        if row.source.startswith("not read"):
            assert row.uncertain, row.id
        assert row.says.endswith("."), row.id


@pytest.mark.parametrize("name", FAULTS)
def test_page_explains_every_fault(name: str) -> None:
    """Name and meaning, as --help and the code have them."""
    assert f"| `{name}` | {FAULTS[name]} |" in PAGE


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name])
def test_page_lists_every_operation(name: str) -> None:
    """Each with its arguments."""
    assert f"| `{name}` | " in PAGE


def test_page_says_what_a_dump_leaves_out() -> None:
    """The list of the page is the list of the code."""
    assert "; ".join(LEFT_OUT) in PAGE


@pytest.mark.parametrize("code", ERRORS)
def test_page_lists_every_sign_in_error(code: int) -> None:
    """Each with its status and OAuth error code."""
    known = ERRORS[code]
    assert f"| {code} ({known.status} {known.error}) | " in PAGE


def test_page_names_every_path_of_graph() -> None:
    """The first part of every route stands in the table of requests."""
    table = PAGE.partition("## Microsoft Graph")[2].partition("## Rows")[0]
    for route in ROUTES:
        assert f"`{route.template.partition('/')[0]}" in table
        last = route.template.rpartition("/")[2]
        assert last.startswith("{") or last in table, route.template


def test_page_names_the_operators_rights() -> None:
    """What the operator may do is said in full."""
    assert ", ".join(OPERATOR_GRAPH_ROLES) in PAGE


def test_sandbox_imports_nothing_of_the_package() -> None:
    """It cannot agree with a wrong client by construction."""
    for name, text in CODE.items():
        found = re.findall(r"^\s*(?:from|import) (runbook_lib[\w.]*)", text, re.M)
        assert all(f.startswith("runbook_lib.sandbox") for f in found), name


def test_page_names_every_request_to_a_vault() -> None:
    """Method and path of every route stand in the table."""
    table = PAGE.partition("## Key Vault")[2].partition("## Managed identity")[0]
    for route in VAULT_ROUTES:
        shown = re.sub(r"\{\}", r"[^`/]+", route.template)
        assert re.search(f"`{route.method} {shown}`", table), route.template


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=lambda cloud: cloud.name)
def test_page_shows_the_hosts_of_every_cloud(cloud: Cloud) -> None:
    """The column of a cloud holds the names of the code."""
    table = PAGE.partition("`--cloud` plays")[2].partition("Which of these")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if "|" in line]
    column = [name.strip() for name in rows[0]].index(cloud.name)
    shown = [row[column + 1] for row in rows[2:]]
    assert shown == [
        cloud.login[0],
        cloud.graph,
        cloud.exchange[0],
        cloud.exchange_resources[0],
        cloud.submission[0],
        cloud.mx_suffix,
        cloud.spf_include,
        cloud.vault_suffix,
        cloud.management,
        cloud.initial_suffix,
    ]

"""Who may import whom, and who may touch the outside: read from the syntax tree.

Imports inside functions and under TYPE_CHECKING count like any other, and so
does the name of a module that stands in a text, for it can be imported later.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "runbook_lib"
ROOT = Path(__file__).resolve().parents[1] / PACKAGE

# Each row imports only rows above it. Source: docs/architecture.md.
ROWS: tuple[tuple[str, ...], ...] = (
    ("errors", "secret"),
    (
        "cloud",
        "deadlines",
        "mail_limits",
        "tenant",
        "tenant_fields",
        "tenant_sap",
        "parameters",
        "yamlfile",
    ),
    ("clients",),
    ("session",),
    ("engine",),
    ("steps", "sap", "relay"),
    ("views",),
    ("evidence",),
    (
        *("completing", "locking", "opening", "rolling_back"),
        *("running", "notebook", "relaying", "batch", "cli"),
    ),
)
ROW = {name: number for number, row in enumerate(ROWS) for name in row}
JOINING = frozenset(ROWS[-1])

# Imports within a row, each for a reason.
WITHIN_A_ROW = {
    ("secret", "errors"),  # a reference that is wrong is an error
    ("tenant", "cloud"),  # endpoints come from the cloud's profile
    ("tenant", "yamlfile"),  # a tenant is read from a file
    ("tenant", "tenant_fields"),  # its keys, by kind and by section
    ("tenant", "tenant_sap"),
    ("tenant_sap", "tenant_fields"),
    ("steps", "sap"),  # a step judges what SAP shows
    ("notebook", "completing"),
    ("notebook", "opening"),  # row 8 joins everything
    ("notebook", "rolling_back"),
    ("notebook", "running"),
    ("running", "opening"),
    ("relaying", "running"),
    ("steps", "relay"),  # a step renders and sizes what the relay consists of
    ("batch", "notebook"),  # loaded once, before the children are forked
    ("notebook", "locking"),
    ("running", "locking"),
    ("batch", "locking"),
    ("cli", "locking"),
    ("batch", "opening"),
    ("cli", "batch"),
    ("cli", "opening"),
}
# Above, and forbidden all the same: a client knows hosts and secrets only.
NEVER = {
    ("clients", unit)
    for unit in ("tenant", "tenant_fields", "tenant_sap", "parameters", "cloud")
}
SANDBOX = "sandbox"
STARTS_THE_SANDBOX = "cli"

# Who may use which library: display and wire are in one place each. Batch's own
# engine runs an IPython shell, and loads what its children need once for all.
ONLY_IN = {
    "IPython": {"views", "batch"},
    "ipywidgets": {"views"},
    "pandas": {"views"},
    "jinja2": {"views"},
    "httpx": {"clients", "session", "batch"},
    "msal": {"clients", "batch"},
    "dns": {"clients", "sandbox"},
    "keyring": {"clients"},
    "pyrage": {"clients"},
    "smtplib": {"clients", "sandbox"},
    "socket": {"clients", "batch", "cli", "sandbox"},
    "ssl": {"clients", "batch", "sandbox"},
    "papermill": {"cli", "batch"},
    "nbclient": {"cli", "batch"},
    "click": {"cli", "sandbox"},
    "rich": {"cli"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox"},
    "trustme": {"sandbox"},
    "yaml": {"yamlfile", "sandbox"},
}
NO_INPUT_OR_OUTPUT = ROWS[4] + ROWS[5]


@dataclass(frozen=True)
class Use:
    """A module's use of another one: `by` uses `name` in a line of a file."""

    by: str
    name: str
    where: str


@cache
def units(root: Path) -> tuple[tuple[str, Path, ast.Module], ...]:
    """Return each file with its unit: the first part of its path in the package."""
    return tuple(
        (path.relative_to(root).with_suffix("").parts[0], path, tree_of(path))
        for path in sorted(root.rglob("*.py"))
        if path != root / "__init__.py"
    )


def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))


def imported(node: ast.AST, path: Path, root: Path) -> Iterator[str]:
    """Yield the full names that a node imports, or names as a text."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = absolute(node, path, root)
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
        if text.startswith(f"{PACKAGE}.") and text.replace(".", "").isidentifier():
            yield text


def absolute(node: ast.ImportFrom, path: Path, root: Path) -> str:
    """Return the full name of what `from … import` names, relative or not."""
    if not node.level:
        return node.module or ""
    parents = (PACKAGE, *path.relative_to(root).parts[:-1])
    kept = parents[: len(parents) - node.level + 1]
    return ".".join((*kept, node.module) if node.module else kept)


def uses(root: Path) -> Iterator[Use]:
    """Yield every import in the package."""
    for unit, path, tree in units(root):
        for node in ast.walk(tree):
            for name in imported(node, path, root):
                line = getattr(node, "lineno", 0)
                yield Use(unit, name, f"{path.relative_to(root)}:{line}")


def misplaced(root: Path) -> list[str]:
    """Return the imports that the table of rows forbids."""
    found = []
    for use in uses(root):
        package, _, rest = use.name.partition(".")
        other = rest.partition(".")[0]
        known = other in ROW or other == SANDBOX
        if package == PACKAGE and known and not allowed(use.by, other):
            found.append(f"{use.where}: {use.by} imports {other}")
    return found


def allowed(by: str, other: str) -> bool:
    """Tell whether one unit may import another one."""
    if by == other:
        return True
    if SANDBOX in (by, other):
        return by == STARTS_THE_SANDBOX
    if (by, other) in NEVER:
        return False
    above = ROW[other] < ROW.get(by, 0)
    return above or (by, other) in WITHIN_A_ROW


def libraries(root: Path) -> list[str]:
    """Return the uses of libraries outside of their places."""
    found = []
    for use in uses(root):
        library = use.name.partition(".")[0]
        if use.by not in ONLY_IN.get(library, {use.by}):
            found.append(f"{use.where}: {use.by} imports {library}")
    return found


def environment_reads(root: Path) -> list[str]:
    """Return where the environment is read, outside of the joining row."""
    names = {"environ", "environb", "getenv", "getenvb"}
    found = []
    for unit, path, tree in units(root):
        for node in ast.walk(tree):
            read = isinstance(node, ast.Attribute) and node.attr in names
            read |= isinstance(node, ast.Name) and node.id in names
            read |= isinstance(node, ast.alias) and node.name in names
            read |= isinstance(node, ast.keyword) and node.arg == "envvar"
            if read and unit not in JOINING:
                line = getattr(node, "lineno", 0)
                found.append(f"{path.relative_to(root)}:{line}: {unit}")
    return found


@cache
def all_units() -> frozenset[str]:
    """Return the units that the package really has."""
    return frozenset(unit for unit, _, _ in units(ROOT))


def test_every_unit_has_its_row() -> None:
    """A new module is given a place, and no row names what is not there."""
    assert all_units() == set(ROW) | {SANDBOX}


def test_imports_go_up() -> None:
    """Data flows one way: nothing lower imports, shows or calls anything higher."""
    assert misplaced(ROOT) == []


def test_every_exception_is_used() -> None:
    """An exception that nobody needs any more is taken off the list."""
    pairs = {
        (use.by, use.name.split(".")[1])
        for use in uses(ROOT)
        if use.name.startswith(f"{PACKAGE}.")
    }
    assert pairs >= WITHIN_A_ROW
    assert all(ROW[one] == ROW[other] for one, other in WITHIN_A_ROW)


def test_libraries_are_used_in_their_places() -> None:
    """Display in views, the wire in clients, frameworks of the sandbox in it."""
    assert libraries(ROOT) == []


def test_every_place_of_a_library_is_used() -> None:
    """The table is as narrow as the code."""
    seen = {(use.name.partition(".")[0], use.by) for use in uses(ROOT)}
    table = {(name, unit) for name, units in ONLY_IN.items() for unit in units}
    assert table - seen <= {("smtplib", "clients")}


def test_the_environment_is_read_in_the_joining_row_only() -> None:
    """Whatever is lower is given a mapping."""
    assert environment_reads(ROOT) == []


def test_the_sandbox_stands_alone() -> None:
    """It cannot agree with a wrong client by construction."""
    names = {use.name for use in uses(ROOT) if use.by == SANDBOX}
    ours = {name for name in names if name.startswith(f"{PACKAGE}.")}
    assert ours
    assert all(name.split(".")[1] == SANDBOX for name in ours)


def test_engine_and_steps_have_no_wire_of_their_own() -> None:
    """They reach the outside through the session and the record."""
    wire = {"http", "urllib3", "requests", "smtplib", "socket", "ssl", "subprocess"}
    found = {
        (use.by, use.name.partition(".")[0])
        for use in uses(ROOT)
        if use.by in NO_INPUT_OR_OUTPUT
    }
    assert not [pair for pair in found if pair[1] in wire]


def test_third_party_libraries_are_declared() -> None:
    """What the package imports stands in pyproject.toml, or comes with what does."""
    declared = (ROOT.parent / "pyproject.toml").read_text("utf-8").lower()
    comes_with = {
        "dns": "dnspython",
        "ipython": "ipywidgets",
        "yaml": "pyyaml",
        "markupsafe": "jinja2",
        "pydantic_core": "pydantic",
        "jwt": "msal",
        "spf": "pyspf",
        "jupyter_client": "jupyterlab",
        "nbclient": "papermill",
        "nbformat": "jupyterlab",
        "traitlets": "ipywidgets",
        "comm": "ipywidgets",
    }
    names = {use.name.partition(".")[0].lower() for use in uses(ROOT)}
    for name in names - set(sys.stdlib_module_names) - {PACKAGE}:
        assert f'"{comes_with.get(name, name)}>=' in declared, name


@dataclass(frozen=True)
class Planted:
    """A violation that the tests above have to find."""

    path: str
    source: str
    found: str


PLANTED = (
    Planted("errors.py", "import runbook_lib.secret", "errors imports secret"),
    Planted("clients/graph.py", "from runbook_lib import tenant", "imports tenant"),
    Planted("clients/graph.py", "from ..session import Session", "imports session"),
    Planted("clients/a/b.py", "from ... import engine", "imports engine"),
    Planted("tenant.py", "from .session import x", "tenant imports session"),
    Planted("engine/run.py", "from runbook_lib.steps import x", "imports steps"),
    Planted("sap/note.py", "from runbook_lib.steps.a import b", "imports steps"),
    Planted(
        "steps/mailbox.py",
        "def f() -> None:\n    from runbook_lib.views.cards import card",
        "mailbox.py:2: steps imports views",
    ),
    Planted(
        "session.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from runbook_lib.engine.step import Step",
        "session.py:3: session imports engine",
    ),
    Planted("engine/run.py", "m = load('runbook_lib.cli.run')", "imports cli"),
    Planted("sandbox/graph.py", "import runbook_lib.errors", "imports errors"),
    Planted("views/a.py", "import runbook_lib.sandbox.state", "imports sandbox"),
    Planted("opening.py", "from runbook_lib.cli import main", "imports cli"),
    Planted("engine/run.py", "import IPython.display", "imports IPython"),
    Planted("steps/a.py", "import httpx", "steps imports httpx"),
    Planted("evidence/a.py", "from pandas import DataFrame", "imports pandas"),
    Planted("session.py", "import os\nx = os.environ['X']", "session.py:2: session"),
    Planted("steps/a.py", "from os import getenv", "steps/a.py:1: steps"),
    Planted("clients/a.py", "import os\nos.getenv('X')", "clients/a.py:2: clients"),
)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.path}: {p.source}")
def test_a_planted_violation_is_found(tmp_path: Path, planted: Planted) -> None:
    """A test that cannot fail would hold for nothing."""
    path = tmp_path / planted.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(planted.source + "\n")
    found = misplaced(tmp_path) + libraries(tmp_path) + environment_reads(tmp_path)
    assert len(found) == 1
    assert planted.found in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("steps/a.py", "from runbook_lib.sap.note import note_state"),
        ("cli/a.py", "import os\nx = os.environ\nfrom runbook_lib.sandbox import b"),
        ("engine/a.py", "from runbook_lib.engine import b\nfrom .c import d"),
        ("views/a.py", "import pandas\nfrom runbook_lib.engine import b"),
        ("errors.py", "'runbook_lib is a package; see runbook_lib.errors of it'"),
    ],
)
def test_what_is_allowed_is_not_found(tmp_path: Path, path: str, source: str) -> None:
    """The rules forbid no more than they say."""
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(source + "\n")
    assert misplaced(tmp_path) + libraries(tmp_path) == []
    assert environment_reads(tmp_path) == []

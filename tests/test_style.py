"""How the code looks: small functions, small modules, documented, light to import."""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "runbook_lib"
TESTS = ROOT / "tests"

MEDIAN, NINE_OF_TEN, LONGEST = 10, 30, 60
LONGEST_MODULE = 300
# Modules of the package that may be longer, each with its reason. None is needed.
LONGER_MODULES: dict[str, str] = {}
CATCH_ALL = frozenset(
    {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
)
HEAVY = ("papermill", "pandas", "msal", "IPython", "ipywidgets", "httpx", "pydantic")
PRINTING = frozenset({"cli", "notebook.py", "relaying.py"})
STOPS = (".", "?", ":", "…")


@dataclass(frozen=True)
class Function:
    """A function or method, where it stands and how many lines it has."""

    where: str
    lines: int


@cache
def trees(folder: Path) -> tuple[tuple[Path, ast.Module], ...]:
    """Return the files under a folder with their syntax trees."""
    paths = sorted(folder.rglob("*.py"))
    return tuple((path, ast.parse(path.read_text("utf-8"))) for path in paths)


def functions(folder: Path) -> Iterator[Function]:
    """Yield every function; its lines are those of its body without docstring.

    A signature that the formatter breaks and a documented contract do not make
    a function hard to read; what it does may.
    """
    for path, tree in trees(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                where = f"{path.relative_to(folder.parent)}:{node.lineno} {node.name}"
                yield Function(where, body_lines(node))


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of lines of a body, from its first statement to its end."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def whole_lines(path: Path) -> int:
    """Return the number of lines of a file."""
    return len(path.read_text("utf-8").splitlines())


def test_there_is_something_to_measure() -> None:
    """Without this, every rule below would hold for nothing."""
    assert len(list(functions(PACKAGE))) > 500
    assert len(list(functions(TESTS))) > 500


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=lambda p: str(p.name))
def test_functions_are_small(folder: Path) -> None:
    """Median, nine of ten, and the longest one."""
    found = sorted(functions(folder), key=lambda function: function.lines)
    lengths = [function.lines for function in found]
    assert statistics.median(lengths) <= MEDIAN
    assert lengths[len(lengths) * 9 // 10] <= NINE_OF_TEN
    assert [f for f in found if f.lines > LONGEST] == []


def test_modules_are_small() -> None:
    """No module of the package is longer, but for the list with its reasons."""
    long = {
        str(path.relative_to(PACKAGE)): whole_lines(path)
        for path, _ in trees(PACKAGE)
        if whole_lines(path) > LONGEST_MODULE
    }
    assert set(long) == set(LONGER_MODULES), long


def test_names_say_what_is_in_a_module() -> None:
    """A module for everything is one for nothing."""
    names = {path.stem for folder in (PACKAGE, TESTS) for path, _ in trees(folder)}
    assert not names & CATCH_ALL


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=lambda p: str(p.name))
def test_no_function_rebinds_a_module(folder: Path) -> None:
    """There is no `global`: no current tenant, no process-wide switch."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    ]
    assert found == []


def undocumented(folder: Path) -> Iterator[str]:
    """Yield what is public and has no docstring."""
    for path, tree in trees(folder):
        if not ast.get_docstring(tree):
            yield str(path)
        yield from (f"{path}:{line}" for line in _undocumented(tree))


def _undocumented(scope: ast.Module | ast.ClassDef) -> Iterator[int]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in scope.body:
        if not isinstance(node, kinds) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield node.lineno
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node)


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=lambda p: str(p.name))
def test_what_is_public_is_documented(folder: Path) -> None:
    """Every module, class, function and method; every test in one sentence."""
    assert list(undocumented(folder)) == []


def test_a_docstring_begins_with_a_sentence() -> None:
    """Its first paragraph ends as a sentence does."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = []
    for path, tree in trees(PACKAGE):
        for node in ast.walk(tree):
            text = ast.get_docstring(node) if isinstance(node, kinds) else None
            if text and not text.partition("\n\n")[0].rstrip('"').endswith(STOPS):
                found.append(f"{path}:{getattr(node, 'lineno', 1)}")
    assert found == []


def test_only_the_joining_row_prints() -> None:
    """Nothing below the notebook writes to the screen by itself."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, tree in trees(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and path.relative_to(PACKAGE).parts[0] not in PRINTING
    ]
    assert found == []


@pytest.mark.parametrize("name", ["runbook_lib", "runbook_lib.cli"])
def test_importing_loads_nothing_heavy(name: str) -> None:
    """`runbook --help` answers at once; what costs is loaded by its command."""
    code = f"import json, sys, {name}; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    loaded = set(json.loads(ended.stdout))
    assert name in loaded
    assert not loaded & set(HEAVY)

"""Parameters: what a notebook declares, what is injected, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook_lib.errors import InputError
from runbook_lib.parameters import (
    OF_THE_RUN,
    Parameters,
    assignments,
    check_parameters,
    split_cells,
)

CELL = 'tenant: str = ""  # path\nmode: str = "plan"\nwait = "120"\n'
DECLARED = ("tenant", "mode", "wait", "run_id", "remove_user_read", "sap_basis")
GOOD = {
    "tenant": "contoso.yaml",
    "mode": "plan",
    "wait": "120",
    "run_id": "",
    "remove_user_read": "no",
    "sap_basis": "758",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('a: str = "x"', {"a": "x"}),
        ('a = "x"\nb = 1', {"a": "x", "b": 1}),
        ('a = b = "x"', {"a": "x", "b": "x"}),
        ("a: str", {"a": None}),
        ("a = call()", {"a": None}),
        ("a = -1", {"a": -1}),
        ('a.b = "x"', {}),
        ('a, b = "xy"', {}),
        ('print("x")', {}),
        ("def broken(:", {}),
        ("%matplotlib inline", {}),
        ("a = {[]: 1}", {"a": None}),
        ("a = {{}: 1}", {"a": None}),
        ("", {}),
    ],
)
def test_assignments_of_a_cell(source: str, expected: dict[str, object]) -> None:
    """Literals only; nothing of the cell is run, and no cell stops the reading."""
    assert assignments(source) == expected


def test_injected_values_are_told_from_declared_ones() -> None:
    """Papermill puts a cell behind the parameters cell."""
    injected = '# Parameters\nmode = "apply"\nunknown = "x"\n'
    assert split_cells(["import x", CELL, injected, "y = 1"]) == (
        {"tenant": "", "mode": "plan", "wait": "120"},
        {"mode": "apply", "unknown": "x"},
    )


def test_of_several_executions_the_last_counts() -> None:
    """In JupyterLab a person changes the cell and runs it again."""
    again = CELL.replace('"plan"', '"apply"')
    declared, injected = split_cells([CELL, '# Parameters\nmode = "verify"', again])
    assert (declared["mode"], injected) == ("apply", {})


def test_without_a_parameters_cell_nothing_is_declared() -> None:
    """A cell that declares only one of tenant and mode is another cell."""
    assert split_cells(['mode = "plan"', "x = 1"]) == ({}, {})


def test_good_parameters_are_texts_without_blanks_around() -> None:
    """What a person pastes with a blank is meant without it."""
    checked = check_parameters(
        DECLARED, {**GOOD, "tenant": " contoso.yaml "}, where="parameters"
    )
    assert checked["tenant"] == "contoso.yaml"
    assert checked["not declared here"] == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"sap_bassis": "758"},
            "sap_bassis: unknown parameter; did you mean sap_basis?",
        ),
        ({"zzz": "1"}, "zzz: unknown parameter"),
        ({"wait": 120}, "wait: 120 is not a text; put it in quotes"),
        ({"tenant": None}, "tenant: None is not a text"),
        ({"remove_user_read": True}, "remove_user_read: True is not a text"),
        ({"mode": "aply"}, "mode: 'aply' is not a mode"),
        ({"mode": "Apply"}, "mode: 'Apply' is not a mode"),
        ({"mode": ""}, "mode: '' is not a mode"),
        ({"run_id": "../other"}, "run_id: '../other' is not a run id"),
        ({"run_id": "a/b"}, "run_id: 'a/b' is not a run id"),
        ({"run_id": ".."}, "run_id: '..' is not a run id"),
        ({"run_id": "a:b"}, "run_id: 'a:b' is not a run id"),
        ({"run_id": "a" * 81}, "is not a run id"),
        ({"remove_user_read": "true"}, "remove_user_read: 'true'"),
        ({"wait": "2m"}, "wait: '2m' is not a number of seconds"),
        ({"wait": "-1"}, "wait: '-1' is not a number of seconds"),
        ({"wait": "1e9"}, "wait: '1e9' is not a number of seconds"),
    ],
)
def test_wrong_parameters_are_named(change: dict[str, object], message: str) -> None:
    """One line with the place and the name, and a remedy; exit code 2."""
    with pytest.raises(InputError) as caught:
        check_parameters(DECLARED, {**GOOD, **change}, where="command line")
    assert caught.value.message.startswith("command line: ")
    assert message in caught.value.message
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_missing_parameters_are_named() -> None:
    """All of them at once."""
    with pytest.raises(InputError) as caught:
        check_parameters(DECLARED, {"mode": "plan"}, where="parameters")
    assert len(caught.value.message.splitlines()) == len(DECLARED) - 1


def test_the_digest_is_over_what_the_run_makes() -> None:
    """How a run is made does not change what is approved."""
    digest = Parameters(GOOD).digest()
    for name in OF_THE_RUN:
        assert Parameters({**GOOD, name: "other"}).digest() == digest, name
    assert Parameters({**GOOD, "sap_basis": "816"}).digest() != digest
    assert Parameters(dict(reversed(GOOD.items()))).digest() == digest


def test_no_two_sets_of_values_have_one_digest() -> None:
    """A line end inside a value does not make it another parameter."""
    one = Parameters({"a": "x\nb=y", "b": "z"})
    two = Parameters({"a": "x", "b": "y\nb=z"})
    assert one.digest() != two.digest()


def test_a_notebook_declares_what_the_library_knows_of_a_run() -> None:
    """Names in the library and in the notebooks do not drift apart."""
    root = Path(__file__).resolve().parents[1]
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = [
            "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]
        ]
        declared, _ = split_cells(cells)
        assert {"tenant", "mode", "run_id", "outputs"} <= set(declared)
        check_parameters(declared, declared, where=path.name)

"""docs/sandbox-sap.md says what the code does: methods, sets, conditions, users."""

import re
from pathlib import Path

import pytest

from runbook_lib.sandbox.btp_communication_types import SERVICES, UNCERTAIN
from runbook_lib.sandbox.sap_conditions import CONDITIONS
from runbook_lib.sandbox.sapcontrol_methods import METHODS
from runbook_lib.sandbox.seed_sap import USERS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "sandbox-sap.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """Return what stands in the first column under a heading, without its head."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", part, re.M)


def test_methods() -> None:
    """Each is listed, with the parameters that it takes and whether it is open."""
    assert first_cells("Start service") == list(METHODS)
    for name, method in METHODS.items():
        line = next(line for line in PAGE.splitlines() if f"| `{name}` |" in line)
        assert all(f"`{part}`" in line for part in (*method.takes, *method.gives))
        assert line.endswith("asked for |") == method.protected


def test_services() -> None:
    """Each service with all its sets."""
    assert first_cells("Communication management") == list(SERVICES)
    for service, sets in SERVICES.items():
        line = next(line for line in PAGE.splitlines() if f"| `{service}` |" in line)
        assert all(f"`{name}`" in line for name in sets)


def test_conditions() -> None:
    """In the order of the code."""
    assert first_cells("Conditions") == list(CONDITIONS)


@pytest.mark.parametrize("name", [*USERS, *(u.partition(" ")[0] for u in UNCERTAIN)])
def test_users_and_uncertain_names(name: str) -> None:
    """Who may sign in, and which names are guesses."""
    assert f"`{name}`" in PAGE

"""What a pasted text says about an SAP Note: the worst reading counts."""

from __future__ import annotations

import pytest

from runbook_lib.sap.note import STATES, delivered_by, note_state

NOTE = "3581654"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "form",
    ["{note}  OAuth for SMTP  {state}", "{note}\n{state}", "Note 000{note}: {state}"],
)
def test_every_state_is_read(state: str, form: str) -> None:
    """Beside the number or in the line below, in any case."""
    text = form.format(note=NOTE, state=state.capitalize())
    assert note_state(text, NOTE) == state


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("Completely implemented", None),
        ("3581654 was downloaded", None),
        ("3592080 Completely implemented", None),
        ("13581654 Completely implemented", None),
        ("35816549 Completely implemented", None),
        ("3581654\n\nCompletely implemented", None),
        ("3581654 not completely implemented", "not completely implemented"),
        ("3581654 Incompletely implemented", "incompletely implemented"),
        ("3581654 Cannot be implemented", "cannot be implemented"),
        ("3581654 Can be implemented", "can be implemented"),
        ("3581654 Obsolete version implemented", "obsolete version implemented"),
        (
            "3592080 Can be implemented\n3581654 Completely implemented\n",
            "completely implemented",
        ),
    ],
)
def test_only_the_named_note_counts(text: str, expected: str | None) -> None:
    """Another note's state, or a state that negates itself, is not a yes."""
    assert note_state(text, NOTE) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("Completely implemented", "Can be implemented"), "can be implemented"),
        (("Can be implemented", "Completely implemented"), "can be implemented"),
        (("Completely implemented", "Obsolete"), "obsolete"),
        (("Cannot be implemented", "Not implemented"), "not implemented"),
        (
            ("Completely implemented", "Completely implemented"),
            "completely implemented",
        ),
    ],
)
def test_the_worst_of_several_readings_counts(
    states: tuple[str, str], expected: str
) -> None:
    """A text that contradicts itself proves nothing."""
    text = "".join(f"{NOTE} OAuth {state}\n\n" for state in states)
    assert note_state(text, NOTE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3581654 is contained in SAPK-75027INSAPBASIS", "SAPK-75027INSAPBASIS"),
        ("SAPKB75027 includes note 3581654", "SAPKB75027"),
        (
            "3581654 Cannot be implemented\nSAPK-75027INSAPBASIS",
            "SAPK-75027INSAPBASIS",
        ),
        ("3581654 delivered with SAPK-75802INSAPBASIS.", "SAPK-75802INSAPBASIS"),
        ("3581654 is not contained in SAPK-75027INSAPBASIS", None),
        ("3581654 is not yet delivered with SAPK-75027INSAPBASIS", None),
        ("3581654 valid from SAPK-75020INSAPBASIS to SAPK-75026INSAPBASIS", None),
        ("3581654 Can be implemented, level SAPK-75026INSAPBASIS", None),
        ("3592080 is contained in SAPK-75027INSAPBASIS", None),
        ("3581654 is contained in our system", None),
        ("", None),
    ],
)
def test_a_support_package_that_contains_the_note(
    text: str, expected: str | None
) -> None:
    """It has to be said; a package that is only mentioned proves nothing."""
    assert delivered_by(text, NOTE) == expected

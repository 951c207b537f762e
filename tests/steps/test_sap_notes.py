"""The attestation that the note is implemented: what was pasted decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import Evidence, NothingToDo
from runbook_lib.steps.sap_notes import STATE, SapNotesImplemented
from tests.steps.fakes import FakeSession, seen_as

STEP = SapNotesImplemented()
SESSION = seen_as(FakeSession())


def evidence(text: str, *files: Path) -> Evidence:
    """Return evidence with a text."""
    return Evidence("A. Basis", "2026-11-25", "CHG1", text, files)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("3581654  OAuth for SMTP  Completely implemented", "completely implemented"),
        (
            "3581654 is contained in SAPK-75027INSAPBASIS",
            "contained in support package",
        ),
        (
            "3581654 Cannot be implemented\nSAPK-75027INSAPBASIS contains it",
            "contained in support package",
        ),
    ],
)
def test_good_texts(text: str, state: str) -> None:
    """Implemented, or in a support package that is named."""
    seen = STEP.validate(SESSION, evidence(text))
    assert met(STEP.expect(), seen.properties)
    assert seen.properties[STATE] == state
    assert seen.vantage == "as stated by a person"
    assert seen.advice is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("3581654 Can be implemented", "can be implemented"),
        ("3581654 Incompletely implemented", "incompletely implemented"),
        ("3581654 not completely implemented", "not completely implemented"),
        ("3581654 Cannot be implemented", "cannot be implemented"),
        ("3581654 Obsolete", "obsolete"),
        ("It is done.\n3581654 Can be implemented", "can be implemented"),
        (
            "3581654 Completely implemented\n\n3581654 De-implemented",
            "de-implemented",
        ),
        (
            "3581654 Can be implemented, contained in SAPK-75027INSAPBASIS",
            "can be implemented",
        ),
    ],
)
def test_contradicting_texts(text: str, state: str) -> None:
    """Whatever the person states beside it."""
    seen = STEP.validate(SESSION, evidence(text))
    assert not met(STEP.expect(), seen.properties)
    assert seen.properties[STATE] == state


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes, all notes are in.",
        "3581654",
        "3592080 Completely implemented",
        "3581654 is not contained in SAPK-75027INSAPBASIS",
    ],
)
def test_silent_texts(text: str) -> None:
    """They do not pass, and the card says what is missing."""
    seen = STEP.validate(SESSION, evidence(text))
    assert not met(STEP.expect(), seen.properties)
    assert seen.properties[STATE] is None
    assert "does not name note 3581654" in str(seen.advice)


@pytest.mark.parametrize("name", ["snote.txt", "snote.TXT", "snote.csv", "x.log"])
def test_attached_texts_are_read(tmp_path: Path, name: str) -> None:
    """An export counts like a paste."""
    path = tmp_path / name
    path.write_text("3581654;Completely implemented\n")
    seen = STEP.validate(SESSION, evidence("see file", path))
    assert met(STEP.expect(), seen.properties)


def test_screenshots_are_kept_and_not_read(tmp_path: Path) -> None:
    """Whatever bytes they hold."""
    path = tmp_path / "snote.png"
    path.write_text("3581654 Completely implemented")
    seen = STEP.validate(SESSION, evidence("see picture", path))
    assert not met(STEP.expect(), seen.properties)


def test_another_note_can_be_asked_for() -> None:
    """The number is an input."""
    step = SapNotesImplemented(note="3592080")
    text = "3592080 Completely implemented\n\n3581654 Can be implemented"
    assert met(step.expect(), step.validate(SESSION, evidence(text)).properties)


CERTIFICATE = SapNotesImplemented(credential="certificate")
FIRST, SECOND = "3581654 Completely implemented", "3592080 Completely implemented"


def test_a_certificate_needs_both_notes() -> None:
    """One note alone is not enough, and the advice names the other one."""
    both = CERTIFICATE.validate(SESSION, evidence(f"{FIRST}\n\n{SECOND}"))
    assert met(CERTIFICATE.expect(), both.properties)
    assert both.advice is None
    for text, missing in ((FIRST, "3592080"), (SECOND, "3581654")):
        seen = CERTIFICATE.validate(SESSION, evidence(text))
        assert not met(CERTIFICATE.expect(), seen.properties)
        assert seen.advice == f"The text does not name note {missing} with its state."


def test_the_state_of_each_note_is_its_own() -> None:
    """A note that is implemented does not lend its state to the other one."""
    text = f"{FIRST}\n\n3592080 Can be implemented"
    seen = CERTIFICATE.validate(SESSION, evidence(text))
    assert seen.properties == {
        STATE: "completely implemented",
        f"{STATE} of 3592080": "can be implemented",
    }


@pytest.mark.parametrize("product", ["btp-abap", "s4-public"])
def test_products_in_the_cloud_have_no_notes(product: str) -> None:
    """Nobody waits for the SNOTE of a system that has none."""
    with pytest.raises(NothingToDo):
        SapNotesImplemented(product=product).applicable()

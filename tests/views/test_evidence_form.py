"""Evidence: what is taken in, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.engine.step import (
    Evidence,
    Mode,
)
from runbook_lib.views.evidence_form import LARGEST, check
from runbook_lib.views.panel import Panel
from tests.views.desk import (
    SapNotesImplemented,
    Scripted,
    click,
    make,
    status,
)
from tests.views.samples import evidence, note


def fill(panel: Panel, **values: str) -> Any:
    """Fill the evidence form, and return it."""
    form = panel.form
    assert form is not None
    for name, value in values.items():
        form.fields[name].value = value
    return form


def test_evidence_is_handed_in_and_judged() -> None:
    """One click takes text, a named file and an upload, and then verifies."""
    controls = Scripted(note())
    panel = make(controls, SapNotesImplemented())
    form = fill(panel, who="A. Basis", when="2026-11-24 09:30", reference="CHG1")
    form.text.value = "3581654 implemented"
    form.upload.value = (
        {
            "name": "../../snote.txt",
            "type": "text/plain",
            "size": 3,
            "content": memoryview(b"abc"),
            "last_modified": datetime(2026, 11, 24, tzinfo=UTC),
        },
    )
    click(panel, "Hand in")
    assert controls.asked == [Mode.VERIFY]
    (handed,) = controls.handed
    assert (handed.who, handed.reference) == ("A. Basis", "CHG1")
    assert [path.name for path in handed.files] == ["snote.txt"]
    assert form.upload.value == ()
    assert form.text.value == ""
    assert "Attested by A. Basis" in panel.twin.live.value


def test_incomplete_evidence_is_not_handed_in() -> None:
    """Who, when and the evidence itself are asked for, one sentence each."""
    controls = Scripted()
    panel = make(controls, SapNotesImplemented())
    click(panel, "Hand in")
    assert "“Who looked” is empty" in status(panel)
    fill(panel, who="A. Basis")
    click(panel, "Hand in")
    assert "“When (UTC)” is empty" in status(panel)
    form = fill(panel, when="2026-11-24")
    click(panel, "Hand in")
    assert "There is no evidence yet" in status(panel)
    form.paths.value = "/nowhere/snote.txt"
    click(panel, "Hand in")
    assert "cannot be read" in status(panel)
    assert form.paths.value == "/nowhere/snote.txt"
    assert controls.handed == []


def test_private_keys_and_huge_files_are_refused(tmp_path: Path) -> None:
    """A private key is never taken in, and a file has at most 5 MB."""
    key, huge = tmp_path / "key.pem", tmp_path / "huge.log"
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    huge.write_bytes(b"x" * (LARGEST + 1))
    stated = vars(evidence())
    with pytest.raises(Exception, match="private key"):
        check(Evidence(**{**stated, "files": (key,)}))
    with pytest.raises(Exception, match="larger than 5 MB"):
        check(Evidence(**{**stated, "files": (huge,)}))
    check(evidence())

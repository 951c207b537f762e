"""Attestations: evidence is taken in, kept with its digest, and judged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

import pytest

from runbook_lib.engine.attestations import (
    attach,
    attached,
    read_evidence,
    readable,
)
from runbook_lib.engine.step import Evidence, Mode, Outcome
from runbook_lib.errors import InputError
from tests.engine.world import Bench, Statement

WHO = Evidence("A. Basis", "2026-11-25 10:00", "CHG1", "done")


def hand_in(bench: Bench, evidence: Evidence) -> None:
    """Attach evidence for the statement."""
    attach(bench.record, bench.mode, "statement", evidence)


def with_text(text: str) -> Evidence:
    """Return evidence with another text."""
    return Evidence(WHO.who, WHO.when, WHO.reference, text)


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.PLAN, Outcome.PLANNED),
        (Mode.APPLY, Outcome.PENDING),
        (Mode.VERIFY, Outcome.PENDING),
    ],
)
def test_without_evidence_a_step_waits(
    bench: Bench, mode: Mode, outcome: Outcome
) -> None:
    """Waiting for a person is never a pass."""
    result = bench.run(Statement(), mode)
    assert (result.outcome, result.event["action"]) == (outcome, "manual")
    assert result.event["remedy_id"] == "statement"


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.APPLY, Mode.VERIFY])
def test_good_evidence_is_attested(bench: Bench, mode: Mode) -> None:
    """The record says who, when and under which reference, as stated."""
    hand_in(bench, WHO)
    result = bench.run(Statement(), mode)
    assert result.outcome is Outcome.OK
    assert result.event["attested"] == {
        "who": "A. Basis",
        "when": "2026-11-25 10:00",
        "reference": "CHG1",
        "files": [],
    }


def test_contradicting_evidence_fails(bench: Bench) -> None:
    """Whatever the person states, what was handed in decides."""
    hand_in(bench, with_text("not done"))
    result = bench.run(Statement())
    assert result.outcome is Outcome.FAILED
    assert result.problem == "says is not done, expected done"
    assert result.event["attested"]


def test_the_evidence_handed_in_last_counts(bench: Bench) -> None:
    """All of it is kept."""
    hand_in(bench, with_text("not done"))
    hand_in(bench, WHO)
    assert bench.run(Statement()).outcome is Outcome.OK
    folder = bench.record.folder / "evidence" / "statement"
    assert sorted(p.name for p in folder.iterdir()) == [
        "1-statement.txt",
        "2-statement.txt",
    ]


def test_evidence_of_another_step_does_not_count(bench: Bench) -> None:
    """A step reads its own evidence only."""
    attach(bench.record, Mode.APPLY, "other", WHO)
    assert bench.run(Statement()).outcome is Outcome.PENDING


def test_text_and_files_are_kept_with_their_digests(
    bench: Bench, tmp_path: Path
) -> None:
    """Copies, readable by the owner only, under the record's folder."""
    picture = tmp_path / "snote.png"
    picture.write_bytes(b"\x89PNG")
    hand_in(bench, Evidence("A", "today", "CHG1", "done", (picture,)))
    event = cast("dict[str, Any]", bench.record.events[-1])
    assert event["event"] == "evidence.attached"
    for kept in (event["text"], *event["files"]):
        path = bench.record.folder / kept["path"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == kept["sha256"]
        assert path.stat().st_mode & 0o777 == 0o600
    picture.unlink()
    found = attached(bench.record, "statement")
    assert found is not None
    assert found.text == "done"
    assert [path.read_bytes() for path in found.files] == [b"\x89PNG"]


def test_files_of_one_name_are_both_kept(bench: Bench, tmp_path: Path) -> None:
    """Two screenshots from two folders do not overwrite each other."""
    paths = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shot.png").write_text(name)
        paths.append(tmp_path / name / "shot.png")
    hand_in(bench, Evidence("A", "today", "CHG1", "done", tuple(paths)))
    found = attached(bench.record, "statement")
    assert found is not None
    assert [path.read_text() for path in found.files] == ["a", "b"]


def test_a_missing_attachment_is_named_and_can_be_corrected(
    bench: Bench, tmp_path: Path
) -> None:
    """Nothing is attached; handing in again works."""
    missing = Evidence("A", "today", "CHG1", "done", (tmp_path / "gone.png",))
    with pytest.raises(InputError, match=r"gone\.png"):
        hand_in(bench, missing)
    assert attached(bench.record, "statement") is None
    (tmp_path / "gone.png").write_bytes(b"here now")
    hand_in(bench, missing)
    assert bench.run(Statement()).outcome is Outcome.OK


def test_evidence_survives_a_kill(bench: Bench) -> None:
    """A resumed run finds it in its record."""
    hand_in(bench, WHO)
    bench.kill_and_resume()
    assert bench.run(Statement()).outcome is Outcome.OK


def test_evidence_prepared_in_a_folder(tmp_path: Path) -> None:
    """One YAML file per step; files are relative to it; times may be plain."""
    (tmp_path / "send-it-internal.yaml").write_text(
        "who: A. Basis\nwhen: 2026-11-25 10:00:00\nreference: CHG1\n"
        "text: |\n  3581654 Completely implemented\nfiles: [shot.png]\n"
    )
    found = read_evidence(tmp_path, "send-it:internal")
    assert found == Evidence(
        "A. Basis",
        "2026-11-25 10:00:00",
        "CHG1",
        "3581654 Completely implemented\n",
        (tmp_path / "shot.png",),
    )


def test_no_evidence_was_prepared(tmp_path: Path) -> None:
    """A folder without the step's file holds nothing for it."""
    assert read_evidence(tmp_path, "statement") is None


def test_wrong_evidence_file_is_named(tmp_path: Path) -> None:
    """Key, file and line, as for every YAML file."""
    (tmp_path / "statement.yaml").write_text("who: A\nwhn: today\n")
    with pytest.raises(InputError, match=r"statement\.yaml:2: whn: unknown key"):
        read_evidence(tmp_path, "statement")


def test_evidence_is_redacted_before_it_is_written(
    bench: Bench, tmp_path: Path
) -> None:
    """Neither the statement nor an attached text is ever on disk as it was."""
    note, picture = tmp_path / "list.txt", tmp_path / "screen.png"
    note.write_bytes("SCOT of jane@contoso.com, Grüße".encode("utf-16"))
    picture.write_bytes(b"\x89PNG\x00jane@contoso.com")
    evidence = Evidence("A", "B", "C", "jane@contoso.com did it", (note, picture))
    attach(
        bench.record,
        Mode.APPLY,
        "statement",
        evidence,
        lambda text: text.replace("jane", "•••"),
    )
    found = attached(bench.record, "statement")
    assert found is not None
    assert found.text == "•••@contoso.com did it"
    texts = [path.read_bytes() for path in found.files]
    assert texts[0] == "SCOT of •••@contoso.com, Grüße".encode()
    assert texts[1] == picture.read_bytes()


@pytest.mark.parametrize(
    ("data", "suffix", "text"),
    [
        ("Grüße".encode(), ".txt", "Grüße"),
        ("Grüße".encode("cp1252"), ".txt", "Grüße"),
        ("Grüße".encode("cp1252"), ".cer", None),
        ("Grüße".encode("utf-16"), ".txt", "Grüße"),
        (b"\x30\x82\x00\x01", ".cer", None),
        (b"a\x00b", ".txt", None),
    ],
)
def test_what_is_a_text(data: bytes, suffix: str, text: str | None) -> None:
    """Lists come in three encodings; what is no text is left alone."""
    assert readable(data, suffix) == text


class Extra(Statement):
    """A statement without which a run only lacks something."""

    def left_out(self) -> str | None:
        """Say what is lacking."""
        return "The proof lacks it."


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.PLAN, Outcome.PLANNED),
        (Mode.APPLY, Outcome.SKIPPED),
        (Mode.VERIFY, Outcome.SKIPPED),
    ],
)
def test_evidence_that_may_be_left_out_holds_nobody_up(
    bench: Bench, mode: Mode, outcome: Outcome
) -> None:
    """It is skipped by choice, says what is lacking, and is judged where it is."""
    result = bench.run(Extra(), mode)
    assert result.outcome is outcome
    if mode is not Mode.PLAN:
        assert result.event["reason"] == "user_choice"
        assert result.problem == "The proof lacks it."
    attach(bench.record, bench.mode, "extra", with_text("not done"))
    assert bench.run(Extra(), mode).outcome is Outcome.FAILED

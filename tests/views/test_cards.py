"""A card says what its event says, for every outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook_lib.engine.chain import Event
from runbook_lib.engine.step import Outcome
from runbook_lib.views import limits, story
from runbook_lib.views.cards import card_html, card_text
from tests.views.html_reader import Page, words
from tests.views.samples import (
    add_end,
    changed,
    end,
    mailbox_check,
    new_record,
    note,
    sign_in,
)

NAME = "SmtpClientAuthenticationDisabled"


WORDS = {
    "ok": "As expected",
    "changed": "Changed and read back",
    "planned": "Planned",
    "pending": "Waiting for replication",
    "skipped": "Skipped",
    "blocked": "Blocked",
    "failed": "Failed",
    "error": "Could not look",
    "reverted": "Reverted",
}


def test_every_outcome_has_its_words() -> None:
    """The table of this test knows all outcomes of the engine."""
    assert set(WORDS) == {str(outcome) for outcome in Outcome}


@pytest.mark.parametrize("full", [False, True], ids=["notebook", "report"])
@pytest.mark.parametrize("outcome", list(WORDS))
def test_outcome_is_said_in_words(outcome: str, full: bool) -> None:
    """The badge says the outcome by a word, and the card is sound HTML."""
    page = Page(card_html(end(outcome), full=full))
    assert WORDS[outcome] in page.text
    assert page.headings == [(3 if full else 4, "Activate SMTP AUTH for the mailbox")]
    assert "script" not in page.tags
    assert page.resources == []
    assert all(header.get("scope") in ("col", "row") for header in page.headers)
    assert card_text(end(outcome)).startswith(
        f"Activate SMTP AUTH for the mailbox: {outcome}"
    )


def test_a_change_shows_before_expected_now() -> None:
    """Null, false and the sign of the change stand in the row of the property."""
    said = words(card_html(changed()))
    assert "Property Before Expected Now Compared" in said
    assert f"{NAME} null false false + set" in said
    assert card_text(changed()).splitlines()[1] == (
        f"  + {NAME}: before null, expected false, now false (set)"
    )


@pytest.mark.parametrize(
    ("event", "mark"),
    [
        (changed(before={NAME: True}), "~ changed"),
        (changed(before={NAME: False}), "= stayed"),
        (end("ok", after={NAME: False}), "= as expected"),
        (end("failed", after={NAME: True}), "≠ differs"),
        (end("failed", after={NAME: None}), "≠ differs"),
        (end("planned", before={NAME: None}), "+ will be set"),
        (end("planned", before={NAME: True}), "~ will change"),
        (end("planned", before={NAME: False}), "= stays"),
        (end("planned", before={NAME: True}, expected={NAME: None}), "− will be"),
        (end("error"), "· not known"),
    ],
)
def test_rows_are_marked_by_sign_and_word(event: Event, mark: str) -> None:
    """A reader who sees no colour sees which rows differ, in HTML and in text."""
    assert mark in words(card_html(event))
    sign, word = mark.split(" ", 1)
    row = card_text(event).splitlines()[1]
    assert row.startswith(f"  {sign} ")
    assert word in row


def test_differing_row_is_heavier_without_a_style_sheet() -> None:
    """The mark of a differing row carries its weight inline."""
    html = card_html(end("failed", after={NAME: True}), styled=False)
    assert "font-weight:600" in html.split("≠ differs")[0].rsplit("<td", 1)[1]


@pytest.mark.parametrize(
    ("expected", "now", "mark"),
    [
        ({"one of": ["a", "b"]}, "b", "= as expected"),
        ({"one of": ["a", "b"]}, "c", "≠ differs"),
        ({"including": ["a"]}, ["z", "a"], "= as expected"),
        ({"including": ["a"]}, ["z"], "≠ differs"),
        ({"present": True}, "x", "= as expected"),
        ({"present": True}, None, "≠ differs"),
        ({"at least": 4}, 3, "≠ differs"),
        ({"known after apply": "a.b"}, None, "≠ differs"),
        (False, 0, "≠ differs"),
    ],
)
def test_recorded_expectations_are_compared_as_the_engine_does(
    expected: object, now: object, mark: str
) -> None:
    """Matchers keep their meaning when they come back from the record."""
    event = end("ok", kind="Check", expected={"p": expected}, after={"p": now})
    assert mark in words(card_html(event))


def test_observed_beside_the_expectation_is_not_compared() -> None:
    """A property that is seen but not expected to be anything says so."""
    said = words(card_html(changed(after={NAME: False, "Identity": "sap"})))
    assert "Identity null (any) sap · seen" in said


def test_problem_remedy_and_link() -> None:
    """A failed step shows the problem, one remedy and where more is written."""
    event = end(
        "failed",
        after={NAME: True},
        problem="SMTP AUTH is off.",
        remedy="Switch it on.",
        remedy_id="smtp-auth-disabled-mailbox",
    )
    page = Page(card_html(event))
    assert "Problem: SMTP AUTH is off.Remedy: Switch it on.More:" in page.text
    assert page.links == ["../docs/troubleshooting.md#smtp-auth-disabled-mailbox"]
    assert "remedy: Switch it on." in card_text(event)


def test_advice_vantage_and_adoption_are_marked() -> None:
    """What works but should not stay, from where it was seen, and what is not ours."""
    event = mailbox_check(
        advice="Expires soon.", vantage="this machine", action="adopt"
    )
    said = words(card_html(event))
    assert "Advice: Expires soon." in said
    assert "Seen from: this machine" in said
    assert "Adopted: this object stood here before" in said
    assert "(adopted)" in said


def test_a_missing_object_is_null_in_every_column() -> None:
    """What is created had no properties before; what is deleted has none after."""
    created = changed(before={}, after={NAME: False}, action="create")
    assert f"{NAME} null false false + set" in words(card_html(created))
    deleted = end("reverted", before={NAME: False}, expected={NAME: None}, after={})
    assert f"{NAME} false null null − cleared" in words(card_html(deleted))


def test_backquotes_become_code() -> None:
    """A command named in a sentence is set as code; an odd backquote stays."""
    html = card_html(mailbox_check(advice="Run `runbook probe` <there>."))
    assert "Run <code>runbook probe</code> &lt;there&gt;." in html
    assert "a ` b" in words(card_html(mailbox_check(advice="a ` b")))


def test_confirmed_by_observation_is_said() -> None:
    """A write whose answer was lost is not shown as an ordinary one."""
    assert "Confirmed by observation" in card_html(changed(confirmed="observed"))


def test_attested_is_never_verified() -> None:
    """An attested step names the person, and nothing on it says verified."""
    said = words(card_html(note(), full=True))
    assert "✎ Attested by A. Basis" in said
    assert "Stated by a person, not measured" in said
    assert "erified" not in said
    assert "As expected" not in said


MEASURED: dict[str, Any] = {
    "service": "sapcontrol",
    "vantage": "this computer, by sapcontrol (https://a:50014)",
}


def test_measured_names_the_interface() -> None:
    """An attestation that nobody had to make names no person."""
    said = words(card_html(note(**MEASURED, attested=None), full=True))
    assert "✔ Measured by sapcontrol" in said
    assert "Seen from" in said
    assert "Attested" not in said
    assert "Stated by" not in said


def test_measured_in_part_names_both() -> None:
    """What a person said stays that person's word."""
    said = words(card_html(note(**MEASURED), full=True))
    assert "✎ Attested by A. Basis, in part measured by sapcontrol" in said
    assert "Stated by a person, not measured" in said
    assert "https://a:50014" in said


@pytest.mark.parametrize(
    ("fields", "by_word"),
    [({"attested": None, **MEASURED}, False), (MEASURED, True), ({}, True)],
)
def test_limits_tell_measured_from_attested(
    tmp_path: Path, fields: dict[str, Any], by_word: bool
) -> None:
    """A step that rests on somebody's word in part is not called measured."""
    record = new_record(tmp_path / "example")
    add_end(record, note(**fields), mode="verify")
    events = record.events
    record.close()
    assert bool(story.stated(events)) is by_word
    assert bool(story.measured(events)) is not by_word
    said = "; that it is the system that sends is not proven."
    assert any(said in one for one in limits.unproven(events)) is bool(fields)


def test_pending_attestation_waits_for_a_person() -> None:
    """An attestation without evidence does not claim to wait for replication."""
    event = note("pending", problem="Waiting for evidence from a person.")
    assert "☐ Waiting for evidence from a person" in words(card_html(event))


def test_skip_reason_in_words() -> None:
    """A skipped step says why, in words."""
    assert "Skipped: this run changed nothing" in words(
        card_html(sign_in("skipped", reason="nothing_changed"))
    )


def test_a_check_has_no_before() -> None:
    """A step that never writes shows no before."""
    assert "Property Expected Now Compared" in words(card_html(mailbox_check()))

"""A card says what its event says, for every outcome."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import KnownAfterApply, State
from runbook_lib.engine.step import Change, Outcome
from runbook_lib.views.cards import card_html, card_text, waiting_card, waiting_text
from tests.views.html_reader import Page, words
from tests.views.samples import changed, end, mailbox_check, note, sign_in

NAME = "SmtpClientAuthenticationDisabled"
HOSTILE = "<script>alert(1)</script>\"' onload=x"
LOOKS_LIKE_A_TIME = re.compile(r"\d\d:\d\d|\d{4}-\d\d-\d\dT|\d+ ?(ms|s|seconds)\b")

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


def test_report_card_stands_alone() -> None:
    """In the report the remedy's place is named, not linked, and times are shown."""
    event = end("pending", problem="Waiting.", remedy_id="x", until="2026-11-25T12:00Z")
    page = Page(card_html(event, full=True))
    assert page.links == []
    assert "docs/troubleshooting.md#x" in page.text
    assert "2026-11-25T12:00Z" in page.text
    assert "event 7 of events.ndjson" in page.text


HOSTILE_EVENTS = [
    end(
        "failed",
        title=HOSTILE,
        step=HOSTILE,
        problem=HOSTILE,
        remedy=HOSTILE,
        remedy_id='"><script>alert(1)</script>',
        advice=HOSTILE,
        vantage=HOSTILE,
        expected={HOSTILE: HOSTILE},
        before={HOSTILE: [HOSTILE]},
        after={HOSTILE: {HOSTILE: HOSTILE}},
        context={HOSTILE: HOSTILE},
        facts={HOSTILE: HOSTILE},
    ),
    end("skipped", reason=HOSTILE, kind=HOSTILE),
    note(
        attested={
            "who": HOSTILE,
            "when": HOSTILE,
            "reference": HOSTILE,
            "files": [HOSTILE],
        }
    ),
]


@pytest.mark.parametrize("full", [False, True], ids=["notebook", "report"])
@pytest.mark.parametrize("event", HOSTILE_EVENTS)
def test_hostile_fields_stay_text(event: Event, full: bool) -> None:
    """Markup in any field is shown, never obeyed."""
    page = Page(card_html(event, full=full))
    assert "script" not in page.tags
    assert page.handlers == []
    assert "<script>alert(1)</script>" in page.text


def test_context_is_folded_and_facts_stay_out_of_notebooks() -> None:
    """Context is folded away; measured facts appear in the report only."""
    event = mailbox_check(facts={"request-id": "r-1", "traceback": "File secret.py"})
    notebook, report = card_html(event), card_html(event, full=True)
    assert "<details><summary>Also seen, never compared or written" in notebook
    assert "r-1" not in notebook
    assert "r-1" in report
    assert "secret.py" not in report


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


TIMELY = changed(
    after={NAME: False, "endDateTime": "2027-05-24T10:00:00Z"},
    context={"WhenChanged": "2026-11-25T09:59:59.123Z"},
    problem="replicating since 2026-11-25T10:00:07.000Z",
    until="2026-11-25T12:00:00.000Z",
    facts={"duration": "1.5 s", "date": "Wed, 25 Nov 2026 10:00:07 GMT"},
)


@pytest.mark.parametrize("event", [TIMELY, changed(), sign_in(), note("pending")])
def test_nothing_in_a_notebook_looks_like_a_time(event: Event) -> None:
    """A notebook that is made again is the same: no time, duration or digest."""
    for shown in (card_text(event), words(card_html(event))):
        assert not LOOKS_LIKE_A_TIME.search(shown), shown
        assert "events.ndjson" not in shown


def test_cards_do_not_depend_on_when_they_were_recorded() -> None:
    """Two runs with other clocks and places in the chain give the same card."""
    first = changed()
    second = {**first, "time": "2027-01-01T00:00:00.000Z", "seq": 99, "run": "other"}
    assert card_html(first) == card_html(second)
    assert card_text(first) == card_text(second)


@dataclass(frozen=True)
class Bound(Change):
    """A step with an input that an earlier step provides."""

    title = "Bind"
    guide = "bind"
    app_id: KnownAfterApply

    def expect(self) -> State:
        """Expect the reference itself."""
        return {"AppId": self.app_id}


BOUND = Bound(KnownAfterApply("register-application", "appId"))


def test_unended_step_shows_its_expectation_and_no_result() -> None:
    """Before anything ran, the card shows what is expected, references included."""
    said = words(waiting_card(BOUND, None))
    assert "○ Not started" in said
    assert "AppId known after apply register-application.appId" in said
    assert waiting_text(BOUND, None) == "Bind: Not started"


def test_begun_step_says_that_it_may_be_interrupted() -> None:
    """A begin without an end is neither a success nor a failure."""
    begun = {"before": {"AppId": None}, "expected": {"AppId": "a"}, "kind": "Change"}
    said = words(waiting_card(BOUND, begun))
    assert "Under way, or interrupted: look again with Verify." in said
    assert "AppId null a · not known" in said
    assert waiting_text(BOUND, begun) == "Bind: Under way, or interrupted"

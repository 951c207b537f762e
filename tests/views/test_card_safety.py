"""What a card must not do: obey markup, or hold what a notebook may not."""

from __future__ import annotations

import re

import pytest

from runbook_lib.engine.chain import Event
from runbook_lib.views.cards import card_html, card_text
from tests.views.html_reader import Page, words
from tests.views.samples import changed, end, mailbox_check, note, sign_in

NAME = "SmtpClientAuthenticationDisabled"


HOSTILE = "<script>alert(1)</script>\"' onload=x"


LOOKS_LIKE_A_TIME = re.compile(r"\d\d:\d\d|\d{4}-\d\d-\d\dT|\d+ ?(ms|s|seconds)\b")


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

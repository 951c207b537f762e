"""Values are shown exactly, and nothing in them can mislead."""

from __future__ import annotations

import pytest

from runbook_lib.engine.expect import KnownAfterApply, plain
from runbook_lib.views.rendering import (
    LONGEST_LIST,
    LONGEST_TEXT,
    soft,
    value_html,
    value_text,
    visible,
    without_times,
)
from tests.views.html_reader import Page, words

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (587, "587"),
        ("", '""'),
        ("null", '"null"'),
        ("false", '"false"'),
        ("587", '"587"'),
        (" space ", '" space "'),
        ("contoso.com", "contoso.com"),
        ([], "[]"),
        (["a", None], "[a, null]"),
        ({}, "{}"),
        ({"Deny": False}, "{Deny: false}"),
        ({"one of": ["a", "b"]}, "one of a, b"),
        ({"including": ["a"]}, "including a"),
        ({"present": True}, "any value"),
        ({"at least": 4}, "at least 4"),
        ({"known after apply": "register.appId"}, "known after apply register.appId"),
    ],
)
def test_values_as_text(value: object, shown: str) -> None:
    """Null is the only thing that reads null; a text that looks so is quoted."""
    assert value_text(value) == shown


def test_a_reference_is_shown_as_such() -> None:
    """A value that is known only after apply names step and property."""
    reference = plain(KnownAfterApply("register-application", "appId"))
    assert words(value_html(reference)) == (
        "known after apply register-application.appId"
    )


@pytest.mark.parametrize(
    "value",
    [HOSTILE, [HOSTILE, HOSTILE], {HOSTILE: HOSTILE}, {"one of": [HOSTILE]}],
)
def test_hostile_values_stay_text(value: object) -> None:
    """Markup in a value is shown, never obeyed, keys included."""
    page = Page(value_html(value))
    assert not {"script", "img"} & set(page.tags)
    assert page.handlers == []
    assert "<script>alert(1)</script>" in page.text


def test_direction_and_control_characters_are_seen() -> None:
    """A text that would be drawn backwards shows the character that does it."""
    assert visible("sap\u202e@contoso.com") == "sap\\u202e@contoso.com"
    assert visible("a\x00b\x1b[31m") == "a\\u0000b\\u001b[31m"
    assert visible("zero\u200bwidth") == "zero\\u200bwidth"
    assert visible("Grüße – 日本") == "Grüße – 日本"


def test_breaks_add_no_characters() -> None:
    """Long identifiers may break, and are copied as they are."""
    text = "11111111-2222-3333-4444-555555555555/SmtpClientAuthenticationDisabled"
    assert "<wbr>" in soft(text)
    assert Page(soft(text)).text == text


def test_long_lists_and_texts_say_what_is_missing() -> None:
    """Nothing is cut in silence: how much is missing, and where it is, is said."""
    many = [f"item-{number}" for number in range(LONGEST_LIST + 5)]
    assert "and 5 more in the record" in value_text(many)
    page = Page(value_html(many))
    assert page.tags.count("li") == LONGEST_LIST + 1
    assert "and 5 more in the record" in page.text
    assert "and 7 more characters" in value_text("x" * (LONGEST_TEXT + 7))


@pytest.mark.parametrize(
    "time",
    ["2026-11-25T10:00:00Z", "2026-11-25T10:00:00.123+01:00", "2026-11-25 10:00"],
)
def test_times_are_left_out_for_notebooks(time: str) -> None:
    """A time anywhere in a value is replaced; a plain date is not a time."""
    value = {"end": time, "list": [f"until {time}."], "day": "2026-11-25", "n": 1}
    shown = without_times(value)
    assert isinstance(shown, dict)
    assert time not in str(shown)
    assert shown["day"] == "2026-11-25"
    assert shown["n"] == 1

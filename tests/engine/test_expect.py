"""What is compared, how strictly, and what a reference refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook_lib.engine.expect import (
    AtLeast,
    Difference,
    Including,
    KnownAfterApply,
    Matcher,
    OneOf,
    Present,
    differences,
    met,
    plain,
)


@pytest.mark.parametrize(
    ("matcher", "value", "expected"),
    [
        (OneOf(("a", "b")), "b", True),
        (OneOf(("a", "b")), "c", False),
        (OneOf(("a", "b")), None, False),
        (OneOf((True, False)), False, True),
        (OneOf((True, False)), 0, False),
        (OneOf((True, False)), 1, False),
        (Including(("a",)), ["b", "a"], True),
        (Including(("a",)), ("a",), True),
        (Including(("a", "b")), ["a"], False),
        (Including(("a",)), "a", False),
        (Including(("a",)), None, False),
        (Including((True,)), [1], False),
        (Present(), "x", True),
        (Present(), "", False),
        (Present(), None, False),
        (Present(), False, False),
        (Present(), [], False),
        (AtLeast(750), 750, True),
        (AtLeast(750), 749, False),
        (AtLeast(750), "750", False),
        (AtLeast(750), None, False),
        (AtLeast(1), True, False),
        (AtLeast("2026-01-01T00:00:00Z"), "2026-01-02T00:00:00Z", True),
        (AtLeast("2026-01-01T00:00:00Z"), "2025-12-31T00:00:00Z", False),
        (AtLeast("2026-01-01T00:00:00Z"), 2026, False),
    ],
)
def test_matchers(matcher: Matcher, value: object, expected: bool) -> None:
    """Each matcher meets what it says and nothing else; kinds are never mixed."""
    assert matcher.met(value) is expected


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (False, 0),
        (True, 1),
        (1, True),
        ("1", 1),
        (None, ""),
        (None, False),
        (235, "235"),
    ],
)
def test_a_value_of_another_kind_is_a_difference(wanted: object, seen: object) -> None:
    """False is not 0 and null is not empty: a service's three states stay three."""
    assert not met({"p": wanted}, {"p": seen})


def test_a_property_that_was_not_observed_counts_as_null() -> None:
    """Null is expected and met where nothing was observed."""
    assert met({"p": None}, {})
    assert differences({"p": "x"}, {}) == [Difference("p", "x", None)]


def test_only_expected_properties_are_compared() -> None:
    """What a step does not own never makes a difference."""
    assert met({"p": 1}, {"p": 1, "others": 2})


def test_a_tuple_equals_the_list_of_the_same_values() -> None:
    """The record holds lists where a step holds tuples."""
    assert met({"p": ("a", "b")}, {"p": ["a", "b"]})
    assert not met({"p": ["a", "b"]}, {"p": ["b", "a"]})


def test_nothing_expected_is_refused() -> None:
    """An empty expectation would be met by anything."""
    with pytest.raises(ValueError, match="expects nothing"):
        met({}, {"p": 1})


def test_a_reference_is_never_met() -> None:
    """What is known only later cannot be as expected now, not even as itself."""
    unknown = KnownAfterApply("make", "id")
    assert not met({"p": unknown}, {"p": "x"})
    assert not met({"p": unknown}, {"p": unknown})


@pytest.mark.parametrize(
    "use",
    [
        bool,
        str,
        format,
        lambda r: f"{r}",
        lambda r: f"{r:>9}",
        lambda r: "%s" % r,  # noqa: UP031 - this form is what is tested
        lambda r: r == "x",
        lambda r: r == r,
        lambda r: r != "x",
        lambda r: "x" == r,  # noqa: SIM300
        lambda r: r in ["x"],
        lambda r: r and "x",
        lambda r: "" if not r else "x",
        lambda r: "x" + r,
        lambda r: r < "x",
        len,
        list,
    ],
)
def test_a_reference_refuses_to_be_used(
    use: Callable[[KnownAfterApply], object],
) -> None:
    """Formatting, comparing and testing a reference are mistakes that show."""
    with pytest.raises(TypeError):
        use(KnownAfterApply("make", "id"))


def test_a_reference_says_what_it_stands_for() -> None:
    """Its representation names step and property; so does its written form."""
    unknown = KnownAfterApply("make", "id")
    assert repr(unknown) == "KnownAfterApply(step='make', property='id')"
    assert plain(unknown) == {"known after apply": "make.id"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (OneOf((1, 2)), {"one of": [1, 2]}),
        (Including(("a",)), {"including": ["a"]}),
        (Present(), {"present": True}),
        (AtLeast(750), {"at least": 750}),
        (
            {"a": (1, KnownAfterApply("s", "p"))},
            {"a": [1, {"known after apply": "s.p"}]},
        ),
        ([("a",)], [["a"]]),
        (None, None),
    ],
)
def test_written_forms(value: object, written: object) -> None:
    """Matchers and references are written in words, at any depth."""
    assert plain(value) == written

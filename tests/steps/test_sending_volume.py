"""Declared volume against published limits, and Microsoft's dates as dated data."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbook_lib.deadlines import DEADLINES, SMTP_AUTH, of_option
from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NothingToDo, Observation
from runbook_lib.session import Session
from runbook_lib.steps.sending_volume import SendingVolume
from runbook_lib.tenant_sap import SapMail


def seen(option: str, upstream: str = "", **volume: int) -> Observation:
    """Return what the step says of a volume."""
    mail = SapMail(**cast("Any", volume))
    session = SimpleNamespace(tenant=SimpleNamespace(sap_mail=mail))
    step = SendingVolume(option=option, upstream=upstream)
    return step.observe(cast("Session", session))


@pytest.mark.parametrize(
    ("option", "volume", "exceeded"),
    [
        ("1", {"recipients_per_day": 10_000}, []),
        ("1", {"recipients_per_day": 10_001}, ["recipients a day"]),
        ("2", {"recipients_per_day": 50_000}, []),
        ("2", {"external_per_day": 0}, []),
        ("2", {"external_per_day": 1}, ["recipients outside a day"]),
        ("3", {"recipients_per_day": 50_000}, []),
        ("3", {"external_per_day": 5_000, "licenses": 0}, []),
        ("3", {"external_per_day": 5_001, "licenses": 0}, ["recipients outside a day"]),
        ("3", {"external_per_day": 50_000}, []),
        (
            "1",
            {"external_per_day": 22_060, "licenses": 100},
            ["recipients outside a day"],
        ),
    ],
)
def test_limits_of_each_option(
    option: str, volume: dict[str, int], exceeded: list[str]
) -> None:
    """At the limit all is well, one more is too much; what is unknown is not judged."""
    found = seen(option, "", **volume)
    assert found.properties == {"exceeded": exceeded}
    assert met(SendingVolume(option=option).expect(), found.properties) is (
        exceeded == []
    )


def test_a_relay_has_the_limits_of_its_way_on() -> None:
    """By sign-in those of a mailbox, by a connector none a day."""
    day = {"recipients_per_day": 10_001}
    assert seen("4", "oauth-proxy", **day).properties["exceeded"]
    assert seen("4", "connector-address", **day).properties == {"exceeded": []}


def test_a_peak_is_late_and_not_refused() -> None:
    """It is an advice; what nobody declared is named as well."""
    found = seen("1", messages_per_minute=31)
    assert found.properties == {"exceeded": []}
    assert "31 messages a minute: more are delayed, not refused." in str(found.advice)
    assert "Not declared, and not judged: recipients a day" in str(found.advice)
    assert "messages a minute:" not in str(seen("1", messages_per_minute=30).advice)


def test_nothing_declared_is_left_out() -> None:
    """There is nothing to compare, so nothing passes."""
    with pytest.raises(NothingToDo):
        seen("1")


def test_rows_show_declared_and_allowed() -> None:
    """With the month in which the limits were read."""
    context = seen("2", recipients_per_day=7).context
    assert context["as of"] == "2026-08"
    assert context["limits"] == [
        {"of": "recipients a day", "declared": 7, "allowed": "none published"},
        {"of": "recipients outside a day", "declared": "not declared", "allowed": 0},
        {
            "of": "messages a minute",
            "declared": "not declared",
            "allowed": "none published",
        },
    ]


def test_dates_have_source_and_day_of_reading() -> None:
    """No date stands alone, and each option has those that concern it."""
    for known in DEADLINES:
        assert known.source
        assert known.note
        assert date(2026, 1, 1) <= known.as_of <= date(2026, 12, 31)
    assert SMTP_AUTH in of_option(1)
    assert SMTP_AUTH not in of_option(3)
    assert [known.topic for known in of_option(2)][-1] == "Direct Send"
    assert SMTP_AUTH.reached(date(2026, 12, 30)) == ()
    assert len(SMTP_AUTH.reached(date(2027, 1, 1))) == 2

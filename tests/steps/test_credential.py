"""The client secret: made once, into the sink; lost, expired and foreign ones."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.errors import InputError
from runbook_lib.secret import Secret
from runbook_lib.steps.credential import CreateClientSecret, lifetime
from tests.steps.fakes import (
    MARK,
    NOW,
    OBJECT,
    FakeSession,
    Row,
    new_application,
    seen_as,
)

STEP = CreateClientSecret(application=OBJECT, name="sap-smtp", days="180")
OURS = f"sap-smtp ({MARK})"


def at(days: float) -> str:
    """Return a time so many days from now, as Microsoft Graph writes it."""
    return (NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def credential(key_id: str, name: str = OURS, days: float = 100) -> Row:
    """Return a password credential."""
    return {"keyId": key_id, "displayName": name, "endDateTime": at(days)}


def session_with(*credentials: Row, held: tuple[str, ...] = ()) -> FakeSession:
    """Return a session whose application has these secrets."""
    fake = FakeSession()
    fake.graph.applications = [new_application(passwordCredentials=list(credentials))]
    fake.sink.values = {name: Secret(f"value of {name}") for name in held}
    return fake


def keys(fake: FakeSession) -> list[str]:
    """Return the keyIds that the application has."""
    held = cast("list[Row]", fake.graph.applications[0]["passwordCredentials"])
    return [str(one["keyId"]) for one in held]


def test_a_secret_is_made_into_its_sink() -> None:
    """Proven writable first, then made, then stored; marked, with its end."""
    fake = session_with()
    assert not STEP.observe(seen_as(fake)).exists
    STEP.apply(seen_as(fake))
    assert ("add_password", (OBJECT, OURS, at(180))) in fake.graph.calls
    assert fake.sink.values["key-1"].reveal() == "value-of-key-1"
    assert [name for name, _ in fake.sink.calls] == ["prove_writable", "store"]
    seen = STEP.observe(seen_as(fake))
    assert met(STEP.expect(), seen.properties)
    assert seen.properties["keyId"] == "key-1"
    assert seen.advice


def test_nothing_is_made_if_the_sink_is_not_writable() -> None:
    """Its value would be lost."""
    fake = session_with()
    fake.sink.writable = False
    with pytest.raises(InputError):
        STEP.apply(seen_as(fake))
    assert keys(fake) == []


def test_what_cannot_be_stored_is_removed_at_once() -> None:
    """No secret stays behind whose value nobody has."""
    fake = session_with()
    fake.sink.full = True
    with pytest.raises(InputError, match="no space left"):
        STEP.apply(seen_as(fake))
    assert keys(fake) == []
    assert "graph.add_password" in fake.calls()


def test_an_interrupt_while_storing_removes_it_as_well() -> None:
    """Control-C is no reason to leave it."""
    fake = session_with()

    def interrupted(name: str, secret: Secret) -> None:
        raise KeyboardInterrupt

    fake.sink.store = interrupted  # type: ignore[assignment, method-assign]
    with pytest.raises(KeyboardInterrupt):
        STEP.apply(seen_as(fake))
    assert keys(fake) == []


def test_a_lost_secret_of_this_run_is_removed_and_made_anew() -> None:
    """Its answer never came, so its value is not in the sink."""
    fake = session_with(credential("lost"))
    seen = STEP.observe(seen_as(fake))
    assert seen.properties["in sink"] is False
    STEP.apply(seen_as(fake))
    assert keys(fake) == ["key-1"]
    assert met(STEP.expect(), STEP.observe(seen_as(fake)).properties)


@pytest.mark.parametrize(
    "name",
    [
        "sap-smtp (runbook:earlier)",
        f"sap-smtp ({MARK}2)",
        f"sap-smtp ({MARK}-retry)",
        f"other ({MARK})",
        "sap-smtp",
        "",
    ],
)
def test_secrets_of_other_runs_and_people_are_not_touched(name: str) -> None:
    """Also where a run id begins like this one's."""
    fake = session_with(credential("theirs", name))
    STEP.apply(seen_as(fake))
    assert keys(fake) == ["theirs", "key-1"]


@pytest.mark.parametrize(("held", "left"), [((), ["ours"]), (("lost",), None)])
def test_a_rollback_clears_what_a_dead_run_lost(
    held: tuple[str, ...], left: list[str] | None
) -> None:
    """By the mark of that run, and only where the sink holds no value."""
    lost = credential("lost", "sap-smtp (runbook:dead)")
    fake = session_with(lost, credential("ours"), held=held)
    cleared = STEP.clear(seen_as(fake), "dead")
    assert (cleared, keys(fake)) == (
        (["lost"], left) if left else ([], ["lost", "ours"])
    )


def test_a_valid_secret_of_an_earlier_run_is_used() -> None:
    """If the sink holds its value; another person's secret is only shown."""
    fake = session_with(
        credential("theirs", "by hand"),
        credential("earlier", "sap-smtp (runbook:earlier)"),
        held=("earlier",),
    )
    seen = STEP.observe(seen_as(fake))
    assert met(STEP.expect(), seen.properties)
    assert seen.properties["keyId"] == "earlier"
    others = cast("list[Row]", seen.context["other passwordCredentials"])
    assert [one["keyId"] for one in others] == ["theirs"]


@pytest.mark.parametrize(
    ("days", "expired", "near"),
    [(-1, True, False), (0, True, False), (29, False, True), (31, False, False)],
)
def test_expiry(days: float, expired: bool, near: bool) -> None:
    """Expired is not met; 30 days before, there is advice."""
    fake = session_with(credential("one", days=days), held=("one",))
    seen = STEP.observe(seen_as(fake))
    assert seen.properties["expired"] is expired
    assert met(STEP.expect(), seen.properties) is not expired
    assert str(seen.advice).startswith("Expires") is near


def test_an_expired_secret_stays_beside_the_new_one() -> None:
    """What SAP may still have is not taken away by this step."""
    fake = session_with(credential("old", days=-1), held=("old",))
    STEP.apply(seen_as(fake))
    assert keys(fake) == ["old", "key-1"]
    assert STEP.observe(seen_as(fake)).properties["keyId"] == "key-1"


@pytest.mark.parametrize(
    ("credentials", "held", "best"),
    [
        ([credential("a", days=-1), credential("b", days=5)], ("a", "b"), "b"),
        ([credential("a", days=50), credential("b", days=5)], ("b",), "b"),
        ([credential("a", days=50), credential("b", days=5)], ("a", "b"), "a"),
        ([credential("a", days=-1), credential("b", days=5)], ("a",), "b"),
    ],
)
def test_the_best_of_ours_is_shown(
    credentials: list[Row], held: tuple[str, ...], best: str
) -> None:
    """Not expired first, then held by the sink, then the one that lasts longest."""
    fake = session_with(*credentials, held=held)
    assert STEP.observe(seen_as(fake)).properties["keyId"] == best
    fake = session_with(*reversed(credentials), held=held)
    assert STEP.observe(seen_as(fake)).properties["keyId"] == best


def test_a_revert_removes_ours_and_its_value() -> None:
    """Others stay, in the application and in the sink."""
    fake = session_with(credential("old", days=-1), held=("old",))
    before = STEP.observe(seen_as(fake)).properties
    STEP.apply(seen_as(fake))
    after = STEP.observe(seen_as(fake)).properties
    STEP.revert(seen_as(fake), before, after)
    STEP.tidy(seen_as(fake), after)
    assert keys(fake) == ["old"]
    assert list(fake.sink.values) == ["old"]
    assert STEP.observe(seen_as(fake)).properties == before


def test_an_application_that_is_not_there_yet_has_no_secret() -> None:
    """Replication: a later look will find it."""
    assert not STEP.observe(seen_as(FakeSession())).exists


@pytest.mark.parametrize(("text", "days"), [("1", 1), ("180", 180), ("730", 730)])
def test_lifetimes(text: str, days: int) -> None:
    """Whole days, up to two years."""
    assert lifetime(text) == days


@pytest.mark.parametrize("text", ["0", "731", "-1", "1.5", "", "many", "²", "१"])
def test_wrong_lifetimes_are_told_before_anything_is_written(text: str) -> None:
    """Already the plan says so."""
    step = CreateClientSecret(application=OBJECT, name="sap-smtp", days=text)
    fake = session_with(credential("lost"))
    with pytest.raises(InputError, match="client_secret_days"):
        step.observe(seen_as(fake))
    assert fake.calls() == []
    with pytest.raises(InputError, match="client_secret_days"):
        lifetime(text)


def test_no_property_holds_the_value() -> None:
    """What goes to the record names the secret and never shows it."""
    fake = session_with()
    STEP.apply(seen_as(fake))
    assert "value-of-key" not in str(STEP.observe(seen_as(fake)))

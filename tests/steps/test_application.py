"""The application and its service principal: found, adopted, created, undone."""

from __future__ import annotations

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NotAsExpected
from runbook_lib.steps.application import CreateServicePrincipal, RegisterApplication
from tests.steps.fakes import (
    APP,
    MARK,
    OBJECT,
    PRINCIPAL,
    FakeSession,
    new_application,
    seen_as,
)

STEP = RegisterApplication(display_name="SAP")
BY_ID = RegisterApplication(display_name="SAP", app_id=APP)


@pytest.fixture
def fake() -> FakeSession:
    """Return a session on a tenant without applications."""
    return FakeSession()


def test_none_of_that_name_is_a_create(fake: FakeSession) -> None:
    """Then it is made: single tenant, with this run's mark, and found again."""
    seen = STEP.observe(seen_as(fake))
    assert (seen.exists, dict(seen.properties)) == (False, {})
    STEP.apply(seen_as(fake))
    (made,) = fake.graph.applications
    assert made["signInAudience"] == "AzureADMyOrg"
    assert made["notes"] == MARK
    after = STEP.observe(seen_as(fake))
    assert met(STEP.expect(), after.properties)
    assert (after.properties["appId"], after.properties["id"]) == (APP, OBJECT)
    assert not after.adopt


@pytest.mark.parametrize("notes", [None, "", "made by hand", "see runbook:example"])
def test_one_that_somebody_else_made_is_adopted_in_sight(
    fake: FakeSession, notes: str | None
) -> None:
    """Owners, credentials and permissions are shown, and nothing is written."""
    credential = {"keyId": "k", "displayName": "d", "endDateTime": "e", "hint": "abc"}
    fake.graph.owners = [{"userPrincipalName": "a@contoso.com"}, {"displayName": "B"}]
    fake.graph.applications = [
        new_application(notes=notes, passwordCredentials=[credential])
    ]
    seen = STEP.observe(seen_as(fake))
    assert seen.adopt
    assert met(STEP.expect(), seen.properties)
    assert seen.context["owners"] == ["a@contoso.com", "B"]
    assert seen.context["passwordCredentials"] == [
        {"keyId": "k", "displayName": "d", "endDateTime": "e"}
    ]
    assert seen.advice


def test_one_that_appears_before_the_write_is_left_alone(fake: FakeSession) -> None:
    """None was there when this run looked; now there is a stranger's."""
    assert not STEP.observe(seen_as(fake)).exists
    fake.graph.applications = [new_application(notes="made by hand")]
    with pytest.raises(NotAsExpected, match="since this run looked") as caught:
        STEP.apply(seen_as(fake))
    assert caught.value.remedy_id == "adopted-application"
    assert fake.graph.applications == [new_application(notes="made by hand")]
    assert not set(fake.calls()) & {"graph.create_application"}


def test_our_own_of_an_earlier_run_is_used(fake: FakeSession) -> None:
    """Any run of this project counts as ours."""
    fake.graph.applications = [new_application(notes="runbook:earlier")]
    seen = STEP.observe(seen_as(fake))
    assert (seen.adopt, dict(seen.context)) == (False, {})


def test_more_than_one_of_that_name_stops(fake: FakeSession) -> None:
    """A name is not an identity; both appIds are told, nothing is written."""
    fake.graph.applications = [new_application(), new_application(appId="other")]
    for use in (STEP.observe, STEP.apply):
        with pytest.raises(NotAsExpected, match="2 applications") as caught:
            use(seen_as(fake))
        assert caught.value.remedy_id == "ambiguous-application"
        assert caught.value.facts == {"appIds": [APP, "other"]}
    assert all(name == "graph.applications_named" for name in fake.calls())


def test_a_strangers_multi_tenant_application_is_not_adopted(
    fake: FakeSession,
) -> None:
    """Narrowing it would lock out its other tenants."""
    audience = "AzureADMultipleOrgs"
    fake.graph.applications = [new_application(notes=None, signInAudience=audience)]
    with pytest.raises(NotAsExpected, match=audience) as caught:
        STEP.observe(seen_as(fake))
    assert caught.value.remedy_id == "adopted-application"


def test_our_own_is_narrowed_and_widened_back(fake: FakeSession) -> None:
    """Only the audience is written, in both directions."""
    wide = "AzureADMultipleOrgs"
    fake.graph.applications = [new_application(signInAudience=wide)]
    before = STEP.observe(seen_as(fake))
    assert not met(STEP.expect(), before.properties)
    STEP.apply(seen_as(fake))
    after = STEP.observe(seen_as(fake))
    assert met(STEP.expect(), after.properties)
    STEP.revert(seen_as(fake), before.properties, after.properties)
    assert [c for c in fake.graph.calls if c[0] == "update_application"] == [
        ("update_application", (OBJECT, {"signInAudience": "AzureADMyOrg"})),
        ("update_application", (OBJECT, {"signInAudience": wide})),
    ]


def test_a_created_application_is_deleted_by_its_own_id(fake: FakeSession) -> None:
    """Another one that has the name by then is left alone."""
    STEP.apply(seen_as(fake))
    after = STEP.observe(seen_as(fake)).properties
    other = new_application(id="other", appId="other", notes=None)
    fake.graph.applications.append(other)
    STEP.revert(seen_as(fake), {}, after)
    assert fake.graph.applications == [other]


def test_a_given_application_id_is_found_whatever_it_is_called(
    fake: FakeSession,
) -> None:
    """The name is not looked at."""
    fake.graph.applications = [new_application(displayName="Else")]
    seen = BY_ID.observe(seen_as(fake))
    assert met(BY_ID.expect(), seen.properties)
    assert fake.calls() == ["graph.application_by_app_id"]


def test_a_given_application_id_must_exist(fake: FakeSession) -> None:
    """None is created in its place."""
    for use in (BY_ID.observe, BY_ID.apply):
        with pytest.raises(NotAsExpected, match=APP):
            use(seen_as(fake))
    assert fake.graph.applications == []


PRINCIPAL_STEP = CreateServicePrincipal(app_id=APP)


def test_a_service_principal_is_created_and_deleted(fake: FakeSession) -> None:
    """Listed as an enterprise application, with the mark of the run."""
    assert not PRINCIPAL_STEP.observe(seen_as(fake)).exists
    PRINCIPAL_STEP.apply(seen_as(fake))
    body = fake.graph.principals[-1]
    assert body["tags"] == ["WindowsAzureActiveDirectoryIntegratedApp"]
    assert body["notes"] == MARK
    after = PRINCIPAL_STEP.observe(seen_as(fake))
    assert met(PRINCIPAL_STEP.expect(), after.properties)
    assert after.properties["id"] == PRINCIPAL
    PRINCIPAL_STEP.revert(seen_as(fake), {}, after.properties)
    assert not PRINCIPAL_STEP.observe(seen_as(fake)).exists


def test_a_disabled_service_principal_is_not_enabled(fake: FakeSession) -> None:
    """Somebody had a reason."""
    fake.graph.principals.append(
        {"id": PRINCIPAL, "appId": APP, "accountEnabled": False}
    )
    with pytest.raises(NotAsExpected, match="disabled"):
        PRINCIPAL_STEP.observe(seen_as(fake))

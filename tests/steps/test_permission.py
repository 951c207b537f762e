"""SMTP.SendAsApp: declared by merging, consented to exactly, taken back exactly."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NotAsExpected
from runbook_lib.steps.permission import (
    DECLARED,
    DECLARED_USER_READ,
    GRANTED,
    DeclareSendAsApp,
    GrantAdminConsent,
    send_as_app,
)
from tests.steps.fakes import (
    EXCHANGE_ONLINE,
    MICROSOFT_GRAPH,
    OBJECT,
    PRINCIPAL,
    RESOURCE,
    ROLE,
    USER_READ,
    FakeSession,
    Row,
    new_application,
    seen_as,
    send_as_app_role,
)

STEP = DeclareSendAsApp(application=OBJECT)
REMOVING = DeclareSendAsApp(application=OBJECT, remove_user_read="yes")
CONSENT = GrantAdminConsent(principal=PRINCIPAL)

Declared = list[dict[str, Any]]


def resource(app_id: str, *access: tuple[str, str]) -> dict[str, Any]:
    """Return one entry of requiredResourceAccess."""
    rows = [{"id": name, "type": kind} for name, kind in access]
    return {"resourceAppId": app_id, "resourceAccess": rows}


OURS = resource(EXCHANGE_ONLINE, (ROLE, "Role"))
READ = (USER_READ, "Scope")
OTHER_ROLE = ("cccc", "Role")


def session_with(declared: Declared) -> FakeSession:
    """Return a session whose application declares these permissions."""
    fake = FakeSession()
    fake.graph.applications = [
        new_application(requiredResourceAccess=copy.deepcopy(declared))
    ]
    return fake


def declared(fake: FakeSession) -> Declared:
    """Return what the application declares now."""
    return cast("Declared", fake.graph.applications[0]["requiredResourceAccess"])


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (STEP, [], [OURS]),
        (
            STEP,
            [resource(MICROSOFT_GRAPH, READ)],
            [resource(MICROSOFT_GRAPH, READ), OURS],
        ),
        (
            STEP,
            [resource(EXCHANGE_ONLINE, OTHER_ROLE)],
            [resource(EXCHANGE_ONLINE, OTHER_ROLE, (ROLE, "Role"))],
        ),
        (STEP, [resource("other")], [resource("other"), OURS]),
        (REMOVING, [resource(MICROSOFT_GRAPH, READ)], [OURS]),
        (
            REMOVING,
            [resource(MICROSOFT_GRAPH, READ, OTHER_ROLE)],
            [resource(MICROSOFT_GRAPH, OTHER_ROLE), OURS],
        ),
        (REMOVING, [resource("other"), OURS], [resource("other"), OURS]),
        (REMOVING, [resource("other", READ), OURS], [resource("other", READ), OURS]),
    ],
)
def test_the_collection_is_merged_and_restored(
    step: DeclareSendAsApp, before: Declared, after: Declared
) -> None:
    """What others declared stays as it is, in its order; so does a revert."""
    fake = session_with(before)
    was = step.observe(seen_as(fake)).properties
    step.apply(seen_as(fake))
    assert declared(fake) == after
    now = step.observe(seen_as(fake)).properties
    assert met(step.expect(), now)
    step.revert(seen_as(fake), was, now)
    assert declared(fake) == before


def test_user_read_is_left_alone_unless_asked(fake_read: FakeSession) -> None:
    """The default expects nothing of it."""
    assert DECLARED_USER_READ not in STEP.expect()
    assert REMOVING.expect()[DECLARED_USER_READ] is None
    seen = STEP.observe(seen_as(fake_read)).properties
    assert seen[DECLARED_USER_READ] == "Scope"


@pytest.fixture
def fake_read() -> FakeSession:
    """Return a session whose application declares User.Read and our role."""
    return session_with([resource(MICROSOFT_GRAPH, READ), OURS])


def test_another_permission_of_exchange_is_not_ours() -> None:
    """Existence of the resource is not correctness of the role."""
    fake = session_with([resource(EXCHANGE_ONLINE, OTHER_ROLE)])
    assert not met(STEP.expect(), STEP.observe(seen_as(fake)).properties)


def test_the_role_as_a_delegated_permission_is_not_ours() -> None:
    """A scope is no role."""
    fake = session_with([resource(EXCHANGE_ONLINE, (ROLE, "Scope"))])
    assert not met(STEP.expect(), STEP.observe(seen_as(fake)).properties)


def test_a_revert_takes_out_ours_from_what_others_changed_since() -> None:
    """Their additions stay; ours goes, and its empty resource with it."""
    fake = session_with([])
    was = STEP.observe(seen_as(fake)).properties
    STEP.apply(seen_as(fake))
    now = STEP.observe(seen_as(fake)).properties
    theirs = resource("other", OTHER_ROLE)
    declared(fake).append(theirs)
    STEP.revert(seen_as(fake), was, now)
    assert declared(fake) == [theirs]


def test_a_revert_does_not_bring_back_what_somebody_else_removed() -> None:
    """This step did not take User.Read out, so it does not put it back."""
    fake = session_with([resource(MICROSOFT_GRAPH, READ)])
    was = STEP.observe(seen_as(fake)).properties
    STEP.apply(seen_as(fake))
    now = STEP.observe(seen_as(fake)).properties
    fake.graph.applications[0]["requiredResourceAccess"] = [OURS]
    STEP.revert(seen_as(fake), was, now)
    assert declared(fake) == []


def test_a_revert_brings_back_what_this_step_took_out() -> None:
    """Also where others changed the collection since."""
    fake = session_with([resource(MICROSOFT_GRAPH, READ)])
    was = REMOVING.observe(seen_as(fake)).properties
    REMOVING.apply(seen_as(fake))
    now = REMOVING.observe(seen_as(fake)).properties
    theirs = resource("other", OTHER_ROLE)
    declared(fake).append(theirs)
    REMOVING.revert(seen_as(fake), was, now)
    assert declared(fake) == [theirs, resource(MICROSOFT_GRAPH, READ)]


def test_the_role_is_looked_up_in_this_tenant() -> None:
    """Its GUID differs between clouds; the value does not."""
    found = send_as_app(seen_as(FakeSession()))
    assert (found.resource, found.role) == (RESOURCE, ROLE)


@pytest.mark.parametrize(
    "roles",
    [
        [],
        [send_as_app_role(value="POP.AccessAsApp")],
        [send_as_app_role(isEnabled=False)],
        [send_as_app_role(allowedMemberTypes=["User"])],
        [send_as_app_role(allowedMemberTypes=None)],
    ],
)
def test_without_the_role_nothing_is_guessed(roles: list[Row]) -> None:
    """Another, disabled or delegated role is not taken for it."""
    fake = FakeSession()
    fake.graph.principals[0]["appRoles"] = roles
    with pytest.raises(NotAsExpected, match="offers no application role"):
        send_as_app(seen_as(fake))


def test_without_exchange_online_it_is_said() -> None:
    """A tenant without that service principal has no subscription."""
    fake = FakeSession()
    fake.graph.principals = []
    with pytest.raises(NotAsExpected) as caught:
        send_as_app(seen_as(fake))
    assert "subscription" in str(caught.value.remedy)


def assignment(name: str, resource_id: str = RESOURCE, role: str = ROLE) -> Row:
    """Return a granted role."""
    return {"id": name, "resourceId": resource_id, "appRoleId": role}


@pytest.mark.parametrize(
    "granted",
    [[], [assignment("x", role="other")], [assignment("x", resource_id="other")]],
)
def test_another_grant_is_no_consent(granted: list[Row]) -> None:
    """Neither another role of Exchange nor the role's id at another resource."""
    fake = FakeSession()
    fake.graph.assignments = granted
    seen = CONSENT.observe(seen_as(fake))
    assert not met(CONSENT.expect(), seen.properties)
    assert not seen.exists
    assert seen.context["other appRoleAssignments"] == granted


def test_consent_is_granted_and_exactly_that_one_revoked() -> None:
    """The id of the assignment is the value; other grants stay."""
    fake = FakeSession()
    fake.graph.assignments = [assignment("theirs", role="other")]
    fake.graph.grants = [{"scope": "User.Read"}]
    CONSENT.apply(seen_as(fake))
    assert ("grant_app_role", (PRINCIPAL, RESOURCE, ROLE)) in fake.graph.calls
    seen = CONSENT.observe(seen_as(fake))
    assert met(CONSENT.expect(), seen.properties)
    assert seen.properties[GRANTED] == "assignment-1"
    assert seen.context["oauth2PermissionGrants"] == ["User.Read"]
    CONSENT.revert(seen_as(fake), {}, seen.properties)
    assert fake.graph.assignments == [assignment("theirs", role="other")]


def test_declared_means_the_property_that_is_named() -> None:
    """The words of the record stay."""
    assert DECLARED == "requiredResourceAccess[SMTP.SendAsApp]"
    assert GRANTED == "appRoleAssignments[SMTP.SendAsApp]"

"""Exchange Online's side: service principal, mailbox permission, SMTP AUTH."""

from __future__ import annotations

from typing import Any

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NotAsExpected
from runbook_lib.steps.mailbox import (
    FLAG,
    EnableAuthenticatedSmtp,
    GrantMailboxFullAccess,
    MailboxDelegation,
    RegisterExchangeServicePrincipal,
)
from tests.steps.fakes import APP, MAILBOX, PRINCIPAL, FakeSession, Row, seen_as

REGISTER = RegisterExchangeServicePrincipal(
    app_id=APP, object_id=PRINCIPAL, display_name="SAP"
)
GRANT = GrantMailboxFullAccess(mailbox=MAILBOX, object_id=PRINCIPAL)
DELEGATION = MailboxDelegation(mailbox=MAILBOX, object_id=PRINCIPAL)
ENABLE = EnableAuthenticatedSmtp(mailbox=MAILBOX)
SID = "S-1-5-21-1"


def principal(**changes: object) -> Row:
    """Return Exchange's entry of the service principal."""
    base: Row = {"AppId": APP, "ObjectId": PRINCIPAL, "DisplayName": "SAP", "Sid": SID}
    return {**base, **changes}


def permission(user: str = SID, *rights: str, **changes: object) -> Row:
    """Return a permission row."""
    base: Row = {"User": user, "AccessRights": list(rights) or ["FullAccess"]}
    return {**base, "IsInherited": False, "Deny": False, **changes}


@pytest.fixture
def fake() -> FakeSession:
    """Return a session with the mailbox and the registered service principal."""
    made = FakeSession()
    made.exchange.mailboxes = {MAILBOX: {"PrimarySmtpAddress": MAILBOX}}
    made.exchange.cas = {MAILBOX: {FLAG: None}}
    made.exchange.principals = [principal()]
    return made


def test_registered_and_removed() -> None:
    """By the enterprise application's object ID, as Microsoft Graph has it."""
    fake = FakeSession()
    assert not REGISTER.observe(seen_as(fake)).exists
    REGISTER.apply(seen_as(fake))
    call = ("new_service_principal", (APP, PRINCIPAL, "SAP"))
    assert call in fake.exchange.calls
    seen = REGISTER.observe(seen_as(fake))
    assert met(REGISTER.expect(), seen.properties)
    REGISTER.revert(seen_as(fake), {}, seen.properties)
    assert fake.exchange.calls[-1] == ("remove_service_principal", (PRINCIPAL,))


def test_a_wrong_object_id_is_not_repaired(fake: FakeSession) -> None:
    """Exchange accepted it silently; removing it would drop its permissions."""
    fake.exchange.principals = [principal(ObjectId="wrong")]
    with pytest.raises(NotAsExpected, match="wrong") as caught:
        REGISTER.observe(seen_as(fake))
    assert PRINCIPAL in caught.value.message
    assert "Remove-ServicePrincipal" in str(caught.value.remedy)


def test_full_access_is_granted_to_the_principal_only(fake: FakeSession) -> None:
    """Without AutoMapping; other people's entries are counted, not touched."""
    fake.exchange.permissions = [permission("NT AUTHORITY\\SELF")]
    seen = GRANT.observe(seen_as(fake))
    assert (seen.exists, seen.properties["AccessRights"]) == (False, None)
    assert seen.context == {"other entries": 1}
    GRANT.apply(seen_as(fake))
    assert fake.exchange.calls[-1] == (
        "add_mailbox_permission",
        (MAILBOX, PRINCIPAL, ["FullAccess"], False),
    )
    after = GRANT.observe(seen_as(fake))
    assert met(GRANT.expect(), after.properties)
    GRANT.revert(seen_as(fake), {}, after.properties)
    assert fake.exchange.permissions == [permission("NT AUTHORITY\\SELF")]


@pytest.mark.parametrize("user", [SID, PRINCIPAL])
def test_the_entry_is_known_by_sid_or_by_guid(fake: FakeSession, user: str) -> None:
    """Exchange shows one or the other."""
    fake.exchange.permissions = [permission(user)]
    assert met(GRANT.expect(), GRANT.observe(seen_as(fake)).properties)


@pytest.mark.parametrize("rights", [("ReadPermission",), ("SendAs", "ReadPermission")])
def test_other_rights_are_not_enough(
    fake: FakeSession, rights: tuple[str, ...]
) -> None:
    """They are shown, and kept by a revert of ours."""
    fake.exchange.permissions = [permission(SID, *rights)]
    seen = GRANT.observe(seen_as(fake))
    assert not met(GRANT.expect(), seen.properties)
    assert seen.exists


def test_a_denying_entry_is_not_overruled(fake: FakeSession) -> None:
    """Deny wins in Exchange, and somebody set it."""
    fake.exchange.permissions = [permission(), permission(Deny=True)]
    with pytest.raises(NotAsExpected, match="denies access"):
        GRANT.observe(seen_as(fake))


def test_somebody_elses_denying_entry_does_not_matter(fake: FakeSession) -> None:
    """Only what concerns our service principal counts."""
    fake.exchange.permissions = [permission(), permission("S-1-other", Deny=True)]
    assert met(GRANT.expect(), GRANT.observe(seen_as(fake)).properties)


@pytest.mark.parametrize("step", [GRANT, DELEGATION, ENABLE], ids=lambda step: step.id)
def test_a_missing_mailbox_is_named(step: Any) -> None:
    """Neither an empty list of permissions nor a null value."""
    with pytest.raises(NotAsExpected, match=f"no mailbox {MAILBOX}") as caught:
        step.observe(seen_as(FakeSession()))
    assert caught.value.remedy_id == "mailbox-missing"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([permission()], True),
        ([permission(), permission("other", "ReadPermission")], True),
        ([], False),
        ([permission("other")], False),
        ([permission(SID, "ReadPermission")], False),
        ([permission(IsInherited=True)], False),
    ],
)
def test_the_delegation_is_read_back(
    fake: FakeSession, rows: list[Row], expected: bool
) -> None:
    """Our own entry, with the right, not inherited."""
    fake.exchange.permissions = rows
    seen = DELEGATION.observe(seen_as(fake))
    assert met(DELEGATION.expect(), seen.properties) is expected
    assert seen.context == {"delegates": len(rows)}


@pytest.mark.parametrize("organization", [True, False, None])
@pytest.mark.parametrize(
    ("value", "expected"), [(False, True), (True, False), (None, False)]
)
def test_only_an_explicit_false_passes(
    fake: FakeSession, value: bool | None, expected: bool, organization: bool | None
) -> None:
    """Null takes the organization's value, which may change tomorrow."""
    fake.exchange.cas[MAILBOX][FLAG] = value
    fake.exchange.transport = {FLAG: organization}
    seen = ENABLE.observe(seen_as(fake))
    assert met(ENABLE.expect(), seen.properties) is expected
    assert seen.context == {f"organization's {FLAG}": organization}


@pytest.mark.parametrize("before", [True, None])
def test_each_of_the_three_states_is_restored(
    fake: FakeSession, before: bool | None
) -> None:
    """Null goes back as null, not as true."""
    fake.exchange.cas[MAILBOX][FLAG] = before
    was = ENABLE.observe(seen_as(fake)).properties
    ENABLE.apply(seen_as(fake))
    now = ENABLE.observe(seen_as(fake)).properties
    assert now[FLAG] is False
    ENABLE.revert(seen_as(fake), was, now)
    sets = [a for name, a in fake.exchange.calls if name == "set_cas_mailbox"]
    assert sets == [(MAILBOX, {FLAG: False}), (MAILBOX, {FLAG: before})]

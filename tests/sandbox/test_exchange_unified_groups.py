"""Microsoft 365 groups, the REST twins of Get-EXO cmdlets, and an older name."""

from typing import Any

import httpx
import pytest

from tests.sandbox.mail import INBOX, MAILBOX
from tests.sandbox.rows import Checks
from tests.sandbox.world import GRAPH_SCOPE, World

CHECKS = Checks("exchange", file=__file__)
ROOT = "https://outlook.office365.com/adminapi/beta"


def read(
    world: World, path: str, token: str | None = None, **options: str
) -> httpx.Response:
    """Read an entity as the operator, or with another token."""
    return world.request(
        "GET",
        f"{ROOT}/{world.tenant.tenant_id}/{path}",
        params=options,
        headers={"Authorization": f"Bearer {token or world.token()}"},
    )


def entities(world: World, path: str, **options: str) -> list[dict[str, Any]]:
    """Return the entities of an answer that has to succeed."""
    answer = read(world, path, **options)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["value"])


@CHECKS.row("exchange.unified-groups-apart")
def check_unified_groups(world: World) -> None:
    """Both kinds are recipients; each cmdlet finds its own."""
    made = world.run("New-UnifiedGroup", DisplayName="team", Members=[INBOX])[0]
    assert made["RecipientTypeDetails"] == "GroupMailbox"
    world.run("New-DistributionGroup", Name="list")
    unified = [group["Name"] for group in world.run("Get-UnifiedGroup")]
    assert unified == ["team"]
    assert [group["Name"] for group in world.run("Get-DistributionGroup")] == ["list"]
    unknown = world.invoke("Get-DistributionGroup", {"Identity": "team"})
    assert unknown.status_code == 404
    found = world.run("Get-Recipient", Identity="team@contoso.com")[0]
    assert found["DistinguishedName"] == made["DistinguishedName"]


@CHECKS.row("exchange.rest-twins")
def check_rest_twins(world: World) -> None:
    """They show what the cmdlets show, and refuse what these refuse."""
    assert read(world, f"Mailbox('{MAILBOX}')").status_code == 200
    (mailbox,) = entities(world, f"Mailbox('{MAILBOX}')", PropertySet="All")
    assert [mailbox] == world.run("Get-Mailbox", Identity=MAILBOX)
    permissions = entities(world, f"Mailbox('{MAILBOX}')/MailboxPermission")
    assert permissions == world.run("Get-MailboxPermission", Identity=MAILBOX)
    assert len(entities(world, "casmailbox")) == 3
    assert read(world, "Mailbox('nobody@contoso.com')").status_code == 404
    graph_token = world.token(scope=GRAPH_SCOPE)
    assert read(world, "Mailbox", graph_token).status_code == 401


@CHECKS.row("exchange.rest-minimum")
def check_rest_minimum(world: World) -> None:
    """Whoever wants the property asks for it."""
    name, path = "SmtpClientAuthenticationDisabled", f"CasMailbox('{MAILBOX}')"
    (minimum,) = entities(world, path)
    assert minimum["PrimarySmtpAddress"] == MAILBOX
    assert name not in minimum
    assert entities(world, path, **{"$select": name}) == [{name: None}]
    assert name in entities(world, path, PropertySet="All")[0]


@CHECKS.row("exchange.service-id")
def check_service_id(world: World) -> None:
    """It becomes the ObjectId."""
    given = {"AppId": "an-app", "ServiceId": "an-object", "DisplayName": "x"}
    answer = world.invoke("New-ServicePrincipal", given)
    assert answer.status_code == 200
    assert answer.json()["value"][0]["ObjectId"] == "an-object"
    (warning,) = answer.json()["@adminapi.warnings"]
    assert warning.startswith("The ServiceId parameter is being depreciated")
    neither = world.invoke("New-ServicePrincipal", {"AppId": "other"})
    assert neither.status_code == 400


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_a_unified_group_changes_and_goes() -> None:
    """Setting and removal; the second removal finds nothing."""
    with World() as world:
        world.run("New-UnifiedGroup", DisplayName="team", AccessType="Public")
        world.run("Set-UnifiedGroup", Identity="team", DisplayName="Team")
        (group,) = world.run("Get-UnifiedGroup", Identity="team")
        assert (group["DisplayName"], group["AccessType"]) == ("Team", "Public")
        world.run("Remove-UnifiedGroup", Identity="team")
        again = world.invoke("Remove-UnifiedGroup", {"Identity": "team"})
        assert again.status_code == 404


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("Mailbox", {"Filter": "x"}, 400),
        ("MailboxPermission", {}, 404),
        ("CasMailbox('x')/MailboxPermission", {}, 404),
        ("Nothing", {}, 404),
        ("Mailbox('a", {}, 404),
    ],
)
def test_other_readings_are_refused(
    path: str, options: dict[str, str], status: int
) -> None:
    """An option is never ignored, and another path is not there."""
    with World() as world:
        assert read(world, path, **options).status_code == status


def test_a_reading_has_pages_of_no_more_than_asked() -> None:
    """$top cuts."""
    with World() as world:
        options = {"$top": "1"}
        assert len(entities(world, "Mailbox", **options)) == 1


def test_only_reading_is_played() -> None:
    """Another method is refused and counts as a write."""
    with World() as world:
        url = f"{ROOT}/{world.tenant.tenant_id}/Mailbox('{MAILBOX}')"
        headers = {"Authorization": f"Bearer {world.token()}"}
        assert world.request("PATCH", url, headers=headers).status_code == 405
        assert [entry["write"] for entry in world.logged(method="PATCH")] == [True]


def test_without_a_role_nothing_is_read() -> None:
    """The rights are those of the cmdlet."""
    with World() as world:
        token = world.token(world.application("Exchange.ManageAsApp"))
        assert read(world, "Mailbox", token).status_code == 403

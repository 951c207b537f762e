"""Applications that were there before: kept whole, adopted openly, never guessed."""

from __future__ import annotations

import json
from typing import Any, cast

from runbook_lib.evidence.close import Closed
from tests.integration.world import World, drive, step_ends

NAME = "SAP SMTP OAuth"
MAIL_SEND = {
    "resourceAppId": "00000003-0000-0000-c000-000000000000",
    "resourceAccess": [
        {"id": "b633e1c5-b582-4048-a93e-9f11b44c7e96", "type": "Role"},
        {"id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope"},
    ],
}


def stranger(world: World, **properties: object) -> None:
    """Add an application of somebody else under the name that the runbook uses."""
    world.break_tenant(
        "add_application",
        display_name=NAME,
        permissions=["IMAP.AccessAsApp"],
        secret=True,
        properties={"requiredResourceAccess": [MAIL_SEND], **properties},
    )


def applications(world: World) -> list[dict[str, Any]]:
    """Return the applications of that name, from the dump."""
    found = json.loads(world.dump())["tenant"]["applications"].values()
    return [entry for entry in found if entry["displayName"] == NAME]


def assignments(world: World) -> list[dict[str, Any]]:
    """Return all app role assignments, from the dump."""
    return list(json.loads(world.dump())["tenant"]["app_role_assignments"].values())


def registered(closed: Closed) -> dict[str, Any]:
    """Return how registering the application ended."""
    return cast("dict[str, Any]", step_ends(closed)["register-application"])


def test_stranger_keeps_permissions_and_credential(world: World) -> None:
    """After apply all that was there is there; after rollback nothing else is."""
    stranger(world)
    before, old = world.dump(), applications(world)[0]
    plan = drive(world, "plan")
    assert world.dump() == before
    assert registered(plan)["action"] == "adopt"
    context = registered(plan)["context"]
    assert context["requiredResourceAccess"] == [MAIL_SEND]
    assert [c["keyId"] for c in context["passwordCredentials"]] == [
        c["keyId"] for c in old["passwordCredentials"]
    ]

    granted = assignments(world)
    applied = drive(world, "apply", evidence=world.evidence())
    assert applied.result == "incomplete"
    assert registered(applied)["outcome"] == "ok"
    assert registered(applied)["action"] == "adopt"
    new = applications(world)[0]
    assert MAIL_SEND in new["requiredResourceAccess"]
    assert old["passwordCredentials"][0] in new["passwordCredentials"]
    assert len(new["passwordCredentials"]) == 2
    assert all(entry in assignments(world) for entry in granted)
    kept = set(old) - {"requiredResourceAccess", "passwordCredentials"}
    assert {name: new[name] for name in kept} == {name: old[name] for name in kept}

    drive(world, "rollback", record=applied.folder.name)
    assert world.dump() == before


def test_two_of_one_name_stop_before_any_write(world: World) -> None:
    """Plan and apply say that the name is ambiguous, and nothing is written."""
    stranger(world)
    stranger(world)
    before = world.dump()
    for mode in ("plan", "apply"):
        closed = drive(world, mode)
        assert (closed.result, closed.exit_code) == ("failed", 1)
        end = registered(closed)
        assert (end["outcome"], end["remedy_id"]) == ("failed", "ambiguous-application")
        assert len(end["facts"]["appIds"]) == 2
    assert world.writes() == []
    assert world.dump() == before


def test_an_app_id_ends_the_ambiguity(world: World) -> None:
    """With the appId of one of two, that one is used and the other left alone."""
    stranger(world)
    stranger(world, description="the other one")
    wanted, other = applications(world)
    applied = drive(
        world, "apply", application_id=wanted["appId"], evidence=world.evidence()
    )
    assert applied.result == "incomplete"
    assert registered(applied)["after"]["appId"] == wanted["appId"]
    assert other in applications(world)


def test_multi_tenant_stranger_is_not_adopted(world: World) -> None:
    """An application for other organisations' accounts is refused, not narrowed."""
    stranger(world, signInAudience="AzureADMultipleOrgs")
    before = world.dump()
    applied = drive(world, "apply")
    assert registered(applied)["remedy_id"] == "adopted-application"
    assert world.dump() == before
    assert world.writes() == []


def test_user_read_goes_only_when_asked(world: World) -> None:
    """The delegated User.Read is removed by parameter, and put back by rollback."""
    stranger(world)
    before = world.dump()
    applied = drive(world, "apply", remove_user_read="yes")
    left = applications(world)[0]["requiredResourceAccess"]
    ids = {a["id"] for entry in left for a in entry["resourceAccess"]}
    assert MAIL_SEND["resourceAccess"][1]["id"] not in ids  # type: ignore[index]
    assert MAIL_SEND["resourceAccess"][0]["id"] in ids  # type: ignore[index]
    drive(world, "rollback", record=applied.folder.name)
    assert world.dump() == before

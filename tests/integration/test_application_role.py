"""Option 1 with a role of Exchange Online in place of full access."""

from __future__ import annotations

import json

from tests.integration.test_certificate import outcomes
from tests.integration.world import World, drive, step_ends

GROUP = "sap-senders@contoso.com"


def group_of(world: World, member: str) -> None:
    """Make the senders' group with one member."""
    world.exchange(
        "New-DistributionGroup",
        Name="sap-senders",
        PrimarySmtpAddress=GROUP,
        Members=[member],
    )


def chosen(world: World, **more: str) -> dict[str, str]:
    """Return the parameters, after the senders' group was made."""
    group_of(world, "sap@contoso.com")
    given = {"authorization": "app-rbac", "sender_group": GROUP}
    return {**given, "evidence": world.evidence(), **more}


def test_all_modes_with_a_role(world: World) -> None:
    """No permission in Entra ID, no full access, and the sign-in is accepted."""
    given = chosen(world)
    before = world.dump()
    plan = drive(world, "plan", **given)
    assert outcomes(plan)["grant-admin-consent"] == "skipped"
    assert outcomes(plan)["assign-send-as-app-role"] == "planned"
    assert world.dump() == before

    applied = drive(world, "apply", **given)
    assert applied.result == "incomplete", outcomes(applied)
    assert outcomes(applied)["sign-in-to-smtp"] == "ok"
    assert step_ends(applied)["obtain-access-token"]["after"]["roles"] == []  # type: ignore[index]
    dump = json.loads(world.dump())
    rows = dump["exchange"]["mailboxes"]["sap@contoso.com"]["permissions"]
    assert [row["User"] for row in rows] == ["NT AUTHORITY\\SELF"]
    stored = world.dump()
    late = {"evidence": world.evidence(applied), "completes": applied.folder.name}
    assert drive(world, "verify", **{**given, **late}).result == "succeeded"
    assert world.dump() == stored

    drive(world, "rollback", record=applied.folder.name)
    assert world.dump() == before


def test_without_a_group_nothing_is_assigned(world: World) -> None:
    """A role without a scope would reach every mailbox."""
    given = {**chosen(world), "sender_group": ""}
    applied = drive(world, "apply", **given)
    assert applied.result == "failed"
    assert outcomes(applied)["limit-to-sender-group"] == "failed"
    assert "assign-send-as-app-role" not in [
        s for s, o in outcomes(applied).items() if o == "changed"
    ]


def test_a_mailbox_outside_the_group_is_found(world: World) -> None:
    """Exchange's own test says so before SMTP would."""
    given = chosen(world)
    drive(world, "apply", **given)
    world.exchange("Remove-DistributionGroup", Identity=GROUP, Confirm=False)
    group_of(world, "inbox@contoso.com")
    verify = drive(world, "verify", **given)
    assert verify.result == "failed"
    assert outcomes(verify)["service-principal-authorization"] == "failed"


def test_a_permission_beside_the_role_is_found(world: World) -> None:
    """An application that has the Entra permission is not let in by the role."""
    given = chosen(world)
    drive(world, "apply", evidence=given["evidence"])
    switched = drive(world, "apply", **given)
    assert switched.result == "failed"
    assert outcomes(switched)["no-entra-permission"] == "failed"

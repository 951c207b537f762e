"""Three ids that look alike, each in every wrong place: found and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest
import yaml

from runbook_lib.evidence.close import Closed
from tests.integration import test_application_role
from tests.integration.world import World, drive, step_ends

APPLICATION = "the object ID of the application SAP SMTP OAuth"
CLIENT = "the application ID of SAP SMTP OAuth"
PRINCIPAL = "the object ID of the enterprise application SAP SMTP OAuth"


@dataclass(frozen=True)
class Ids:
    """The ids of the application that an apply made."""

    application: str
    client: str
    principal: str

    def named(self) -> dict[str, str]:
        """Return what each id is."""
        return {
            self.application: APPLICATION,
            self.client: CLIENT,
            self.principal: PRINCIPAL,
        }

    def but(self, right: str) -> list[str]:
        """Return the ids that are wrong where `right` belongs."""
        return [one for one in self.named() if one != right]


def applied(world: World, given: Mapping[str, str]) -> Ids:
    """Apply, and return the ids."""
    done = drive(world, "apply", **given)
    assert done.result == "incomplete"  # evidence of SAP comes later
    made = after(done, "register-application")
    return Ids(made["id"], made["appId"], after(done, "create-service-principal")["id"])


def after(closed: Closed, step: str) -> dict[str, Any]:
    """Return what a step observed last."""
    return cast("dict[str, Any]", step_ends(closed)[step]["after"])


def problem(closed: Closed, step: str) -> str:
    """Return what a step says is wrong; every step before it is in order."""
    ends = step_ends(closed)
    bad = [name for name, end in ends.items() if end["outcome"] in ("failed", "error")]
    assert bad[0] == step, ends[bad[0]]
    return str(ends[step]["problem"])


def test_in_place_of_the_application_id(world: World) -> None:
    """The parameter application_id takes the client ID and no other."""
    ids = applied(world, {"evidence": world.evidence()})
    good = drive(world, "plan", application_id=ids.client)
    assert step_ends(good)["register-application"]["outcome"] == "ok"
    for wrong in ids.but(ids.client):
        said = problem(
            drive(world, "plan", application_id=wrong), "register-application"
        )
        assert f"appId {wrong}: it is {ids.named()[wrong]}" in said
        assert f"whose application ID is {ids.client}" in said


@pytest.mark.parametrize("name", ["ObjectId", "AppId"])
def test_in_the_service_principal_of_exchange(world: World, name: str) -> None:
    """Exchange takes any GUID in silence; the sign-in then fails."""
    given = {"evidence": world.evidence()}
    ids = applied(world, given)
    right = {"AppId": ids.client, "ObjectId": ids.principal}
    registered = ids.principal
    for wrong in ids.but(right[name]):
        world.exchange("Remove-ServicePrincipal", Identity=registered, Confirm=False)
        mistaken = {**right, name: wrong}
        world.exchange("New-ServicePrincipal", **mistaken, DisplayName="by hand")
        registered = mistaken["ObjectId"]
        verify = drive(world, "verify", **given)
        said = problem(verify, "register-exchange-service-principal")
        assert f"with {name} {wrong}, expected {right[name]}" in said
        assert f"{wrong} is {ids.named()[wrong]}" in said
        apply = drive(world, "apply", **given)
        assert problem(apply, "register-exchange-service-principal") == said


def assign(world: World, name: str, app: str) -> None:
    """Make the role assignment of this name anew, by hand."""
    world.exchange("Remove-ManagementRoleAssignment", Identity=name, Confirm=False)
    world.exchange(
        "New-ManagementRoleAssignment",
        Name=name,
        Role="Application SMTP.SendAsApp",
        App=app,
        CustomResourceScope=name,
    )


def test_in_a_role_assignment(world: World) -> None:
    """Exchange finds the right entry by its application ID, and a wrong one else."""
    given = test_application_role.chosen(world)
    ids = applied(world, given)
    name = after(drive(world, "plan", **given), "assign-send-as-app-role")["Name"]
    assign(world, name, ids.client)
    again = step_ends(drive(world, "verify", **given))
    assert again["assign-send-as-app-role"]["outcome"] == "ok"
    wrong = ids.application
    other = {"AppId": wrong[::-1], "ObjectId": wrong, "DisplayName": "by hand"}
    world.exchange("New-ServicePrincipal", **other)
    assign(world, name, wrong)
    said = problem(drive(world, "verify", **given), "assign-send-as-app-role")
    assert f"{wrong} is {ids.named()[wrong]}" in said


def test_in_place_of_the_operators_client_id(world: World) -> None:
    """Nobody is signed in who could look it up, so the remedy names the trap."""
    ids = applied(world, {"evidence": world.evidence()})
    tenant = yaml.safe_load(world.tenant_file.read_text("utf-8"))
    for wrong in ids.but(ids.client):
        tenant["operator"]["client_id"] = wrong
        world.tenant_file.write_text(yaml.safe_dump(tenant), "utf-8")
        verify = drive(world, "verify")
        said = problem(verify, "operator-permissions")
        end = step_ends(verify)["operator-permissions"]
        assert f"'{wrong}' was not found" in said
        assert end["remedy_id"] == "token-application-not-found"
        assert "not an object ID" in str(end["remedy"])


def test_in_place_of_the_tenant_id(world: World) -> None:
    """An id of an application is no directory."""
    ids = applied(world, {"evidence": world.evidence()})
    tenant = yaml.safe_load(world.tenant_file.read_text("utf-8"))
    for wrong in ids.named():
        tenant["tenant_id"] = wrong
        world.tenant_file.write_text(yaml.safe_dump(tenant), "utf-8")
        verify = drive(world, "verify")
        assert wrong in problem(verify, "operator-permissions")
        end = step_ends(verify)["operator-permissions"]
        assert end["remedy_id"] == "token-wrong-tenant"

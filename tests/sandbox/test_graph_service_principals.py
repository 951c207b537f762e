"""Service principals and what is granted to them."""

import pytest

from tests.sandbox.directory import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    Directory,
    claims_of,
    equals,
    error_of,
)
from tests.sandbox.world import World

SEND_AS_APP = "7146a1f0-8703-45b3-9eae-527a64c00995"
NOBODY = "5e8d1a3c-0000-4000-8000-000000000001"


def test_create_gives_three_different_ids() -> None:
    """Object id of the application, client id and principal id never mix."""
    with World() as world:
        directory = Directory(world)
        application = directory.new_application()
        principal = directory.new_principal(application["appId"])
    ids = {application["id"], application["appId"], principal["id"]}
    assert len(ids) == 3
    assert principal["appId"] == application["appId"]
    assert principal["displayName"] == principal["appDisplayName"] == "sap-smtp"
    assert principal["servicePrincipalType"] == "Application"
    assert principal["appOwnerOrganizationId"] == world.tenant.tenant_id
    assert principal["accountEnabled"] is True


def test_exchange_offers_its_app_roles() -> None:
    """The role is found by value; its id is the one of the global cloud."""
    with World() as world:
        query = f"servicePrincipals?{equals('appId', EXCHANGE_APP_ID)}&$select=appRoles"
        (exchange,) = Directory(world).read(query)["value"]
    (role,) = [r for r in exchange["appRoles"] if r["value"] == "SMTP.SendAsApp"]
    assert role["id"] == SEND_AS_APP
    assert role["allowedMemberTypes"] == ["Application"]
    assert role["isEnabled"] is True
    assert set(exchange) == {"appRoles"}


def test_a_tenant_without_exchange_can_get_it() -> None:
    """Microsoft's own application needs no registration in the tenant."""
    with World() as world:
        directory = Directory(world)
        old = directory.exchange()["id"]
        assert directory.send("DELETE", f"servicePrincipals/{old}").status_code == 204
        query = f"servicePrincipals?{equals('appId', EXCHANGE_APP_ID)}"
        assert directory.read(query)["value"] == []
        new = directory.new_principal(EXCHANGE_APP_ID)
    assert new["displayName"] == "Office 365 Exchange Online"
    assert new["id"] != old


def test_change_and_disable() -> None:
    """A service principal can be disabled; its client id stays what it is."""
    with World() as world:
        directory = Directory(world)
        principal = directory.new_principal(directory.new_application()["appId"])
        path = f"servicePrincipals/{principal['id']}"
        answer = directory.send("PATCH", path, {"accountEnabled": False})
        assert answer.status_code == 204
        assert directory.read(path)["accountEnabled"] is False
        refused = directory.send("PATCH", path, {"appId": NOBODY})
    assert refused.status_code == 400


def test_deleting_it_keeps_the_application_and_drops_its_grants() -> None:
    """What led to it or from it is gone."""
    with World() as world:
        directory = Directory(world)
        application = directory.new_application()
        principal = directory.new_principal(application["appId"])
        directory.grant(principal["id"])
        path = f"servicePrincipals/{principal['id']}"
        assert directory.send("DELETE", path).status_code == 204
        assert directory.read(f"applications/{application['id']}")
        assignments = world.tenant.app_role_assignments.values()
        held = [a for a in assignments if a["principalId"] == principal["id"]]
    assert held == []


def test_app_id_is_needed() -> None:
    """A service principal of nothing is refused."""
    with World() as world:
        answer = Directory(world).send("POST", "servicePrincipals", {"notes": "x"})
    assert answer.status_code == 400
    assert "appId" in error_of(answer)[2]


def test_owned_by_meets_another_refusal() -> None:
    """A caller that may manage only its own gets 403 for a foreign client id."""
    with World() as world:
        directory = Directory(world)
        token = directory.token_with("Application.ReadWrite.OwnedBy")
        body = {"appId": NOBODY}
        answer = directory.send("POST", "servicePrincipals", body, token=token)
    assert error_of(answer)[:2] == (403, "Authorization_RequestDenied")
    assert "backing application" in error_of(answer)[2]


def test_grant_is_seen_from_both_ends() -> None:
    """The assignment names both, by id and by name, and can be read alone."""
    with World() as world:
        directory = Directory(world)
        principal = directory.new_principal(directory.new_application()["appId"])
        answer = directory.grant(principal["id"])
        held = f"servicePrincipals/{principal['id']}/appRoleAssignments"
        given = f"servicePrincipals/{directory.exchange()['id']}/appRoleAssignedTo"
        (assignment,) = directory.read(held)["value"]
        others = directory.read(given)["value"]
        single = directory.read(f"{held}/{assignment['id']}")
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(assignment["id"])
    assert assignment["resourceDisplayName"] == "Office 365 Exchange Online"
    assert assignment["principalDisplayName"] == "sap-smtp"
    assert assignment["principalType"] == "ServicePrincipal"
    assert assignment["appRoleId"] == SEND_AS_APP
    assert assignment in others
    assert single["id"] == assignment["id"]


def test_grant_from_the_resources_end() -> None:
    """POST appRoleAssignedTo makes the same assignment."""
    with World() as world:
        directory = Directory(world)
        principal = directory.new_principal(directory.new_application()["appId"])
        exchange = directory.exchange()["id"]
        body = {
            "principalId": principal["id"],
            "resourceId": exchange,
            "appRoleId": SEND_AS_APP,
        }
        path = f"servicePrincipals/{exchange}/appRoleAssignedTo"
        made = directory.create(path, body)
        revoked = directory.send("DELETE", f"{path}/{made['id']}")
        again = directory.send("DELETE", f"{path}/{made['id']}")
    assert (revoked.status_code, again.status_code) == (204, 404)


@pytest.mark.parametrize("missing", ["principalId", "resourceId", "appRoleId"])
def test_grant_needs_three_ids(missing: str) -> None:
    """Each of the three is required."""
    with World() as world:
        directory = Directory(world)
        principal = directory.new_principal(directory.new_application()["appId"])
        body = {
            "principalId": principal["id"],
            "resourceId": directory.exchange()["id"],
            "appRoleId": SEND_AS_APP,
        }
        del body[missing]
        path = f"servicePrincipals/{principal['id']}/appRoleAssignments"
        answer = directory.send("POST", path, body)
    assert answer.status_code == 400
    assert missing in error_of(answer)[2]


def test_grant_to_an_application_object_is_not_found() -> None:
    """The application's object id is no principal."""
    with World() as world:
        directory = Directory(world)
        application = directory.new_application()
        principal = directory.new_principal(application["appId"])
        body = {
            "principalId": application["id"],
            "resourceId": directory.exchange()["id"],
            "appRoleId": SEND_AS_APP,
        }
        path = f"servicePrincipals/{directory.exchange()['id']}/appRoleAssignedTo"
        answer = directory.send("POST", path, body)
        mixed = directory.send(
            "POST", f"servicePrincipals/{principal['id']}/appRoleAssignments", body
        )
    assert error_of(answer)[:2] == (404, "Request_ResourceNotFound")
    assert mixed.status_code == 400


def test_revoking_takes_the_role_out_of_the_next_token() -> None:
    """Tokens that were issued before keep it."""
    with World() as world:
        directory = Directory(world)
        application = world.application("SMTP.SendAsApp")
        path = f"servicePrincipals/{application.principal_id}/appRoleAssignments"
        (assignment,) = directory.read(path)["value"]
        before = world.token(application)
        assert directory.send("DELETE", f"{path}/{assignment['id']}").status_code == 204
        assert directory.read(path)["value"] == []
        after = world.token(application)
    assert claims_of(before)["roles"] == ["SMTP.SendAsApp"]
    assert "roles" not in claims_of(after)


def test_granting_needs_two_rights() -> None:
    """To grant, a token needs the right to assign and the right to read."""
    with World() as world:
        directory = Directory(world)
        principal = directory.new_principal(directory.new_application()["appId"])
        exchange = directory.exchange()["id"]
        body = {
            "principalId": principal["id"],
            "resourceId": exchange,
            "appRoleId": SEND_AS_APP,
        }
        path = f"servicePrincipals/{principal['id']}/appRoleAssignments"
        half = directory.token_with("AppRoleAssignment.ReadWrite.All")
        whole = directory.token_with(
            "AppRoleAssignment.ReadWrite.All", "Application.Read.All"
        )
        answers = [
            directory.send("POST", path, body, token=token) for token in (half, whole)
        ]
    assert [answer.status_code for answer in answers] == [403, 201]


def test_delegated_grants_are_read_and_deleted() -> None:
    """A delegated permission is another thing than an app role."""
    with World() as world:
        directory = Directory(world)
        (entry,) = directory.read("oauth2PermissionGrants")["value"]
        path = f"oauth2PermissionGrants/{entry['id']}"
        client = f"servicePrincipals/{entry['clientId']}/oauth2PermissionGrants"
        assert directory.read(client)["value"] == [entry]
        assert directory.read(path)["scope"] == "User.Read"
        assert directory.send("DELETE", path).status_code == 204
        assert directory.send("GET", path).status_code == 404
        graph = directory.read(f"servicePrincipals(appId='{GRAPH_APP_ID}')")
    assert entry["resourceId"] == graph["id"]

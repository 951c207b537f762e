"""Rows of the Graph host."""

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.directory import Directory, KeyPair, equals, error_of
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("graph", file=__file__)
PAIR = KeyPair()


@CHECKS.row("graph.audience")
def check_audience(world: World) -> None:
    """A token for Exchange does not open Graph."""
    answer = Directory(world).send("GET", "organization", token=world.token())
    assert answer.status_code == 401
    assert error_of(answer)[1] == "InvalidAuthenticationToken"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@CHECKS.row("graph.permission")
def check_permission(world: World) -> None:
    """A right to read domains is none to read applications."""
    directory = Directory(world)
    token = directory.token_with("Domain.Read.All")
    assert directory.send("GET", "domains", token=token).status_code == 200
    answer = directory.send("GET", "applications", token=token)
    assert answer.status_code == 403
    assert error_of(answer)[1] == "Authorization_RequestDenied"


@CHECKS.row("graph.owned-by")
def check_owned_by(world: World) -> None:
    """The caller changes what it created and nothing else."""
    directory = Directory(world)
    token = directory.token_with("Application.ReadWrite.OwnedBy")
    own = directory.send("POST", "applications", {"displayName": "own"}, token=token)
    change = {"notes": "changed"}
    path = f"applications/{own.json()['id']}"
    assert directory.send("PATCH", path, change, token=token).status_code == 204
    foreign = directory.new_application("foreign")
    path = f"applications/{foreign['id']}"
    answer = directory.send("PATCH", path, change, token=token)
    assert answer.status_code == 403


@CHECKS.row("graph.client-request-id")
def check_client_request_id(world: World) -> None:
    """The caller finds its own id in head and error body."""
    own = "5e8d1a3c-0000-4000-8000-000000000001"
    headers = {"client-request-id": own}
    answer = Directory(world).send("GET", "applications/none", headers=headers)
    assert answer.headers["client-request-id"] == own
    assert answer.json()["error"]["innerError"]["client-request-id"] == own


@CHECKS.row("graph.unknown-segment")
def check_unknown_segment(world: World) -> None:
    """An unknown path cannot be taken for an absent object."""
    answer = Directory(world).send("GET", "aplications")
    assert error_of(answer) == (
        400,
        "BadRequest",
        "Resource not found for the segment 'aplications'.",
    )


@CHECKS.row("graph.unknown-property")
def check_unknown_property(world: World) -> None:
    """A property that does not exist is refused, outside and inside."""
    directory = Directory(world)
    answer = directory.send("POST", "applications", {"displayname": "x"})
    assert error_of(answer)[2] == "Invalid property 'displayname'."
    inner = [{"resourceAppID": "x"}]
    answer = directory.send(
        "POST", "applications", {"displayName": "x", "requiredResourceAccess": inner}
    )
    assert "does not exist on type 'microsoft.graph.requiredRes" in error_of(answer)[2]


@CHECKS.row("graph.wrong-type")
def check_wrong_type(world: World) -> None:
    """A text is no truth value, and base64url is no base64."""
    directory = Directory(world)
    body: dict[str, Any] = {"displayName": "x", "isFallbackPublicClient": "false"}
    answer = directory.send("POST", "applications", body)
    assert answer.status_code == 400
    assert "expected type 'Edm.Boolean'" in error_of(answer)[2]
    key = PAIR.credential(key="_-_-")
    body = {"displayName": "x", "keyCredentials": [key]}
    answer = directory.send("POST", "applications", body)
    assert "expected type 'Edm.Binary'" in error_of(answer)[2]


@CHECKS.row("graph.read-only-property")
def check_read_only_property(world: World) -> None:
    """A client id cannot be chosen."""
    body = {"displayName": "x", "appId": "5e8d1a3c-0000-4000-8000-000000000001"}
    answer = Directory(world).send("POST", "applications", body)
    assert answer.status_code == 400
    assert "'appId' is read-only" in error_of(answer)[2]


@CHECKS.row("graph.content-type")
def check_content_type(world: World) -> None:
    """A body without a declared type is not read."""
    body = b'{"displayName":"x"}'
    answer = Directory(world).send("POST", "applications", content=body)
    assert answer.status_code == 400
    assert "Content-Type" in error_of(answer)[2]


@CHECKS.row("graph.unknown-filter")
def check_unknown_filter(world: World) -> None:
    """A misspelt property is an error, not an empty list."""
    answer = Directory(world).send("GET", f"applications?{equals('name', 'x')}")
    assert answer.status_code == 400
    assert "Could not find a property named 'name'" in error_of(answer)[2]


@CHECKS.row("graph.unknown-select")
def check_unknown_select(world: World) -> None:
    """A misspelt property in $select is an error."""
    answer = Directory(world).send("GET", "applications?$select=id,name")
    assert answer.status_code == 400
    assert "Could not find a property named 'name'" in error_of(answer)[2]


@CHECKS.row("graph.paging")
def check_paging(world: World) -> None:
    """Following the links yields every object once, and the last page has none."""
    directory = Directory(world)
    url = "applications?$select=id&$top=2"
    pages: list[Any] = [directory.read(url)]
    while link := pages[-1].get("@odata.nextLink"):
        pages.append(directory.read(link))
    found = [entry["id"] for page in pages for entry in page["value"]]
    assert found == list(world.tenant.applications)
    assert len(pages) == 3


@CHECKS.row("graph.create-declares-nothing")
def check_create_declares_nothing(world: World) -> None:
    """A new application asks for nothing, User.Read included."""
    assert Directory(world).new_application()["requiredResourceAccess"] == []


@CHECKS.row("graph.patch-replaces-collection")
def check_patch_replaces(world: World) -> None:
    """What is not sent again is gone."""
    directory = Directory(world)
    application = directory.new_application(tags=["one", "two"])
    path = f"applications/{application['id']}"
    assert directory.send("PATCH", path, {"tags": ["three"]}).status_code == 204
    read = directory.read(path)
    assert read["tags"] == ["three"]
    assert read["displayName"] == "sap-smtp"


@CHECKS.row("graph.key-bytes-on-select")
def check_key_bytes(world: World) -> None:
    """A plain read hides the certificate; an explicit one shows it."""
    directory = Directory(world)
    credential = PAIR.credential()
    application = directory.new_application(keyCredentials=[credential])
    path = f"applications/{application['id']}"
    assert directory.read(path)["keyCredentials"][0]["key"] is None
    selected = directory.read(f"{path}?$select=keyCredentials")
    assert selected["keyCredentials"][0]["key"] == credential["key"]


@CHECKS.row("graph.certificate-dates")
def check_certificate_dates(world: World) -> None:
    """A credential may not outlive its certificate."""
    later = (PAIR.end + timedelta(days=1)).isoformat()
    body = {
        "displayName": "x",
        "keyCredentials": [PAIR.credential(endDateTime=later)],
    }
    answer = Directory(world).send("POST", "applications", body)
    assert answer.status_code == 400
    assert error_of(answer)[2] == "Key credential end date is invalid."


@CHECKS.row("graph.secret-shown-once")
def check_secret_shown_once(world: World) -> None:
    """Reading the application does not give the secret back."""
    directory = Directory(world)
    application = directory.new_application()
    path = f"applications/{application['id']}"
    answer = directory.send("POST", f"{path}/addPassword", {"passwordCredential": {}})
    assert answer.status_code == 200
    secret = answer.json()["secretText"]
    credential = directory.read(path)["passwordCredentials"][0]
    assert credential["secretText"] is None
    assert credential["hint"] == secret[:3]


@CHECKS.row("graph.unknown-key-id")
def check_unknown_key_id(world: World) -> None:
    """A secret that is not there cannot be removed."""
    directory = Directory(world)
    path = f"applications/{directory.new_application()['id']}/removePassword"
    key_id = "5e8d1a3c-0000-4000-8000-000000000001"
    answer = directory.send("POST", path, {"keyId": key_id})
    assert answer.status_code == 400
    assert "No password credential found with keyId" in error_of(answer)[2]


@CHECKS.row("graph.app-management-policy")
def check_app_management_policy(world: World) -> None:
    """A tenant can forbid secrets."""
    directory = Directory(world)
    path = f"applications/{directory.new_application()['id']}/addPassword"
    policy = world.tenant.default_app_management_policy
    policy["isEnabled"] = True
    policy["applicationRestrictions"]["passwordCredentials"] = [
        {"restrictionType": "passwordAddition", "maxLifetime": None}
    ]
    answer = directory.send("POST", path, {})
    assert answer.status_code == 400
    assert error_of(answer)[1] == "CredentialTypeNotAllowedAsPerAppPolicy"


@CHECKS.row("graph.no-backing-application")
def check_no_backing_application(world: World) -> None:
    """An unknown client id has no enterprise application."""
    body = {"appId": "5e8d1a3c-0000-4000-8000-000000000001"}
    answer = Directory(world).send("POST", "servicePrincipals", body)
    assert answer.status_code == 400
    detail = answer.json()["error"]["details"][0]
    assert (detail["code"], detail["target"]) == ("NoBackingApplicationObject", "appId")


@CHECKS.row("graph.duplicate-service-principal")
def check_duplicate_service_principal(world: World) -> None:
    """An application has one service principal."""
    directory = Directory(world)
    body = {"appId": directory.new_application()["appId"]}
    assert directory.send("POST", "servicePrincipals", body).status_code == 201
    answer = directory.send("POST", "servicePrincipals", body)
    assert answer.status_code == 409
    assert error_of(answer)[1] == "Request_MultipleObjectsWithSameKeyValue"


@CHECKS.row("graph.unknown-app-role")
def check_unknown_app_role(world: World) -> None:
    """Only what the resource offers can be granted."""
    directory = Directory(world)
    application = world.application()
    body = {
        "principalId": application.principal_id,
        "resourceId": directory.exchange()["id"],
        "appRoleId": "5e8d1a3c-0000-4000-8000-000000000001",
    }
    path = f"servicePrincipals/{application.principal_id}/appRoleAssignments"
    answer = directory.send("POST", path, body)
    assert answer.status_code == 400
    assert "Permission being assigned was not found" in error_of(answer)[2]


@CHECKS.row("graph.duplicate-assignment")
def check_duplicate_assignment(world: World) -> None:
    """A grant exists once."""
    directory = Directory(world)
    principal = world.application("SMTP.SendAsApp").principal_id
    answer = directory.grant(principal)
    assert answer.status_code == 400
    expected = "Permission being assigned already exists on the object"
    assert error_of(answer)[2] == expected


@CHECKS.row("graph.soft-delete")
def check_soft_delete(world: World) -> None:
    """A deleted application is found among the deleted items and comes back."""
    directory = Directory(world)
    application = directory.new_application()
    path = f"applications/{application['id']}"
    assert directory.send("DELETE", path).status_code == 204
    assert directory.send("GET", path).status_code == 404
    item = f"directory/deletedItems/{application['id']}"
    answer = directory.send("POST", f"{item}/restore")
    assert answer.status_code == 200
    assert directory.read(path)["appId"] == application["appId"]


@CHECKS.row("graph.restore-one-object")
def check_restore_one_object(world: World) -> None:
    """A restored application has no service principal yet."""
    directory = Directory(world)
    application = directory.new_application()
    principal = directory.new_principal(application["appId"])
    directory.send("DELETE", f"applications/{application['id']}")
    directory.send("POST", f"directory/deletedItems/{application['id']}/restore")
    path = f"servicePrincipals/{principal['id']}"
    assert directory.send("GET", path).status_code == 404
    directory.send("POST", f"directory/deletedItems/{principal['id']}/restore")
    assert directory.read(path)["appId"] == application["appId"]


@CHECKS.row("graph.delete-takes-service-principal")
def check_delete_takes_service_principal(world: World) -> None:
    """The enterprise application goes with its application."""
    directory = Directory(world)
    application = directory.new_application()
    principal = directory.new_principal(application["appId"])
    directory.send("DELETE", f"applications/{application['id']}")
    answer = directory.send("GET", f"servicePrincipals/{principal['id']}")
    assert answer.status_code == 404


@CHECKS.row("graph.member-of-limited")
def check_member_of_limited(world: World) -> None:
    """Who may not read roles sees that there is one, and not which."""
    directory = Directory(world)
    path = f"servicePrincipals(appId='{directory.operator.client_id}')/memberOf"
    full = directory.read(path)["value"][0]
    assert full["displayName"] == "Exchange Administrator"
    token = directory.token_with("Application.Read.All")
    limited = directory.read(path, token=token)["value"][0]
    assert limited["id"] == full["id"]
    assert limited["displayName"] is None


@CHECKS.row("graph.cast-needs-advanced")
def check_cast_needs_advanced(world: World) -> None:
    """A cast without the advanced query parameters is refused."""
    directory = Directory(world)
    held = f"servicePrincipals(appId='{directory.operator.client_id}')"
    path = f"{held}/transitiveMemberOf/microsoft.graph.directoryRole"
    assert directory.send("GET", path).status_code == 400


@CHECKS.row("graph.batch-limit")
def check_batch_limit(world: World) -> None:
    """Twenty requests are one batch, twenty-one are too many."""
    directory = Directory(world)
    item = {"method": "GET", "url": "/organization"}
    items = [{**item, "id": str(number)} for number in range(21)]
    answer = directory.send("POST", "$batch", {"requests": items[:20]})
    assert len(answer.json()["responses"]) == 20
    answer = directory.send("POST", "$batch", {"requests": items})
    assert answer.status_code == 400


@CHECKS.row("graph.batch-dependency")
def check_batch_dependency(world: World) -> None:
    """What depends on a failed request is not sent."""
    items = [
        {"id": "1", "method": "GET", "url": "/applications/none"},
        {"id": "2", "method": "GET", "url": "/organization", "dependsOn": ["1"]},
    ]
    answer = Directory(world).send("POST", "$batch", {"requests": items})
    statuses = {entry["id"]: entry["status"] for entry in answer.json()["responses"]}
    assert statuses == {"1": 404, "2": 424}


@pytest.mark.parametrize("row", list(CHECKS))
def test_row_holds(row: str) -> None:
    """The row's check passes against a whole sandbox."""
    with World() as world:
        CHECKS.run(row, world)


@pytest.mark.parametrize("row", list(CHECKS))
def test_row_is_noticed_when_broken(row: str) -> None:
    """The row's check fails where the row is switched off."""
    with World(broken=row) as world, pytest.raises(AssertionError):
        CHECKS.run(row, world)


def test_every_row_has_a_check() -> None:
    """No row of the area is without a check, and no check without a row."""
    assert CHECKS.missing() == set()

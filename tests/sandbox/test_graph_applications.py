"""Applications: create, read, change, delete."""

from typing import Any

import pytest

from tests.sandbox.directory import EXCHANGE_APP_ID, Directory, equals, error_of
from tests.sandbox.world import World


def test_create_answers_with_the_whole_object() -> None:
    """201, a location, and every documented key with the service's defaults."""
    with World() as world:
        directory = Directory(world)
        body = {"displayName": "sap", "signInAudience": "AzureADMyOrg", "notes": "run"}
        answer = directory.send("POST", "applications", body)
    made = answer.json()
    assert answer.status_code == 201
    assert made["id"] in answer.headers["Location"]
    context = "https://graph.microsoft.com/v1.0/$metadata#applications/$entity"
    assert made["@odata.context"] == context
    assert made["id"] != made["appId"]
    assert made["publisherDomain"] == "contoso.onmicrosoft.com"
    assert (made["displayName"], made["notes"]) == ("sap", "run")
    assert made["api"]["oauth2PermissionScopes"] == []
    assert made["passwordCredentials"] == made["keyCredentials"] == []


def test_sign_in_audience_has_a_default_for_everybody() -> None:
    """Without an audience the application is not single-tenant."""
    with World() as world:
        made = Directory(world).create("applications", {"displayName": "sap"})
    assert made["signInAudience"] == "AzureADandPersonalMicrosoftAccount"


def test_names_are_not_unique() -> None:
    """Two applications may have one name; a filter finds both, whatever the case."""
    with World() as world:
        directory = Directory(world)
        for _ in range(2):
            directory.new_application("Relay")
        found = directory.read(f"applications?{equals('displayName', 'relay')}")
    assert [entry["displayName"] for entry in found["value"]] == ["Relay", "Relay"]


def test_alternate_key_and_object_id_lead_to_the_same() -> None:
    """The client id is a key of its own; the object id is not a client id."""
    with World() as world:
        directory = Directory(world)
        made = directory.new_application()
        by_app_id = directory.read(f"applications(appId='{made['appId']}')")
        by_id = directory.read(f"applications/{made['id']}")
        wrong = directory.send("GET", f"applications(appId='{made['id']}')")
        upper = directory.read(f"applications/{made['id'].upper()}")
        other = directory.send("GET", "applications(displayName='sap-smtp')")
    assert by_app_id["id"] == by_id["id"] == upper["id"] == made["id"]
    assert other.status_code == 400
    assert error_of(wrong)[:2] == (404, "Request_ResourceNotFound")


def test_change_is_empty_204_and_keeps_the_rest() -> None:
    """Complex values merge; what is not sent stays."""
    with World() as world:
        directory = Directory(world)
        path = f"applications/{directory.new_application()['id']}"
        access = [
            {
                "resourceAppId": EXCHANGE_APP_ID,
                "resourceAccess": [
                    {"id": directory.app_role("SMTP.SendAsApp"), "type": "Role"}
                ],
            }
        ]
        body = {"requiredResourceAccess": access, "web": {"homePageUrl": None}}
        answer = directory.send("PATCH", path, body)
        read = directory.read(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert read["requiredResourceAccess"] == access
    assert read["web"]["redirectUris"] == []


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({}, "A value is required for property 'displayName'"),
    ({"displayName": ""}, "A value is required for property 'displayName'"),
    ({"displayName": 5}, "expected type 'Edm.String'"),
    ({"displayName": "x", "signInAudience": "Everyone"}, "signInAudience"),
    ({"displayName": "x", "tags": None}, "null value"),
    ({"displayName": "x", "tags": "one"}, "StartArray"),
    ({"displayName": "x", "tags": [None]}, "null value"),
    ({"displayName": "x", "api": []}, "StartObject"),
    ({"displayName": "x", "owners": []}, "Invalid property 'owners'"),
    ({"displayName": "x", "tokenEncryptionKeyId": "12"}, "Edm.Guid"),
    (
        {"displayName": "x", "passwordCredentials": [{"displayName": "y"}]},
        "must be generated using service actions",
    ),
    (
        {
            "displayName": "x",
            "requiredResourceAccess": [
                {"resourceAppId": str(number), "resourceAccess": []}
                for number in range(51)
            ],
        },
        "exceeded its limit",
    ),
]


@pytest.mark.parametrize(("body", "text"), BAD_BODIES)
def test_bad_bodies_are_refused_and_create_nothing(
    body: dict[str, Any], text: str
) -> None:
    """Each is a 400 that says what is wrong, and the list stays as it was."""
    with World() as world:
        before = dict(world.tenant.applications)
        answer = Directory(world).send("POST", "applications", body)
        assert world.tenant.applications == before
    assert answer.status_code == 400
    assert text in error_of(answer)[2]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "Empty Payload"),
        (b"{", "Unable to read JSON request payload"),
        (b"[]", "Unable to read JSON request payload"),
    ],
)
def test_unreadable_bodies(content: bytes, text: str) -> None:
    """What is no JSON object is refused before anything else."""
    headers = {"Content-Type": "application/json"}
    with World() as world:
        directory = Directory(world)
        answer = directory.send(
            "POST", "applications", content=content, headers=headers
        )
    assert error_of(answer)[:2] == (400, "BadRequest")
    assert text in error_of(answer)[2]


def test_type_annotations_are_accepted() -> None:
    """Generated libraries send @odata.type with each object."""
    body = {"@odata.type": "#microsoft.graph.application", "displayName": "sap"}
    with World() as world:
        assert "@odata.type" not in Directory(world).create("applications", body)


def test_a_refused_change_changes_nothing() -> None:
    """A body with one good and one bad property is refused as a whole."""
    with World() as world:
        directory = Directory(world)
        made = directory.new_application()
        body = {"notes": "changed", "nots": "misspelt"}
        answer = directory.send("PATCH", f"applications/{made['id']}", body)
        assert answer.status_code == 400
        assert directory.read(f"applications/{made['id']}")["notes"] is None


def test_deleted_items_list_and_purge() -> None:
    """Both objects lie among the deleted items until they are purged."""
    with World() as world:
        directory = Directory(world)
        made = directory.new_application()
        principal = directory.new_principal(made["appId"])
        directory.send("DELETE", f"applications/{made['id']}")
        items = "directory/deletedItems"
        applications = directory.read(f"{items}/microsoft.graph.application")
        principals = directory.read(f"{items}/microsoft.graph.servicePrincipal")
        item = directory.read(f"{items}/{made['id']}")
        purged = directory.send("DELETE", f"{items}/{made['id']}")
        again = directory.send("GET", f"{items}/{made['id']}")
    assert [entry["id"] for entry in applications["value"]] == [made["id"]]
    assert [entry["id"] for entry in principals["value"]] == [principal["id"]]
    assert item["@odata.type"] == "#microsoft.graph.application"
    assert item["deletedDateTime"] is not None
    assert (purged.status_code, again.status_code) == (204, 404)


def test_service_principal_is_restored_on_its_own() -> None:
    """Two requests make the pair whole again; what it was granted is gone."""
    with World() as world:
        directory = Directory(world)
        made = directory.new_application()
        principal = directory.new_principal(made["appId"])
        directory.grant(principal["id"])
        directory.send("DELETE", f"applications/{made['id']}")
        for identifier in (made["id"], principal["id"]):
            directory.send("POST", f"directory/deletedItems/{identifier}/restore")
        back = directory.read(f"servicePrincipals/{principal['id']}")
        path = f"servicePrincipals/{principal['id']}/appRoleAssignments"
        assert directory.read(path)["value"] == []
    assert back["appId"] == made["appId"]
    assert back["deletedDateTime"] is None


def test_a_service_principal_is_not_restored_without_its_application() -> None:
    """Its application has to be there first."""
    with World() as world:
        directory = Directory(world)
        made = directory.new_application()
        principal = directory.new_principal(made["appId"])
        directory.send("DELETE", f"applications/{made['id']}")
        path = f"directory/deletedItems/{principal['id']}/restore"
        answer = directory.send("POST", path)
    assert error_of(answer)[:2] == (400, "Request_BadRequest")


def test_owner_is_who_may_only_own() -> None:
    """An application-only caller owns what it creates with OwnedBy, else nobody."""
    with World() as world:
        directory = Directory(world)
        token = directory.token_with("Application.ReadWrite.OwnedBy")
        body = {"displayName": "own"}
        own = directory.send("POST", "applications", body, token=token).json()
        owners = directory.read(f"applications/{own['id']}/owners")["value"]
        made = directory.new_application()
        assert directory.read(f"applications/{made['id']}/owners")["value"] == []
    assert [owner["displayName"] for owner in owners] == ["limited"]
    assert owners[0]["@odata.type"] == "#microsoft.graph.servicePrincipal"

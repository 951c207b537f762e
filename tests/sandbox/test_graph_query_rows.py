"""Query options beyond the plain ones, and the spellings of paths."""

import base64
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.directory import GRAPH, Directory, KeyPair, error_of
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("graph", file=__file__)
EVENTUAL = {"ConsistencyLevel": "eventual"}
PAIR = KeyPair()


@CHECKS.row("graph.path-spelling")
def check_path_spelling(world: World) -> None:
    """As some clients write it; a batch too."""
    directory = Directory(world)
    for path in ("/organization", "myorganization/organization", "/domains/"):
        answer = directory.send("GET", f"{GRAPH}/{path}")
        assert answer.status_code == 200, path
    batch = {"requests": [{"id": "1", "method": "GET", "url": "//organization"}]}
    answer = directory.send("POST", f"{GRAPH}//$batch", batch)
    assert answer.status_code == 200
    assert answer.json()["responses"][0]["status"] == 200


@CHECKS.row("graph.advanced-filter")
def check_advanced_filter(world: World) -> None:
    """With both it finds all but the named; text has no case there either."""
    directory = Directory(world)
    path = f"{GRAPH}/applications?$filter={quote('displayName ne ')}'PAYROLL connector'"
    for plain, headers in ((path, EVENTUAL), (f"{path}&$count=true", {})):
        assert directory.send("GET", plain, headers=headers).status_code == 400
    answer = directory.send("GET", f"{path}&$count=true", headers=EVENTUAL)
    names = [entry["displayName"] for entry in answer.json()["value"]]
    assert "Payroll Connector" not in names
    assert answer.json()["@odata.count"] == len(names) == 5


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize(
    ("clause", "count"),
    [
        ("tags/any(t:t eq 'SAP')", 1),
        ("tags/any(t:startswith(t,'s'))", 1),
        ("tags/any(t:t eq 'other')", 0),
        ("identifierUris/any(u:u eq 'api://sap')", 1),
        ("displayName eq 'tagged' and tags/any(x:x eq 'sap')", 1),
    ],
)
def test_any_over_a_collection(clause: str, count: int) -> None:
    """A collection is searched by the values in it."""
    with World() as world:
        directory = Directory(world)
        directory.new_application("tagged", tags=["sap"], identifierUris=["api://sap"])
        found = directory.read(f"applications?$filter={quote(clause)}")["value"]
        assert len(found) == count


def test_any_over_key_credentials() -> None:
    """A certificate is found by its id, a service principal by its names."""
    with World() as world:
        directory = Directory(world)
        made = directory.new_application(keyCredentials=[PAIR.credential()])
        key_id = made["keyCredentials"][0]["keyId"]
        clause = quote(f"keyCredentials/any(k:k/keyId eq {key_id})")
        found = directory.read(f"applications?$filter={clause}")["value"]
        assert [entry["id"] for entry in found] == [made["id"]]
        named = quote(
            "servicePrincipalNames/any(n:n eq 'https://outlook.office365.com')"
        )
        found = directory.read(f"servicePrincipals?$filter={named}")["value"]
        assert [entry["displayName"] for entry in found] == [
            "Office 365 Exchange Online"
        ]


@pytest.mark.parametrize(
    "clause",
    ["appRoles/any(r:r/value eq 'x')", "tags/any(t:t/x eq 'y')", "tags/any()"],
)
def test_any_that_is_not_played_is_refused(clause: str) -> None:
    """Refused, never ignored."""
    with World() as world:
        answer = Directory(world).send("GET", f"applications?$filter={quote(clause)}")
        assert answer.status_code == 400


def test_owners_and_assignments_are_expanded() -> None:
    """Inside the object, with its own selection."""
    with World() as world:
        directory = Directory(world)
        token = directory.token_with("Application.ReadWrite.OwnedBy")
        own = directory.send("POST", "applications", {"displayName": "a"}, token=token)
        path = f"applications/{own.json()['id']}?$select=id&$expand=owners($select=id)"
        shown = directory.read(path)
        assert set(shown) == {"@odata.context", "id", "owners"}
        assert [set(owner) for owner in shown["owners"]] == [{"@odata.type", "id"}]
        client = directory.operator.client_id
        path = f"servicePrincipals(appId='{client}')?$expand=appRoleAssignments"
        assert len(directory.read(path)["appRoleAssignments"]) == 9
        exchange = directory.read("servicePrincipals?$expand=appRoleAssignedTo")
        held = {e["appId"]: len(e["appRoleAssignedTo"]) for e in exchange["value"]}
        assert held["00000002-0000-0ff1-ce00-000000000000"] == 2


@pytest.mark.parametrize(
    ("relation", "code"),
    [
        ("owners,tags", "Request_UnsupportedQuery"),
        ("tokenLifetimePolicies", "Request_UnsupportedQuery"),
        ("nothing", "BadRequest"),
    ],
)
def test_expansions_that_are_refused(relation: str, code: str) -> None:
    """Several, one that is not played, one that is not there."""
    with World() as world:
        answer = Directory(world).send("GET", f"applications?$expand={relation}")
        assert error_of(answer)[:2] == (400, code)


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("applications/$count", 6),
        ("applications/$count?$filter=displayName eq 'Invoice Archive'", 2),
        ("servicePrincipals/$count", 11),
        ("users/$count", 6),
    ],
)
def test_counts(path: str, count: int) -> None:
    """A number as text; only with eventual consistency."""
    with World() as world:
        directory = Directory(world)
        token = directory.token_with("Directory.Read.All")
        before = 1 if "filter" not in path and "users" not in path else 0
        answer = directory.send("GET", path, token=token, headers=EVENTUAL)
        assert answer.text == str(count + before)
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert directory.send("GET", path, token=token).status_code == 400


@pytest.mark.parametrize("line", [64, 76])
def test_base64_may_have_line_breaks(line: int) -> None:
    """As PEM files and MIME break it."""
    with World() as world:
        plain = base64.b64encode(PAIR.der).decode()
        parts = [plain[i : i + line] for i in range(0, len(plain), line)]
        body: dict[str, Any] = PAIR.credential(key="\r\n".join(parts))
        made = Directory(world).new_application(keyCredentials=[body])
        assert len(made["keyCredentials"]) == 1


def test_users_are_found_by_name() -> None:
    """By principal name, by filter, and with the properties of a plain read."""
    with World() as world:
        directory = Directory(world)
        token = directory.token_with("User.Read.All")
        name = f"admin@{world.tenant.initial_domain}"
        user = directory.read(f"users/{name}", token=token)
        assert user["displayName"] == "Global Admin"
        assert "accountEnabled" not in user
        clause = quote(f"userPrincipalName eq '{name}'")
        path = f"users?$filter={clause}&$select=accountEnabled"
        assert directory.read(path, token=token)["value"] == [{"accountEnabled": True}]
        assert directory.send("GET", "users/nobody", token=token).status_code == 404

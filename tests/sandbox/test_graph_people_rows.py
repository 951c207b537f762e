"""Rows of the Graph host about people: scopes, directory roles, ownership."""

from tests.sandbox.directory import error_of
from tests.sandbox.people import People
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("graph", file=__file__)
CONSENT = ("AppRoleAssignment.ReadWrite.All", "Application.Read.All")
WRITE = "Application.ReadWrite.All"


@CHECKS.row("graph.directory-role")
def check_directory_role(world: World) -> None:
    """The same scope reads domains for a Global Reader only."""
    people = People(world)
    reader = people.graph_token("reader", "Domain.Read.All")
    send = people.directory.send
    assert send("GET", "domains", token=reader).status_code == 200
    user = people.graph_token("user", "Domain.Read.All")
    answer = send("GET", "domains", token=user)
    assert answer.status_code == 403
    assert error_of(answer)[1] == "Authorization_RequestDenied"


@CHECKS.row("graph.consent-to-graph")
def check_consent_to_graph(world: World) -> None:
    """An Application Administrator grants roles of Exchange Online, not of Graph."""
    people, directory = People(world), People(world).directory
    token = people.graph_token("app.admin", *CONSENT)
    principal = directory.new_principal(directory.new_application()["appId"])["id"]
    graph_id = "00000003-0000-0000-c000-000000000000"
    statuses = []
    for app_id, value in (
        ("00000002-0000-0ff1-ce00-000000000000", "SMTP.SendAsApp"),
        (graph_id, "Domain.Read.All"),
    ):
        resource = directory.read(f"servicePrincipals(appId='{app_id}')")
        roles = {role["value"]: role["id"] for role in resource["appRoles"]}
        body = {
            "principalId": principal,
            "resourceId": resource["id"],
            "appRoleId": roles[value],
        }
        path = f"servicePrincipals/{principal}/appRoleAssignments"
        statuses.append(directory.send("POST", path, body, token=token).status_code)
    assert statuses == [201, 403]


@CHECKS.row("graph.person-owns")
def check_person_owns(world: World) -> None:
    """What an ordinary user registers is theirs; what others made is not."""
    people = People(world)
    token, send = people.graph_token("user", WRITE), people.directory.send
    own = send("POST", "applications", {"displayName": "mine"}, token=token)
    assert own.status_code == 201
    others = people.directory.new_application()["id"]
    mine, body = own.json()["id"], {"notes": "changed"}
    statuses = [
        send("PATCH", f"applications/{identifier}", body, token=token).status_code
        for identifier in (mine, others)
    ]
    assert statuses == [204, 403]
    owners = people.directory.read(f"applications/{mine}/owners")
    assert [entry["displayName"] for entry in owners["value"]] == ["Ordinary User"]


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_me_is_the_signed_in_person() -> None:
    """With its directory roles; an application has no me."""
    with World() as world:
        people = People(world)
        token, read = people.graph_token("reader", "User.Read"), people.directory.read
        assert read("me", token=token)["userPrincipalName"] == people.login("reader")
        roles = read("me/memberOf", token=token)["value"]
        assert [role["displayName"] for role in roles] == ["Global Reader"]
        assert people.directory.send("GET", "me").status_code == 403


def test_a_scope_is_needed_even_by_a_global_administrator() -> None:
    """What the client may not do, nobody can do with it."""
    with World() as world:
        people = People(world)
        token = people.graph_token("admin", "User.Read")
        answer = people.directory.send("GET", "applications", token=token)
        assert answer.status_code == 403

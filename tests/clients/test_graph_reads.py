"""What is read from Microsoft Graph, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from runbook_lib.clients.graph import GraphClient
from runbook_lib.errors import (
    ServiceRefused,
    UnknownReply,
)
from runbook_lib.secret import Secret
from tests.clients.conftest import Opened
from tests.clients.graph_replies import (
    APP_ID,
    BASE,
    ID,
    Graph,
    client_of,
    error,
    found,
    page,
)


def test_the_token_goes_with_each_request(open_client: Opened) -> None:
    """The bearer token is asked for anew each time; it may have been renewed."""
    graph = Graph(page(), page())
    tokens = iter([Secret("first"), Secret("second")])
    client = GraphClient(open_client(graph), base=BASE, token=lambda: next(tokens))
    client.applications_named("a")
    client.applications_named("b")
    seen = [request.headers["authorization"] for request in graph.requests]
    assert seen == ["Bearer first", "Bearer second"]


def test_applications_are_searched_by_the_server(open_client: Opened) -> None:
    """A quote in a name is doubled, and nothing of it breaks out of the filter."""
    graph = Graph(page({"id": ID}))
    named = client_of(open_client, graph).applications_named("O'Brien & Co + SAP?")
    assert named == [{"id": ID}]
    query = graph.requests[0].url.params
    assert query["$filter"] == "displayName eq 'O''Brien & Co + SAP?'"
    assert query["$select"].split(",") == [
        *("id", "appId", "displayName", "signInAudience", "notes"),
        *("requiredResourceAccess", "keyCredentials", "passwordCredentials"),
        "createdDateTime",
    ]
    assert b"+" not in graph.requests[0].url.raw_path


def test_pages_are_followed(open_client: Opened) -> None:
    """The link is taken as it is, with the token."""
    link = f"{BASE}/applications?$skiptoken=A%2BB"
    graph = Graph(page({"id": "1"}, link=link), page({"id": "2"}))
    assert [
        item["id"] for item in client_of(open_client, graph).applications_named("a")
    ] == ["1", "2"]
    assert str(graph.requests[1].url) == link
    assert graph.requests[1].headers["authorization"] == "Bearer token-0123456789"


@pytest.mark.parametrize(
    "link",
    [
        "https://fabrikam.com/v1.0/applications?$skiptoken=A",
        "http://graph.microsoft.com/v1.0/applications?$skiptoken=A",
        "https://graph.microsoft.com:444/v1.0/applications?$skiptoken=A",
    ],
)
def test_a_page_elsewhere_is_not_followed(open_client: Opened, link: str) -> None:
    """The token is not carried to another host."""
    graph = Graph(page({"id": "1"}, link=link))
    with pytest.raises(UnknownReply):
        client_of(open_client, graph).applications_named("a")
    assert len(graph.requests) == 1


def test_pages_in_a_circle_end(open_client: Opened) -> None:
    """A link that was followed already is an unknown reply."""
    link = f"{BASE}/applications?$skiptoken=A"
    graph = Graph(page(link=link), page(link=link))
    with pytest.raises(UnknownReply):
        client_of(open_client, graph).applications_named("a")


Lookup = Callable[[GraphClient], object]

LOOKUPS: list[tuple[str, Lookup]] = [
    (f"/applications/{ID}", lambda graph: graph.application(ID)),
    (
        f"/applications(appId='{APP_ID}')",
        lambda graph: graph.application_by_app_id(APP_ID),
    ),
    (f"/servicePrincipals/{ID}", lambda graph: graph.service_principal(ID)),
    (
        f"/servicePrincipals(appId='{APP_ID}')",
        lambda graph: graph.service_principal_by_app_id(APP_ID),
    ),
    ("/domains/contoso.com", lambda graph: graph.domain("contoso.com")),
]


@pytest.mark.parametrize(("path", "look"), LOOKUPS, ids=[x[0] for x in LOOKUPS])
def test_a_lookup_returns_the_object_or_none(
    open_client: Opened, path: str, look: Lookup
) -> None:
    """404 in Graph's own words is None; a 404 of somebody else is not."""
    graph = Graph(
        found(id=ID),
        error(404, "Request_ResourceNotFound"),
        httpx.Response(404, html="<h1>Not found</h1>"),
    )
    client = client_of(open_client, graph)
    assert look(client) == {"id": ID}
    assert look(client) is None
    with pytest.raises(UnknownReply) as caught:
        look(client)
    assert caught.value.facts["body"] == "<h1>Not found</h1>"
    assert graph.asked[0].partition("?")[0] == f"GET /v1.0{path}"


def test_a_single_application_asks_for_its_keys(open_client: Opened) -> None:
    """Without $select the key of a key credential would be null."""
    graph = Graph(found(id=ID))
    client_of(open_client, graph).application(ID)
    assert "keyCredentials" in graph.requests[0].url.params["$select"].split(",")


LISTS: list[tuple[str, Lookup]] = [
    (f"/applications/{ID}/owners", lambda graph: graph.application_owners(ID)),
    (
        f"/applications/{ID}/appManagementPolicies",
        lambda graph: graph.app_management_policies(ID),
    ),
    (
        f"/servicePrincipals/{ID}/appRoleAssignments",
        lambda graph: graph.app_role_assignments(ID),
    ),
    (
        f"/servicePrincipals/{ID}/oauth2PermissionGrants",
        lambda graph: graph.delegated_grants(ID),
    ),
    (
        "/domains/contoso.com/serviceConfigurationRecords",
        lambda graph: graph.service_configuration_records("contoso.com"),
    ),
]


@pytest.mark.parametrize(("path", "look"), LISTS, ids=[x[0] for x in LISTS])
def test_a_list_returns_its_objects(
    open_client: Opened, path: str, look: Lookup
) -> None:
    """An empty list is empty; a missing parent is refused, not empty."""
    graph = Graph(page({"id": "1"}), page(), error(404, "Request_ResourceNotFound"))
    client = client_of(open_client, graph)
    assert look(client) == [{"id": "1"}]
    assert look(client) == []
    with pytest.raises(ServiceRefused) as caught:
        look(client)
    assert caught.value.code == "Request_ResourceNotFound"
    assert graph.asked[0] == f"GET /v1.0{path}"


def test_directory_roles_use_the_advanced_query(open_client: Opened) -> None:
    """The cast needs $count and the eventual consistency level, on each page."""
    link = (
        f"{BASE}/servicePrincipals/{ID}/transitiveMemberOf"
        "/microsoft.graph.directoryRole?$skiptoken=A"
    )
    graph = Graph(page({"roleTemplateId": "t"}, link=link), page())
    roles = client_of(open_client, graph).directory_roles(ID)
    assert roles == [{"roleTemplateId": "t"}]
    assert graph.asked[0] == (
        f"GET /v1.0/servicePrincipals/{ID}/transitiveMemberOf/"
        "microsoft.graph.directoryRole"
        "?$select=id,displayName,roleTemplateId&$count=true"
    )
    seen = [request.headers["consistencylevel"] for request in graph.requests]
    assert seen == ["eventual", "eventual"]


def test_the_tenant_describes_itself(open_client: Opened) -> None:
    """Exactly one organisation is expected."""
    graph = Graph(page({"id": ID, "displayName": "Contoso"}), page())
    client = client_of(open_client, graph)
    assert client.organization()["displayName"] == "Contoso"
    assert graph.asked == [
        "GET /v1.0/organization?$select=id,displayName,verifiedDomains"
    ]
    with pytest.raises(UnknownReply):
        client.organization()


def test_policies_are_read(open_client: Opened) -> None:
    """The two policies are single objects at fixed places."""
    graph = Graph(found(isEnabled=False), found(isEnabled=True), found(isEnabled="yes"))
    client = client_of(open_client, graph)
    assert client.default_app_management_policy() == {"isEnabled": False}
    assert client.security_defaults_enabled() is True
    with pytest.raises(UnknownReply):
        client.security_defaults_enabled()
    assert graph.asked[:2] == [
        "GET /v1.0/policies/defaultAppManagementPolicy",
        "GET /v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
    ]

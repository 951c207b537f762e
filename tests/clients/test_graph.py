"""Requests to Microsoft Graph and what its answers become."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from runbook_lib.clients.graph import GraphClient
from runbook_lib.errors import (
    CannotLook,
    NotPermitted,
    OutcomeUnknown,
    ServiceRefused,
    UnknownReply,
)
from runbook_lib.secret import Mask, Secret
from tests.clients.conftest import Opened

BASE = "https://graph.microsoft.com/v1.0"
ID = "aaaaaaaa-0000-0000-0000-000000000001"
OTHER = "aaaaaaaa-0000-0000-0000-000000000002"
APP_ID = "bbbbbbbb-0000-0000-0000-000000000001"


class Graph:
    """Answers with prepared replies and keeps what was asked."""

    def __init__(self, *replies: httpx.Response) -> None:
        """Give the replies one after the other."""
        self._replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        return self._replies.pop(0)

    @property
    def asked(self) -> list[str]:
        """Return method and decoded path with query of each request."""
        return [
            f"{request.method} {unquote(request.url.raw_path.decode())}"
            for request in self.requests
        ]

    def body(self) -> Any:
        """Return the JSON body of the last request."""
        return json.loads(self.requests[-1].content)


def client_of(open_client: Opened, graph: Graph) -> GraphClient:
    """Return a client with a fixed token."""
    token = Secret("token-0123456789")
    return GraphClient(open_client(graph), base=BASE, token=lambda: token)


def error(
    status: int, code: str, message: str = "text", **more: object
) -> httpx.Response:
    """Return an answer with Graph's error envelope."""
    inner = {"date": "2026-01-01T00:00:00", "request-id": "r-1"}
    body = {"code": code, "message": message, "innerError": inner, **more}
    headers = {"request-id": "r-1", "client-request-id": "c-1"}
    return httpx.Response(status, json={"error": body}, headers=headers)


def page(*values: object, link: str | None = None) -> httpx.Response:
    """Return a page of a collection."""
    following = {"@odata.nextLink": link} if link else {}
    return httpx.Response(200, json={"value": list(values), **following})


def found(**members: object) -> httpx.Response:
    """Return one object."""
    return httpx.Response(200, json=members)


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


Change = Callable[[GraphClient], object]
CHANGES: list[tuple[str, object, httpx.Response, Change]] = [
    (
        "POST /applications",
        {"displayName": "SAP", "signInAudience": "AzureADMyOrg"},
        httpx.Response(201, json={"id": ID}),
        lambda graph: graph.create_application(
            {"displayName": "SAP", "signInAudience": "AzureADMyOrg"}
        ),
    ),
    (
        f"PATCH /applications/{ID}",
        {"notes": None},
        httpx.Response(204),
        lambda graph: graph.update_application(ID, {"notes": None}),
    ),
    (
        f"DELETE /applications/{ID}",
        None,
        httpx.Response(204),
        lambda graph: graph.delete_application(ID),
    ),
    (
        f"POST /applications/{ID}/removePassword",
        {"keyId": OTHER},
        httpx.Response(204),
        lambda graph: graph.remove_password(ID, OTHER),
    ),
    (
        "POST /servicePrincipals",
        {"appId": APP_ID},
        httpx.Response(201, json={"id": ID}),
        lambda graph: graph.create_service_principal({"appId": APP_ID}),
    ),
    (
        f"DELETE /servicePrincipals/{ID}",
        None,
        httpx.Response(204),
        lambda graph: graph.delete_service_principal(ID),
    ),
    (
        f"POST /servicePrincipals/{ID}/appRoleAssignments",
        {"principalId": ID, "resourceId": OTHER, "appRoleId": APP_ID},
        httpx.Response(201, json={"id": "x"}),
        lambda graph: graph.grant_app_role(ID, resource_id=OTHER, app_role_id=APP_ID),
    ),
    (
        f"DELETE /servicePrincipals/{ID}/appRoleAssignments/a_b-C",
        None,
        httpx.Response(204),
        lambda graph: graph.revoke_app_role(ID, "a_b-C"),
    ),
]


@pytest.mark.parametrize(
    ("asked", "body", "reply", "change"), CHANGES, ids=[x[0] for x in CHANGES]
)
def test_a_change_sends_exactly_this(
    open_client: Opened,
    traffic: list[Any],
    asked: str,
    body: object,
    reply: httpx.Response,
    change: Change,
) -> None:
    """Method, path and body are the documented ones, and it counts as a write."""
    graph = Graph(reply)
    result = change(client_of(open_client, graph))
    assert graph.asked == [asked.replace(" ", " /v1.0")]
    assert (graph.body() if graph.requests[0].content else None) == body
    assert traffic[0]["write"] is True
    assert result == (reply.json() if reply.content else None)


@pytest.mark.parametrize("change", [x[3] for x in CHANGES], ids=[x[0] for x in CHANGES])
def test_a_change_that_ends_in_a_server_fault_is_unknown(
    open_client: Opened, waits: list[float], change: Change
) -> None:
    """It is sent once, and its effect is not guessed."""
    graph = Graph(error(503, "ServiceUnavailable", "later"))
    with pytest.raises(OutcomeUnknown) as caught:
        change(client_of(open_client, graph))
    assert caught.value.facts["request-id"] == "r-1"
    assert "later" in caught.value.message
    assert waits == []


def test_a_client_secret_is_returned_apart_and_never_recorded(
    open_client: Opened, traffic: list[Any], mask: Mask
) -> None:
    """The credential that is kept has no secretText; the record shows none."""
    value = "7Rz8Q~ab.CD_ef-0123456789"
    graph = Graph(found(keyId=OTHER, displayName="run-1", hint="7Rz", secretText=value))
    credential, secret = client_of(open_client, graph).add_password(
        ID, display_name="run-1", end="2026-11-21T00:00:00Z"
    )
    assert credential == {"keyId": OTHER, "displayName": "run-1", "hint": "7Rz"}
    assert secret.reveal() == value
    assert graph.asked == [f"POST /v1.0/applications/{ID}/addPassword"]
    assert graph.body() == {
        "passwordCredential": {
            "displayName": "run-1",
            "endDateTime": "2026-11-21T00:00:00Z",
        }
    }
    assert value not in json.dumps(traffic)
    assert value not in mask.text(value)


def test_a_client_secret_without_its_value_is_unknown(open_client: Opened) -> None:
    """The keyId remains in the facts, so that it can be removed."""
    graph = Graph(found(keyId=OTHER, secretText=None))
    with pytest.raises(UnknownReply) as caught:
        client_of(open_client, graph).add_password(ID, display_name="r", end="z")
    assert OTHER in str(caught.value.facts["body"])
    assert caught.value.facts["write"] is True


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


def test_a_missing_permission_is_named(open_client: Opened) -> None:
    """The message says which request and which permission."""
    graph = Graph(error(403, "Authorization_RequestDenied", "Insufficient privileges."))
    with pytest.raises(NotPermitted) as caught:
        client_of(open_client, graph).delegated_grants(ID)
    assert f"/servicePrincipals/{ID}/oauth2PermissionGrants" in caught.value.message
    assert "Directory.Read.All" in str(caught.value.remedy)
    assert caught.value.facts["permission"] == "Directory.Read.All"
    assert caught.value.facts["code"] == "Authorization_RequestDenied"
    assert caught.value.facts["client-request-id"] == "c-1"


def test_a_bad_token_asks_for_a_new_sign_in(open_client: Opened) -> None:
    """401 is about the token, even without a body."""
    graph = Graph(error(401, "InvalidAuthenticationToken"), httpx.Response(401))
    client = client_of(open_client, graph)
    for _ in range(2):
        with pytest.raises(NotPermitted, match="401") as caught:
            client.organization()
        assert "Sign in again" in str(caught.value.remedy)


def test_a_refusal_carries_code_and_details(open_client: Opened) -> None:
    """The codes decide, the text informs."""
    details = [{"code": "NoBackingApplicationObject", "target": "appId"}]
    graph = Graph(error(400, "Request_BadRequest", "No application.", details=details))
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, graph).create_service_principal({"appId": APP_ID})
    assert caught.value.code == "Request_BadRequest"
    assert caught.value.facts["details"] == ["NoBackingApplicationObject"]
    assert caught.value.facts["status"] == 400
    assert "Request_BadRequest: No application." in caught.value.message
    assert "replicated" in str(caught.value.remedy)


def test_a_forbidden_secret_leads_to_a_certificate(open_client: Opened) -> None:
    """The tenant's policy is not a fault of the request."""
    graph = Graph(error(400, "CredentialTypeNotAllowedAsPerAppPolicy"))
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, graph).add_password(ID, display_name="r", end="z")
    assert "certificate" in str(caught.value.remedy)


def test_throttling_to_the_end_is_a_refusal(open_client: Opened) -> None:
    """Nothing was written, and the code says why."""
    reply = error(429, "TooManyRequests")
    reply.headers["Retry-After"] = "121"
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, Graph(reply)).delete_application(ID)
    assert caught.value.code == "TooManyRequests"


def test_a_read_that_ends_in_a_server_fault_cannot_look(open_client: Opened) -> None:
    """After the repeats the step could not look; nothing is unknown."""
    graph = Graph(*[error(502, "BadGateway")] * 4)
    with pytest.raises(CannotLook) as caught:
        client_of(open_client, graph).organization()
    assert not isinstance(caught.value, OutcomeUnknown)
    assert "502" in caught.value.message


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, html="<html>proxy</html>"),
        httpx.Response(200, json=["no", "object"]),
        httpx.Response(200, json={"value": "no list"}),
        httpx.Response(200, json={"value": ["no object"]}),
        httpx.Response(302, headers={"Location": "https://proxy/"}),
        httpx.Response(400, html="<html>proxy</html>"),
        httpx.Response(200, text='{"value":['),
    ],
    ids=["page", "array", "string", "strings", "redirect", "bad page", "half"],
)
def test_an_odd_answer_is_unknown(open_client: Opened, reply: httpx.Response) -> None:
    """It is kept for the record and never taken for an empty result."""
    with pytest.raises(UnknownReply):
        client_of(open_client, Graph(reply)).applications_named("a")


def test_an_odd_answer_is_masked(open_client: Opened, mask: Mask) -> None:
    """The original in the facts goes through the mask of the run."""
    mask.add(Secret("known-secret-1"))
    graph = Graph(httpx.Response(200, text="<html>known-secret-1</html>"))
    with pytest.raises(UnknownReply) as caught:
        client_of(open_client, graph).organization()
    assert "known-secret-1" not in str(caught.value.facts)

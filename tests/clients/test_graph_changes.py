"""What is changed through Microsoft Graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from runbook_lib.clients.graph import GraphClient
from runbook_lib.errors import (
    OutcomeUnknown,
    UnknownReply,
)
from runbook_lib.secret import Mask
from tests.clients.conftest import Opened
from tests.clients.graph_replies import (
    APP_ID,
    ID,
    OTHER,
    Graph,
    client_of,
    error,
    found,
)

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

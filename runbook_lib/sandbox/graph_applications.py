"""Applications: list, read, create, change, delete.

Source: Microsoft Learn, Graph v1.0 reference, "application resource type" and its
methods.
"""

import copy
from functools import partial
from typing import Any

from runbook_lib.sandbox.directory import new_application, remove_application
from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_directory_objects import created, seen, shown
from runbook_lib.sandbox.graph_errors import bad_request
from runbook_lib.sandbox.graph_key_credentials import checked_key_credentials
from runbook_lib.sandbox.graph_query import counted, listed, single
from runbook_lib.sandbox.graph_types import check_body
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import JsonObject

READ_ONLY = frozenset(
    [
        "applicationTemplateId",
        "appId",
        "certification",
        "createdByAppId",
        "createdDateTime",
        "deletedDateTime",
        "disabledByMicrosoftStatus",
        "id",
        "publisherDomain",
        "verifiedPublisher",
    ]
)
AUDIENCES = (
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
)
MOST_RESOURCES = 50

# What the portal declares for a new application and the API does not: User.Read.
SIGN_IN_PERMISSION = {
    "resourceAppId": "00000003-0000-0000-c000-000000000000",
    "resourceAccess": [{"id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope"}],
}


def list_applications(graph: GraphCall) -> Answer:
    """Answer GET /applications."""
    relations = {"owners": partial(_owners, graph)}
    entries = seen(graph, graph.tenant.applications)
    return listed(graph.call, "application", "applications", entries, relations)


def count_applications(graph: GraphCall) -> Answer:
    """Answer GET /applications/$count."""
    return counted(graph.call, "application", seen(graph, graph.tenant.applications))


def get_application(graph: GraphCall) -> Answer:
    """Answer GET /applications/{id}.

    The bytes of a certificate are returned only to an explicit $select.
    """
    application = graph.application()
    selected = graph.call.query.get("$select", "").lower()
    with_keys = "keycredentials" in selected.replace(" ", "").split(",")
    with_keys |= not graph.sandbox.holds("graph.key-bytes-on-select")
    entry = application if with_keys else shown(application)
    relations = {"owners": partial(_owners, graph)}
    return single(graph.call, "application", "applications", entry, relations)


def create_application(graph: GraphCall) -> Answer:
    """Answer POST /applications."""
    tenant = graph.tenant
    body = _checked(graph, graph.body())
    _require_name(body, body.get("displayName"))
    application = new_application(tenant, graph.sandbox.now())
    identifier = application["id"]
    if not graph.sandbox.holds("graph.create-declares-nothing"):
        application["requiredResourceAccess"] = [SIGN_IN_PERMISSION]
    body["keyCredentials"] = checked_key_credentials(
        graph, application, body.get("keyCredentials", [])
    )
    application = _merged(application, body)
    tenant.applications[identifier] = application
    if graph.owner:
        tenant.owners[identifier] = [graph.owner]
    for relation in ("application", "filter", "service-principal"):
        graph.sandbox.faults.start_lag(relation, identifier)
    return created(graph, "applications", "Application", application)


def update_application(graph: GraphCall) -> Answer:
    """Answer PATCH /applications/{id}: what is sent is replaced, the rest kept.

    A collection is replaced as a whole.
    """
    application = graph.application()
    graph.may_change(application["id"])
    body = _checked(graph, graph.body())
    _require_name(body, body.get("displayName", application["displayName"]))
    if "keyCredentials" in body:
        body["keyCredentials"] = checked_key_credentials(
            graph, application, body["keyCredentials"]
        )
    if not graph.sandbox.holds("graph.patch-replaces-collection"):
        body = {name: _joined(application.get(name), body[name]) for name in body}
    graph.tenant.applications[application["id"]] = _merged(application, body)
    return Answer(204)


def delete_application(graph: GraphCall) -> Answer:
    """Answer DELETE /applications/{id}: a soft delete, with the service principal."""
    application = graph.application()
    graph.may_change(application["id"])
    remove_application(graph.sandbox, graph.tenant, application)
    return Answer(204)


def list_owners(graph: GraphCall) -> Answer:
    """Answer GET /applications/{id}/owners."""
    owners = _owners(graph, graph.application())
    return listed(graph.call, "directoryObject", "directoryObjects", owners)


def _owners(graph: GraphCall, application: JsonObject) -> list[JsonObject]:
    """Return the owners of an application: service principals, then users."""
    tenant = graph.tenant
    owners = [
        {"@odata.type": "#microsoft.graph.servicePrincipal", **shown(principal)}
        for identifier in tenant.owners.get(application["id"], ())
        if (principal := tenant.service_principals.get(identifier))
    ]
    owners += [
        {"@odata.type": "#microsoft.graph.user", **user}
        for identifier in tenant.owners.get(application["id"], ())
        if (user := tenant.users.get(identifier))
    ]
    return owners


def _checked(graph: GraphCall, body: JsonObject) -> JsonObject:
    """Check a body that creates or changes an application."""
    plain = check_body(graph.sandbox, "application", body, READ_ONLY)
    if plain.get("passwordCredentials"):
        raise bad_request(
            "New password credentials must be generated using service actions.",
            code="GenericError",
            target="passwordCredentials",
        )
    plain.pop("passwordCredentials", None)
    audience = plain.get("signInAudience", AUDIENCES[0])
    if audience not in AUDIENCES:
        raise bad_request(
            f"Property signInAudience value '{audience}' is invalid.",
            code="InvalidValue",
            target="signInAudience",
        )
    if len(plain.get("requiredResourceAccess", ())) > MOST_RESOURCES:
        raise bad_request(
            "The size of the object has exceeded its limit. Please reduce the number"
            " of values in requiredResourceAccess and retry your request."
        )
    return plain


def _require_name(body: JsonObject, name: str | None) -> None:
    """Refuse an application without a display name."""
    if not name:
        raise bad_request(
            "A value is required for property 'displayName' of resource 'Application'.",
            code="MissingPropertyValue",
            target="displayName",
        )


def _merged(entry: JsonObject, body: JsonObject) -> JsonObject:
    """Lay a body over an object: complex values merge, collections are replaced.

    Source: OData 4.01 Protocol section 11.4.3.
    """
    merged = copy.deepcopy(entry)
    for name, value in body.items():
        kept = merged.get(name)
        if isinstance(value, dict) and isinstance(kept, dict):
            merged[name] = _merged(kept, value)
        else:
            merged[name] = copy.deepcopy(value)
    return merged


def _joined(kept: Any, sent: Any) -> Any:
    """Append a sent collection to the kept one: what the service does not do."""
    both = isinstance(kept, list) and isinstance(sent, list)
    return [*kept, *(entry for entry in sent if entry not in kept)] if both else sent

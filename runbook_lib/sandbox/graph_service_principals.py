"""Service principals (enterprise applications): list, read, create, change, delete.

Source: Microsoft Learn, Graph v1.0 reference, "servicePrincipal resource type" and
its methods.
"""

import copy
from functools import partial

from runbook_lib.sandbox.directory import (
    new_service_principal,
    remove_service_principal,
)
from runbook_lib.sandbox.first_party import first_party_principal
from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_directory_objects import created, seen, shown
from runbook_lib.sandbox.graph_errors import GraphError, bad_request
from runbook_lib.sandbox.graph_expand import Relations
from runbook_lib.sandbox.graph_query import counted, listed, single
from runbook_lib.sandbox.graph_types import check_body
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import JsonObject

READ_ONLY = frozenset(
    {
        "appDisplayName",
        "appOwnerOrganizationId",
        "applicationTemplateId",
        "deletedDateTime",
        "disabledByMicrosoftStatus",
        "id",
        "servicePrincipalType",
        "signInAudience",
        "verifiedPublisher",
    }
)


def list_service_principals(graph: GraphCall) -> Answer:
    """Answer GET /servicePrincipals."""
    entries, relations = seen(graph, graph.tenant.service_principals), _relations(graph)
    return listed(
        graph.call, "servicePrincipal", "servicePrincipals", entries, relations
    )


def count_service_principals(graph: GraphCall) -> Answer:
    """Answer GET /servicePrincipals/$count."""
    entries = seen(graph, graph.tenant.service_principals)
    return counted(graph.call, "servicePrincipal", entries)


def _relations(graph: GraphCall) -> Relations:
    """Return what $expand may ask of a service principal."""
    assignments = graph.tenant.app_role_assignments.values()

    def by(end: str, principal: JsonObject) -> list[JsonObject]:
        return [entry for entry in assignments if entry[end] == principal["id"]]

    return {
        "appRoleAssignments": partial(by, "principalId"),
        "appRoleAssignedTo": partial(by, "resourceId"),
    }


def get_service_principal(graph: GraphCall) -> Answer:
    """Answer GET /servicePrincipals/{id}."""
    principal = shown(graph.service_principal())
    relations = _relations(graph)
    return single(
        graph.call, "servicePrincipal", "servicePrincipals", principal, relations
    )


def create_service_principal(graph: GraphCall) -> Answer:
    """Answer POST /servicePrincipals: the enterprise application of an appId."""
    body = check_body(graph.sandbox, "servicePrincipal", graph.body(), READ_ONLY)
    app_id = str(body.pop("appId", None) or "").lower()
    if not app_id:
        raise bad_request(
            "A value is required for property 'appId' of resource 'ServicePrincipal'.",
            code="MissingPropertyValue",
            target="appId",
        )
    _refuse_duplicate(graph, app_id)
    principal = _backed(graph, app_id) | body
    identifier = principal["id"]
    graph.tenant.service_principals[identifier] = principal
    for relation in (
        "application",
        "filter",
        "assignment",
        "exchange-principal",
    ):
        graph.sandbox.faults.start_lag(relation, identifier)
    return created(graph, "servicePrincipals", "ServicePrincipal", principal)


def update_service_principal(graph: GraphCall) -> Answer:
    """Answer PATCH /servicePrincipals/{id}: collections are replaced as a whole."""
    principal = graph.service_principal()
    _may_change(graph, principal)
    read_only = READ_ONLY | {"appId"}
    body = check_body(graph.sandbox, "servicePrincipal", graph.body(), read_only)
    principal.update(copy.deepcopy(body))
    return Answer(204)


def delete_service_principal(graph: GraphCall) -> Answer:
    """Answer DELETE /servicePrincipals/{id}: the application stays."""
    principal = graph.service_principal()
    _may_change(graph, principal)
    remove_service_principal(graph.sandbox, graph.tenant, principal)
    return Answer(204)


def _may_change(graph: GraphCall, principal: JsonObject) -> None:
    """Refuse a caller that owns neither the application nor all."""
    application = graph.tenant.application_by_app_id(principal["appId"])
    graph.may_change(application["id"] if application else principal["id"])


def _refuse_duplicate(graph: GraphCall, app_id: str) -> None:
    """Refuse a second service principal of one application."""
    existing = graph.tenant.service_principal_by_app_id(app_id)
    if existing and graph.sandbox.holds("graph.duplicate-service-principal"):
        raise GraphError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "The service principal cannot be created, updated, or restored because the"
            f" service principal name {app_id} is already in use.",
            [
                {
                    "code": "ObjectConflict",
                    "target": "servicePrincipalNames",
                    "message": "Another object with the same value for property"
                    " servicePrincipalNames already exists.",
                }
            ],
        )


def _backed(graph: GraphCall, app_id: str) -> JsonObject:
    """Return a new service principal for an application that can have one here.

    Raises 400 NoBackingApplicationObject; a caller that may manage only its own
    applications gets 403 instead.
    """
    tenant, now = graph.tenant, graph.sandbox.now()
    known = first_party_principal(graph.sandbox.cloud, tenant, app_id, now)
    if known is not None:
        return known
    application = tenant.application_by_app_id(app_id)
    faults = graph.sandbox.faults
    if application and not faults.lagging("service-principal", application["id"]):
        graph.may_change(application["id"])
        return new_service_principal(tenant, application, now)
    if application is None and not graph.sandbox.holds("graph.no-backing-application"):
        nameless = {"appId": app_id, "displayName": None, "signInAudience": None}
        return new_service_principal(tenant, nameless, now)
    if graph.owner:
        raise GraphError(
            403,
            "Authorization_RequestDenied",
            "When using this permission, the backing application of the service"
            " principal being created must in the local tenant",
        )
    raise bad_request(
        f"The appId '{app_id}' of the service principal does not reference a valid"
        " application object.",
        code="NoBackingApplicationObject",
        target="appId",
    )

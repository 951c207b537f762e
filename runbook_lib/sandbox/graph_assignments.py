"""Granted permissions: app role assignments and delegated permission grants.

Source: Microsoft Learn, "Grant an appRoleAssignment for a service principal",
"List oauth2PermissionGrants", "Delete oAuth2PermissionGrant".
"""

from runbook_lib.sandbox.directory import GRAPH_APP_ID, new_assignment
from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_errors import bad_request, denied, not_found
from runbook_lib.sandbox.graph_permissions import ROLE_ADMINISTRATORS
from runbook_lib.sandbox.graph_query import context_url, listed, single
from runbook_lib.sandbox.graph_types import check_body
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import JsonObject

NEEDED = ("principalId", "resourceId", "appRoleId")
READ_ONLY = frozenset(
    {
        "createdDateTime",
        "deletedDateTime",
        "id",
        "principalDisplayName",
        "principalType",
        "resourceDisplayName",
    }
)
# "No particular role": a principal is assigned to the resource as such.
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"


def list_held(graph: GraphCall) -> Answer:
    """Answer GET /servicePrincipals/{id}/appRoleAssignments: what it holds."""
    return _list(graph, "principalId", "appRoleAssignments")


def list_given(graph: GraphCall) -> Answer:
    """Answer GET /servicePrincipals/{id}/appRoleAssignedTo: who holds its roles."""
    return _list(graph, "resourceId", "appRoleAssignedTo")


def get_held(graph: GraphCall) -> Answer:
    """Answer GET /servicePrincipals/{id}/appRoleAssignments/{assignment}."""
    assignment = _addressed(graph, "principalId")
    return single(graph.call, "appRoleAssignment", "appRoleAssignments", assignment)


def grant_held(graph: GraphCall) -> Answer:
    """Answer POST /servicePrincipals/{client}/appRoleAssignments."""
    return _grant(graph, "principalId")


def grant_given(graph: GraphCall) -> Answer:
    """Answer POST /servicePrincipals/{resource}/appRoleAssignedTo."""
    return _grant(graph, "resourceId")


def revoke_held(graph: GraphCall) -> Answer:
    """Answer DELETE /servicePrincipals/{client}/appRoleAssignments/{assignment}."""
    return _revoke(graph, "principalId")


def revoke_given(graph: GraphCall) -> Answer:
    """Answer DELETE /servicePrincipals/{resource}/appRoleAssignedTo/{assignment}."""
    return _revoke(graph, "resourceId")


def list_delegated(graph: GraphCall) -> Answer:
    """Answer GET /oauth2PermissionGrants."""
    grants = graph.tenant.oauth2_permission_grants.values()
    return listed(graph.call, "oAuth2PermissionGrant", "oauth2PermissionGrants", grants)


def list_delegated_of(graph: GraphCall) -> Answer:
    """Answer GET /servicePrincipals/{id}/oauth2PermissionGrants."""
    client = graph.service_principal()["id"]
    grants = [
        grant
        for grant in graph.tenant.oauth2_permission_grants.values()
        if grant["clientId"] == client
    ]
    return listed(graph.call, "oAuth2PermissionGrant", "oauth2PermissionGrants", grants)


def get_delegated(graph: GraphCall) -> Answer:
    """Answer GET /oauth2PermissionGrants/{grant}."""
    grant = _delegated(graph)
    return single(graph.call, "oAuth2PermissionGrant", "oauth2PermissionGrants", grant)


def delete_delegated(graph: GraphCall) -> Answer:
    """Answer DELETE /oauth2PermissionGrants/{grant}."""
    del graph.tenant.oauth2_permission_grants[_delegated(graph)["id"]]
    return Answer(204)


def _list(graph: GraphCall, end: str, relation: str) -> Answer:
    """List the assignments whose `end` is the addressed service principal."""
    principal = graph.service_principal()["id"]
    assignments = [
        assignment
        for assignment in graph.tenant.app_role_assignments.values()
        if assignment[end] == principal
    ]
    context = f"servicePrincipals('{principal}')/{relation}"
    return listed(graph.call, "appRoleAssignment", context, assignments)


def _grant(graph: GraphCall, end: str) -> Answer:
    """Create an assignment; the path names the principal at its `end`."""
    addressed = graph.service_principal()
    body = check_body(graph.sandbox, "appRoleAssignment", graph.body(), READ_ONLY)
    for name in NEEDED:
        if not body.get(name):
            raise bad_request(
                f"A value is required for property '{name}' of resource"
                " 'AppRoleAssignment'."
            )
    if body[end].lower() != addressed["id"]:
        raise bad_request(
            f"The property '{end}' does not match the service principal of the request."
        )
    principal, resource = (_end(graph, body, name) for name in NEEDED[:2])
    _may_consent(graph, resource)
    role = body["appRoleId"].lower()
    _check_role(graph, resource, role)
    _refuse_duplicate(graph, principal, resource, role)
    return _created(graph, principal, resource, role)


def _may_consent(graph: GraphCall, resource: JsonObject) -> None:
    """Refuse a person who may not consent to this resource.

    To app roles of Microsoft Graph only those may who administer roles.
    """
    reserved = resource["appId"] == GRAPH_APP_ID
    administers = graph.directory_roles & ROLE_ADMINISTRATORS
    strict = graph.sandbox.holds("graph.consent-to-graph")
    if graph.person and reserved and not administers and strict:
        raise denied()


def _end(graph: GraphCall, body: JsonObject, name: str) -> JsonObject:
    """Return principal or resource of a new assignment; its lag is a 404."""
    identifier = body[name].lower()
    principal = graph.tenant.service_principals.get(identifier)
    if not principal or graph.sandbox.faults.lagging("assignment", identifier):
        raise not_found(identifier)
    return principal


def _check_role(graph: GraphCall, resource: JsonObject, role: str) -> None:
    """Refuse a role that the resource does not offer to applications."""
    offered = {
        entry["id"]
        for entry in resource["appRoles"]
        if entry["isEnabled"] and "Application" in entry["allowedMemberTypes"]
    }
    known = role in offered or (role == DEFAULT_ACCESS and not offered)
    if not known and graph.sandbox.holds("graph.unknown-app-role"):
        raise bad_request(
            "Permission being assigned was not found on application"
            f" '{resource['appId']}'.",
            code="InvalidUpdate",
            target="appRoleId",
        )


def _refuse_duplicate(
    graph: GraphCall, principal: JsonObject, resource: JsonObject, role: str
) -> None:
    """Refuse an assignment that exists already."""
    wanted = (principal["id"], resource["id"], role)
    existing = any(
        tuple(assignment[name] for name in NEEDED) == wanted
        for assignment in graph.tenant.app_role_assignments.values()
    )
    if existing and graph.sandbox.holds("graph.duplicate-assignment"):
        raise bad_request(
            "Permission being assigned already exists on the object",
            code="InvalidUpdate",
            target="appRoleId",
        )


def _created(
    graph: GraphCall, principal: JsonObject, resource: JsonObject, role: str
) -> Answer:
    """Store a new assignment and answer 201."""
    assignment = new_assignment(
        graph.tenant, principal, resource, role, graph.sandbox.now()
    )
    graph.tenant.app_role_assignments[assignment["id"]] = assignment
    graph.sandbox.faults.start_lag("roles", assignment["id"])
    context = context_url(graph.call, "appRoleAssignments", None, "/$entity")
    answer = Answer(201, {"@odata.context": context, **assignment})
    path = f"servicePrincipals/{principal['id']}/appRoleAssignments/{assignment['id']}"
    answer.headers["Location"] = f"https://{graph.call.host}/v1.0/{path}"
    return answer


def _revoke(graph: GraphCall, end: str) -> Answer:
    """Delete an assignment."""
    del graph.tenant.app_role_assignments[_addressed(graph, end)["id"]]
    return Answer(204)


def _addressed(graph: GraphCall, end: str) -> JsonObject:
    """Return the assignment of the path, which must belong to its principal."""
    principal, key = graph.service_principal()["id"], graph.keys["assignment"]
    assignment = graph.tenant.app_role_assignments.get(key)
    if assignment is None or assignment[end] != principal:
        raise not_found(key)
    return assignment


def _delegated(graph: GraphCall) -> JsonObject:
    """Return the delegated permission grant of the path."""
    key = graph.keys["grant"]
    if key not in graph.tenant.oauth2_permission_grants:
        raise not_found(key)
    return graph.tenant.oauth2_permission_grants[key]

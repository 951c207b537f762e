"""Microsoft Graph v1.0, as far as the sandbox plays it: routes, rights, dispatch.

Each request is judged in this order: token (401), path (400), method (405),
permission (403), then by its handler. A path that is not played is refused as
Graph refuses an unknown segment: with 400, so that it never passes for "absent".

Source: Microsoft Learn, "Use the Microsoft Graph API".
"""

from dataclasses import replace

from runbook_lib.sandbox import graph_applications as applications
from runbook_lib.sandbox import graph_assignments as assignments
from runbook_lib.sandbox import graph_directory as directory
from runbook_lib.sandbox import graph_key_rolling as keys_of
from runbook_lib.sandbox import graph_passwords as passwords
from runbook_lib.sandbox import graph_permissions as permission
from runbook_lib.sandbox import graph_policies as policies
from runbook_lib.sandbox import graph_service_principals as principals
from runbook_lib.sandbox import graph_users as users
from runbook_lib.sandbox.graph_batch import answer_batch, is_batch, items_write
from runbook_lib.sandbox.graph_call import GraphCall, Route, path_segments
from runbook_lib.sandbox.graph_errors import (
    GraphError,
    denied,
    error_answer,
    not_found,
    unreadable,
    with_headers,
)
from runbook_lib.sandbox.http import Answer, Call, Service
from runbook_lib.sandbox.tokens import (
    GRAPH_AUDIENCES,
    OUTLOOK_AUDIENCES,
    Claims,
    TokenProblem,
    verify_access_token,
)

VERSION = "/v1.0"

_APPLICATION = "applications/{application}"
_PRINCIPAL = "servicePrincipals/{principal}"
_HELD = f"{_PRINCIPAL}/appRoleAssignments"
_GIVEN = f"{_PRINCIPAL}/appRoleAssignedTo"
_ROLES = "roleManagement/directory"
_ROLE = "microsoft.graph.directoryRole"
_DELETED = "directory/deletedItems"

_TABLE = (
    (
        permission.READ_APPLICATIONS,
        ("GET", "applications", applications.list_applications),
        ("GET", "applications/$count", applications.count_applications),
        ("GET", _APPLICATION, applications.get_application),
        ("GET", f"{_APPLICATION}/owners", applications.list_owners),
        ("GET", "servicePrincipals", principals.list_service_principals),
        ("GET", "servicePrincipals/$count", principals.count_service_principals),
        ("GET", _PRINCIPAL, principals.get_service_principal),
        ("GET", f"{_PRINCIPAL}/memberOf", directory.list_member_of),
        ("GET", f"{_PRINCIPAL}/transitiveMemberOf", directory.list_member_of),
        ("GET", f"{_PRINCIPAL}/memberOf/{_ROLE}", directory.list_directory_roles_held),
        (
            "GET",
            f"{_PRINCIPAL}/transitiveMemberOf/{_ROLE}",
            directory.list_directory_roles_held,
        ),
        (
            "GET",
            f"{_DELETED}/microsoft.graph.application",
            directory.list_deleted_applications,
        ),
        (
            "GET",
            f"{_DELETED}/microsoft.graph.servicePrincipal",
            directory.list_deleted_principals,
        ),
        ("GET", f"{_DELETED}/{{item}}", directory.get_deleted),
    ),
    (
        permission.WRITE_APPLICATIONS,
        ("POST", "applications", applications.create_application),
        ("PATCH", _APPLICATION, applications.update_application),
        ("DELETE", _APPLICATION, applications.delete_application),
        ("POST", f"{_APPLICATION}/addPassword", passwords.add_password),
        ("POST", f"{_APPLICATION}/removePassword", passwords.remove_password),
        ("POST", "servicePrincipals", principals.create_service_principal),
        ("PATCH", _PRINCIPAL, principals.update_service_principal),
        ("DELETE", _PRINCIPAL, principals.delete_service_principal),
    ),
    (
        permission.ROLL_KEYS,
        ("POST", f"{_APPLICATION}/addKey", keys_of.add_key),
        ("POST", f"{_APPLICATION}/removeKey", keys_of.remove_key),
    ),
    (
        permission.RESTORE_APPLICATIONS,
        ("POST", f"{_DELETED}/{{item}}/restore", directory.restore_deleted),
        ("DELETE", f"{_DELETED}/{{item}}", directory.purge_deleted),
    ),
    (
        permission.READ_ASSIGNMENTS,
        ("GET", _HELD, assignments.list_held),
        ("GET", f"{_HELD}/{{assignment}}", assignments.get_held),
        ("GET", _GIVEN, assignments.list_given),
    ),
    (
        permission.GRANT,
        ("POST", _HELD, assignments.grant_held),
        ("POST", _GIVEN, assignments.grant_given),
    ),
    (
        permission.REVOKE,
        ("DELETE", f"{_HELD}/{{assignment}}", assignments.revoke_held),
        ("DELETE", f"{_GIVEN}/{{assignment}}", assignments.revoke_given),
    ),
    (
        permission.READ_GRANTS,
        ("GET", "oauth2PermissionGrants", assignments.list_delegated),
        ("GET", "oauth2PermissionGrants/{grant}", assignments.get_delegated),
        ("GET", f"{_PRINCIPAL}/oauth2PermissionGrants", assignments.list_delegated_of),
    ),
    (
        permission.DELETE_GRANTS,
        ("DELETE", "oauth2PermissionGrants/{grant}", assignments.delete_delegated),
    ),
    (
        permission.READ_POLICIES,
        ("GET", "policies/defaultAppManagementPolicy", policies.get_default_policy),
        ("GET", f"{_APPLICATION}/appManagementPolicies", policies.list_policies_of),
    ),
    (
        permission.READ_SECURITY_DEFAULTS,
        (
            "GET",
            "policies/identitySecurityDefaultsEnforcementPolicy",
            policies.get_security_defaults,
        ),
    ),
    (
        permission.READ_ORGANIZATION,
        ("GET", "organization", directory.get_organization),
        ("GET", "organization/{organization}", directory.get_organization_by_id),
    ),
    (
        permission.READ_DOMAINS,
        ("GET", "domains", directory.list_domains),
        ("GET", "domains/{domain}", directory.get_domain),
        (
            "GET",
            "domains/{domain}/serviceConfigurationRecords",
            directory.list_service_records,
        ),
    ),
    (
        permission.READ_ME,
        ("GET", "me", users.get_me),
        ("GET", "me/memberOf", users.list_my_roles),
        ("GET", "me/transitiveMemberOf", users.list_my_roles),
        ("GET", f"me/memberOf/{_ROLE}", users.list_my_directory_roles),
        ("GET", f"me/transitiveMemberOf/{_ROLE}", users.list_my_directory_roles),
    ),
    (
        permission.READ_USERS,
        ("GET", "users", users.list_users),
        ("GET", "users/$count", users.count_users),
        ("GET", "users/{user}", users.get_user),
    ),
    (
        permission.READ_ROLES,
        ("GET", f"{_ROLES}/roleAssignments", directory.list_role_assignments),
        ("GET", f"{_ROLES}/roleDefinitions", directory.list_role_definitions),
        (
            "GET",
            f"{_ROLES}/roleDefinitions/{{definition}}",
            directory.get_role_definition,
        ),
    ),
)

ROUTES = tuple(
    Route(method, template, needed, handler)
    for needed, *entries in _TABLE
    for method, template, handler in entries
)


def handle(call: Call) -> Answer:
    """Answer one request to the Graph host."""
    call = plain_call(call)
    audiences = GRAPH_AUDIENCES
    if not call.sandbox.holds("graph.audience"):
        audiences += OUTLOOK_AUDIENCES
    claims = verify_access_token(call.sandbox, call.bearer, audiences)
    if isinstance(claims, TokenProblem):
        problem = GraphError(401, "InvalidAuthenticationToken", claims.message)
        return error_answer(call, problem)
    try:
        answer = with_headers(call, _answered(call, claims))
    except GraphError as problem:
        answer = error_answer(call, problem)
    answer.tenant = claims["tid"]
    return answer


def plain_call(call: Call) -> Call:
    """Return a request with its path as the reference writes it.

    Double slashes count as one, and `myorganization` may stand after the version:
    some clients write either.
    """
    if not call.sandbox.holds("graph.path-spelling"):
        return call
    parts = [part for part in call.path.split("/") if part]
    if [part.lower() for part in parts[1:2]] == ["myorganization"]:
        del parts[1]
    return replace(call, path="/" + "/".join(parts))


def _answered(call: Call, claims: Claims) -> Answer:
    """Answer a request whose token is in order."""
    if is_batch(call):
        return answer_batch(call, handle)
    route, keys = _routed(call)
    people = call.sandbox.holds("graph.directory-role")
    permitted = route.needed.permits(claims, people=people)
    if not permitted and call.sandbox.holds("graph.permission"):
        raise denied()
    tenant = call.sandbox.tenants[claims["tid"]]
    return route.handler(GraphCall(call, tenant, claims, keys))


def _routed(call: Call) -> tuple[Route, dict[str, str]]:
    """Find the route of a request."""
    version, _, path = call.path.lstrip("/").partition("/")
    if f"/{version}" != VERSION:
        raise unreadable(f"Invalid version: {version}. The sandbox plays v1.0 only.")
    segments = path_segments(path)
    known = [
        (route, keys) for route in ROUTES if (keys := route.match(segments)) is not None
    ]
    if not known:
        if not call.sandbox.holds("graph.unknown-segment"):
            raise not_found(segments[-1])
        raise unreadable(f"Resource not found for the segment '{segments[-1]}'.")
    for route, keys in known:
        if route.method == call.method:
            return route, keys
    raise GraphError(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )


def is_write(call: Call) -> bool:
    """Say whether a request writes: no GET or HEAD; a batch by its items."""
    if is_batch(plain_call(call)):
        return items_write(call)
    return call.method not in ("GET", "HEAD")


def _unavailable(call: Call, status: int) -> Answer:
    """Return the reply of a throttled or overloaded Graph."""
    if status == 429:
        problem = GraphError(429, "TooManyRequests", "Too many requests")
    else:
        problem = GraphError(503, "serviceNotAvailable", "Service unavailable.")
    return error_answer(call, problem)


def graph_service() -> Service:
    """Return the service for the Graph host."""
    return Service("graph", handle, is_write, _unavailable)

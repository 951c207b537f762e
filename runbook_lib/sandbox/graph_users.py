"""People: the signed-in one, and those of the tenant.

Source: Microsoft Learn, Graph v1.0 reference, "user resource type", "List a user's
direct memberships".
"""

from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_directory import check_cast, list_roles_of
from runbook_lib.sandbox.graph_errors import denied, not_found
from runbook_lib.sandbox.graph_query import counted, listed, single
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import JsonObject

# What a read without $select returns.
DEFAULT = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)


def get_me(graph: GraphCall) -> Answer:
    """Answer GET /me: the signed-in user."""
    user = graph.tenant.users.get(graph.person or "")
    if user is None:
        raise denied()  # an application is nobody here, whatever its rights
    return _single(graph, user)


def list_my_roles(graph: GraphCall) -> Answer:
    """Answer GET /me/memberOf: the directory roles of the signed-in user."""
    return list_roles_of(graph, graph.claims["oid"], may_read=True)


def list_my_directory_roles(graph: GraphCall) -> Answer:
    """Answer GET /me/memberOf/microsoft.graph.directoryRole."""
    check_cast(graph)
    return list_my_roles(graph)


def list_users(graph: GraphCall) -> Answer:
    """Answer GET /users."""
    users = graph.tenant.users.values()
    shown = users if "$select" in graph.call.query else map(_default, users)
    return listed(graph.call, "user", "users", shown)


def count_users(graph: GraphCall) -> Answer:
    """Answer GET /users/$count."""
    return counted(graph.call, "user", graph.tenant.users.values())


def get_user(graph: GraphCall) -> Answer:
    """Answer GET /users/{id or userPrincipalName}."""
    key = graph.keys["user"].lower()
    for user in graph.tenant.users.values():
        if key in (user["id"], user["userPrincipalName"].lower()):
            return _single(graph, user)
    raise not_found(key)


def _single(graph: GraphCall, user: JsonObject) -> Answer:
    """Answer with one user."""
    shown = user if "$select" in graph.call.query else _default(user)
    return single(graph.call, "user", "users", shown)


def _default(user: JsonObject) -> JsonObject:
    """Return the properties of a plain read."""
    return {name: user[name] for name in DEFAULT}

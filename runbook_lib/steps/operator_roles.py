"""The operator's app roles and directory roles: read off once, for every option."""

from __future__ import annotations

from runbook_lib.engine.expect import Including, OneOf, State
from runbook_lib.engine.step import Observation
from runbook_lib.session import Session
from runbook_lib.steps.reading import text, texts

GRAPH_ROLES = "roles (Microsoft Graph)"
EXCHANGE_ROLES = "roles (Exchange Online)"
DIRECTORY_ROLE = "directory role"
ADMINISTRATORS = ("Exchange Administrator", "Global Administrator")
REMEDIES = dict.fromkeys((GRAPH_ROLES, EXCHANGE_ROLES, DIRECTORY_ROLE), "not-permitted")


def expected_roles(graph_roles: tuple[str, ...], accepted: tuple[str, ...]) -> State:
    """Return the least app roles, and the directory roles of which one is held."""
    return {
        GRAPH_ROLES: Including(graph_roles),
        EXCHANGE_ROLES: Including(("Exchange.ManageAsApp",)),
        DIRECTORY_ROLE: OneOf(accepted),
    }


def held_roles(session: Session, accepted: tuple[str, ...]) -> Observation:
    """Read the claims of the operator's tokens and its directory roles."""
    graph = session.operator_token("graph").claims
    exchange = session.operator_token("exchange").claims
    held = session.graph.directory_roles(str(graph.get("oid")))
    names = [str(role.get("displayName")) for role in held]
    return Observation(
        {
            GRAPH_ROLES: sorted(texts(graph, "roles")),
            EXCHANGE_ROLES: sorted(texts(exchange, "roles")),
            DIRECTORY_ROLE: next((n for n in accepted if n in names), None),
        },
        context={
            "application": text(graph, "app_displayname"),
            "appid": text(graph, "appid"),
            "directory roles": names,
        },
    )

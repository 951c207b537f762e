"""App management policies and security defaults.

Source: Microsoft Learn, "tenantAppManagementPolicy resource type",
"appManagementPolicy resource type", "identitySecurityDefaultsEnforcementPolicy
resource type".
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_errors import GraphError
from runbook_lib.sandbox.graph_query import listed, single
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import JsonObject

SECURITY_DEFAULTS_ID = "00000000-0000-0000-0000-000000000005"
DEFAULT_POLICY_ID = "00000000-0000-0000-0000-000000000000"

_LIFETIME = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def default_policy() -> JsonObject:
    """Return the tenant's default app management policy, which restricts nothing."""
    nothing: JsonObject = {"passwordCredentials": [], "keyCredentials": []}
    return {
        "id": DEFAULT_POLICY_ID,
        "displayName": "Default app management tenant policy",
        "description": "Default tenant policy that enforces app management"
        " restrictions on applications and service principals.",
        "isEnabled": False,
        "applicationRestrictions": {**nothing, "identifierUris": None},
        "servicePrincipalRestrictions": dict(nothing),
    }


def get_default_policy(graph: GraphCall) -> Answer:
    """Answer GET /policies/defaultAppManagementPolicy."""
    policy = graph.tenant.default_app_management_policy
    return single(
        graph.call,
        "tenantAppManagementPolicy",
        "policies/defaultAppManagementPolicy",
        policy,
    )


def list_policies_of(graph: GraphCall) -> Answer:
    """Answer GET /applications/{id}/appManagementPolicies."""
    application = graph.application()
    policies = graph.tenant.app_management_policies.get(application["id"], [])
    context = f"applications('{application['id']}')/appManagementPolicies"
    return listed(graph.call, "appManagementPolicy", context, policies)


def get_security_defaults(graph: GraphCall) -> Answer:
    """Answer GET /policies/identitySecurityDefaultsEnforcementPolicy."""
    policy = {
        "id": SECURITY_DEFAULTS_ID,
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security"
        " mechanisms recommended by Microsoft.",
        "isEnabled": graph.tenant.security_defaults_enabled,
    }
    name = "policies/identitySecurityDefaultsEnforcementPolicy"
    return single(graph.call, "identitySecurityDefaultsEnforcementPolicy", name, policy)


def check_new_password(
    graph: GraphCall, application: JsonObject, validity: timedelta
) -> None:
    """Refuse a secret that the application's policy forbids, or that lives longer."""
    if graph.sandbox.faults.take("secret-forbidden"):
        raise _forbidden(graph.tenant.default_app_management_policy["displayName"])
    if not graph.sandbox.holds("graph.app-management-policy"):
        return
    for name, entry in _restrictions(graph, application, "passwordCredentials"):
        if entry["restrictionType"] == "passwordAddition":
            raise _forbidden(name)
        if entry["restrictionType"] == "passwordLifetime":
            _check_lifetime(name, entry, validity)


def _forbidden(policy: str) -> GraphError:
    """Return the refusal of a secret by a policy."""
    return GraphError(
        400,
        "CredentialTypeNotAllowedAsPerAppPolicy",
        f"Credential type not allowed as per assigned policy '{policy}'.",
    )


def check_key_lifetime(
    graph: GraphCall, application: JsonObject, validity: timedelta
) -> None:
    """Refuse a certificate that lives longer than the policy allows."""
    for name, entry in _restrictions(graph, application, "keyCredentials"):
        if entry["restrictionType"] == "asymmetricKeyLifetime":
            _check_lifetime(name, entry, validity)


def _restrictions(
    graph: GraphCall, application: JsonObject, kind: str
) -> Iterator[tuple[str, JsonObject]]:
    """Yield policy name and restriction for all that bind this application.

    A policy assigned to the application replaces the tenant's default.
    """
    tenant = graph.tenant
    default = tenant.default_app_management_policy
    assigned = tenant.app_management_policies.get(application["id"], [])
    for policy in assigned or [default]:
        rules = policy.get("restrictions") or policy.get("applicationRestrictions")
        for entry in (rules or {}).get(kind, ()):
            if policy["isEnabled"] and _binds(entry, application):
                yield policy["displayName"], entry


def _binds(entry: JsonObject, application: JsonObject) -> bool:
    """Say whether a restriction is on and reaches back to this application."""
    since = entry.get("restrictForAppsCreatedAfterDateTime")
    created = datetime.fromisoformat(application["createdDateTime"])
    reaches = not since or created >= datetime.fromisoformat(since)
    return entry.get("state", "enabled") == "enabled" and reaches


def _check_lifetime(name: str, entry: JsonObject, validity: timedelta) -> None:
    """Refuse a validity above `maxLifetime` (an ISO 8601 duration)."""
    longest = duration(entry["maxLifetime"])
    if validity > longest:
        raise GraphError(
            400,
            "CredentialInvalidLifetimeAsPerAppPolicy",
            f"Credential lifetime exceeds the max value allowed as per assigned"
            f" policy '{name}'.",
        )


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds."""
    match = _LIFETIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration in days and smaller units")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

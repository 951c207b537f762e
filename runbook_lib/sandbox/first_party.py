"""Microsoft's own applications that a tenant can hold: Exchange Online and Graph.

The app role ids of the global cloud stand in `data/first_party.json`. Other clouds
have other ids, so no client may carry them as constants.

Source: Microsoft Learn, "Microsoft Graph permissions reference"; for Exchange
Online the list that cisagov/ScubaGear publishes.
"""

import json
from datetime import datetime
from functools import cache
from importlib import resources

from runbook_lib.sandbox.directory import MICROSOFT_TENANT, new_service_principal
from runbook_lib.sandbox.state import JsonObject, Tenant


@cache
def _known() -> dict[str, JsonObject]:
    """Return the known applications by appId."""
    file = resources.files("runbook_lib.sandbox") / "data" / "first_party.json"
    known: dict[str, JsonObject] = json.loads(file.read_text(encoding="utf-8"))
    return known


def first_party_principal(
    tenant: Tenant, app_id: str, now: datetime
) -> JsonObject | None:
    """Return a new service principal of Microsoft's application, or null."""
    known = _known().get(app_id)
    if known is None:
        return None
    application = {
        "appId": app_id,
        "displayName": known["displayName"],
        "signInAudience": "AzureADMultipleOrgs",
    }
    principal = new_service_principal(tenant, application, now)
    return principal | {
        "appOwnerOrganizationId": MICROSOFT_TENANT,
        "servicePrincipalNames": [app_id, *known["servicePrincipalNames"]],
        "appRoles": [_app_role(value, id_) for value, id_ in known["appRoles"].items()],
        "oauth2PermissionScopes": [
            _scope(value, id_) for value, id_ in known["scopes"].items()
        ],
    }


def _app_role(value: str, identifier: str) -> JsonObject:
    """Return an application permission."""
    return {
        "allowedMemberTypes": ["Application"],
        "description": f"Allows the app to use {value} without a signed-in user.",
        "displayName": value,
        "id": identifier,
        "isEnabled": True,
        "origin": "Application",
        "value": value,
    }


def _scope(value: str, identifier: str) -> JsonObject:
    """Return a delegated permission."""
    return {
        "adminConsentDescription": f"Allows the app to use {value}.",
        "adminConsentDisplayName": value,
        "id": identifier,
        "isEnabled": True,
        "type": "User",
        "userConsentDescription": f"Allows the app to use {value} as you.",
        "userConsentDisplayName": value,
        "value": value,
    }

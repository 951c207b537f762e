"""Microsoft's own applications that a tenant can hold: Exchange Online and Graph.

The app role ids of the global cloud stand in `data/first_party.json`. Other clouds
have other ids, so no client may carry them as constants.

Source: Microsoft Learn, "Microsoft Graph permissions reference"; for Exchange
Online the list that cisagov/ScubaGear publishes.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from runbook_lib.sandbox.directory import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    MICROSOFT_TENANT,
    RESOURCE_MANAGER_APP_ID,
    VAULT_APP_ID,
    new_service_principal,
)
from runbook_lib.sandbox.hosts import CLOUDS, Cloud
from runbook_lib.sandbox.package_data import packaged
from runbook_lib.sandbox.state import JsonObject, Tenant


@cache
def _known() -> dict[str, JsonObject]:
    """Return the known applications by appId."""
    known: dict[str, JsonObject] = packaged("first_party.json")
    return known


def first_party_principal(
    cloud: Cloud, tenant: Tenant, app_id: str, now: datetime
) -> JsonObject | None:
    """Return a new service principal of Microsoft's application, or null."""
    known = _of_cloud(cloud).get(app_id)
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
        "servicePrincipalNames": list(known["servicePrincipalNames"]),
        "appRoles": known["appRoles"],
        "oauth2PermissionScopes": known["oauth2PermissionScopes"],
    }


@cache
def _of_cloud(cloud: Cloud) -> dict[str, JsonObject]:
    """Return names, app roles and scopes of the known applications in a cloud."""
    return {
        app_id: {
            "displayName": known["displayName"],
            "servicePrincipalNames": [app_id, *_names(cloud, app_id)],
            "appRoles": SharedList(
                (
                    _app_role(value, cloud.app_roles.get(value, id_))
                    for value, id_ in known["appRoles"].items()
                ),
                (cloud.name, app_id, "appRoles"),
            ),
            "oauth2PermissionScopes": SharedList(
                (_scope(value, id_) for value, id_ in known["scopes"].items()),
                (cloud.name, app_id, "oauth2PermissionScopes"),
            ),
        }
        for app_id, known in _known().items()
    }


class SharedList(list[JsonObject]):
    """Roles or scopes of Microsoft's application: one list for all tenants.

    Nothing changes it. It is packed with a tenant as its name alone.
    """

    def __init__(self, entries: Iterable[JsonObject], name: tuple[str, str, str]):
        """Take the entries; `name` is cloud, appId and property."""
        super().__init__(entries)
        self._name = name

    def __reduce__(self) -> tuple[Callable[..., list[JsonObject]], tuple[str, ...]]:
        """Say how to find this very list again."""
        return shared_list, self._name


def shared_list(cloud: str, app_id: str, name: str) -> list[JsonObject]:
    """Return the shared list of this name."""
    found: list[JsonObject] = _of_cloud(CLOUDS[cloud])[app_id][name]
    return found


def _names(cloud: Cloud, app_id: str) -> list[str]:
    """Return the resource identifiers of an application, with and without a slash."""
    resources = {
        EXCHANGE_APP_ID: cloud.exchange_resources,
        GRAPH_APP_ID: (f"https://{cloud.graph}",),
        VAULT_APP_ID: (cloud.vault_resource,),
        RESOURCE_MANAGER_APP_ID: cloud.management_resources,
    }
    return [name for base in resources[app_id] for name in (f"{base}/", base)]


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

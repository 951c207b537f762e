"""Objects of the directory: how new ones look and what goes when one is deleted.

Source: Microsoft Learn, Graph v1.0 reference, "application resource type",
"servicePrincipal resource type", "appRoleAssignment resource type".
"""

import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache

from runbook_lib.sandbox.ids import SECRET_ALPHABET
from runbook_lib.sandbox.package_data import packaged
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant, date_text

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
VAULT_APP_ID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
RESOURCE_MANAGER_APP_ID = "797f4846-ba00-4fd7-bf71-dba1dac5a6c4"

# The tenant that owns Microsoft's own applications.
MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

SECRET_YEARS = 2
LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)


def new_application(tenant: Tenant, now: datetime) -> JsonObject:
    """Return an application with the service's defaults and without a name.

    Without `signInAudience` the documented response shows
    AzureADandPersonalMicrosoftAccount; `requiredResourceAccess` is empty.
    """
    return _defaults("application") | {
        "id": tenant.ids.guid(),
        "appId": tenant.ids.guid(),
        "createdDateTime": date_text(now),
        "publisherDomain": tenant.initial_domain,
    }


def new_service_principal(
    tenant: Tenant, application: JsonObject, now: datetime
) -> JsonObject:
    """Return the enterprise application of an application of this tenant."""
    return _defaults("servicePrincipal") | {
        "id": tenant.ids.guid(),
        "appDisplayName": application["displayName"],
        "appId": application["appId"],
        "appOwnerOrganizationId": tenant.tenant_id,
        "createdDateTime": date_text(now),
        "displayName": application["displayName"],
        "servicePrincipalNames": [application["appId"]],
        "signInAudience": application["signInAudience"],
    }


def _defaults(kind: str) -> JsonObject:
    """Return what a new object of this kind holds before it has ids, as a copy."""
    defaults: JsonObject = json.loads(_defaults_text(kind))
    return defaults


@cache
def _defaults_text(kind: str) -> str:
    """Return the defaults of a kind as JSON: parsing is the cheapest deep copy."""
    return json.dumps(packaged("directory_defaults.json")[kind])


def new_assignment(
    tenant: Tenant,
    principal: JsonObject,
    resource: JsonObject,
    app_role_id: str,
    now: datetime,
) -> JsonObject:
    """Return the grant of an app role of `resource` to `principal`."""
    return {
        "id": tenant.ids.letters(43),
        "deletedDateTime": None,
        "appRoleId": app_role_id,
        "createdDateTime": date_text(now),
        "principalDisplayName": principal["displayName"],
        "principalId": principal["id"],
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource["displayName"],
        "resourceId": resource["id"],
    }


def new_secret(
    tenant: Tenant, wanted: JsonObject, now: datetime, text: str | None = None
) -> tuple[JsonObject, str]:
    """Return a password credential, and its text, which the credential only hints.

    The text is random in each run, unless it is given; its first three characters,
    which Graph shows as `hint`, come from the seed, so that what Graph shows can be
    reproduced.
    """
    hint = tenant.ids.letters(3)
    text = text or secret_text(hint)
    start = wanted.get("startDateTime") or date_text(now)
    end = wanted.get("endDateTime") or date_text(_years_later(start))
    credential = {
        "customKeyIdentifier": None,
        "displayName": wanted.get("displayName"),
        "endDateTime": _utc(end),
        "hint": hint,
        "keyId": tenant.ids.guid(),
        "secretText": None,
        "startDateTime": _utc(start),
    }
    return credential, text


def secret_text(hint: str) -> str:
    """Return a new secret text that begins with `hint`."""
    return f"{hint}8Q~{''.join(secrets.choice(SECRET_ALPHABET) for _ in range(34))}"


def _utc(text: str) -> str:
    """Write a moment with any offset as Graph shows it."""
    return date_text(datetime.fromisoformat(text))


def _years_later(start: str) -> datetime:
    """Return the default end of a secret's validity."""
    begin = datetime.fromisoformat(start)
    validity = timedelta(days=365 * SECRET_YEARS)
    return min(begin, LAST_MOMENT - validity) + validity


def by_resource_name(tenant: Tenant, name: str) -> JsonObject | None:
    """Return the service principal that a resource identifier names, or null.

    A slash at the end does not count: real clients write none, one, or two.
    """
    wanted = name.rstrip("/").lower()
    for principal in tenant.service_principals.values():
        names = principal["servicePrincipalNames"]
        if any(wanted == known.rstrip("/").lower() for known in names):
            return principal
    return None


def remove_application(
    sandbox: Sandbox, tenant: Tenant, application: JsonObject
) -> None:
    """Move an application and its service principal to the deleted items."""
    now = date_text(sandbox.now())
    del tenant.applications[application["id"]]
    if sandbox.holds("graph.soft-delete"):
        deleted = {**application, "deletedDateTime": now}
        tenant.deleted_items[application["id"]] = {
            "@odata.type": "#microsoft.graph.application",
            **deleted,
        }
    principal = tenant.service_principal_by_app_id(application["appId"])
    if principal and sandbox.holds("graph.delete-takes-service-principal"):
        remove_service_principal(sandbox, tenant, principal)


def remove_service_principal(
    sandbox: Sandbox, tenant: Tenant, principal: JsonObject
) -> None:
    """Move a service principal to the deleted items and drop what it was granted."""
    identifier = principal["id"]
    del tenant.service_principals[identifier]
    now = date_text(sandbox.now())
    tenant.deleted_items[identifier] = {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        **principal,
        "deletedDateTime": now,
    }
    for grants in (tenant.app_role_assignments, tenant.oauth2_permission_grants):
        for key in [key for key, grant in grants.items() if _names(grant, identifier)]:
            del grants[key]


def _names(grant: JsonObject, principal: str) -> bool:
    """Say whether a grant is held by a principal or leads to it."""
    ends = (grant.get(name) for name in ("principalId", "clientId", "resourceId"))
    return principal in ends

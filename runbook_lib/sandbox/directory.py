"""Objects of the directory: how new ones look and what goes when one is deleted.

Source: Microsoft Learn, Graph v1.0 reference, "application resource type",
"servicePrincipal resource type", "appRoleAssignment resource type".
"""

import secrets
from datetime import UTC, datetime, timedelta

from runbook_lib.sandbox.ids import SECRET_ALPHABET
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant, date_text

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

# The tenant that owns Microsoft's own applications.
MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

INFO = (
    "logoUrl",
    "marketingUrl",
    "privacyStatementUrl",
    "supportUrl",
    "termsOfServiceUrl",
)
PUBLISHER = ("displayName", "verifiedPublisherId", "addedDateTime")
SECRET_YEARS = 2
LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)


def new_application(tenant: Tenant, now: datetime) -> JsonObject:
    """Return an application with the service's defaults and without a name.

    Without `signInAudience` the documented response shows
    AzureADandPersonalMicrosoftAccount; `requiredResourceAccess` is empty.
    """
    return {
        "id": tenant.ids.guid(),
        "deletedDateTime": None,
        "appId": tenant.ids.guid(),
        "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None,
        "createdDateTime": date_text(now),
        "displayName": None,
        "description": None,
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": None,
        "isFallbackPublicClient": None,
        "nativeAuthenticationApisEnabled": None,
        "notes": None,
        "publisherDomain": tenant.initial_domain,
        "serviceManagementReference": None,
        "signInAudience": "AzureADandPersonalMicrosoftAccount",
        "tags": [],
        "tokenEncryptionKeyId": None,
        "uniqueName": None,
        "samlMetadataUrl": None,
        "defaultRedirectUri": None,
        "certification": None,
        "optionalClaims": None,
        "servicePrincipalLockConfiguration": None,
        "requestSignatureVerification": None,
        "addIns": [],
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": dict.fromkeys(INFO),
        "keyCredentials": [],
        "parentalControlSettings": {
            "countriesBlockedForMinors": [],
            "legalAgeGroupRule": "Allow",
        },
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "verifiedPublisher": dict.fromkeys(PUBLISHER),
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": False,
                "enableIdTokenIssuance": False,
            },
            "redirectUriSettings": [],
        },
        "spa": {"redirectUris": []},
    }


def new_service_principal(
    tenant: Tenant, application: JsonObject, now: datetime
) -> JsonObject:
    """Return the enterprise application of an application of this tenant."""
    return {
        "id": tenant.ids.guid(),
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": application["displayName"],
        "appDescription": None,
        "appId": application["appId"],
        "applicationTemplateId": None,
        "appOwnerOrganizationId": tenant.tenant_id,
        "appRoleAssignmentRequired": False,
        "createdDateTime": date_text(now),
        "description": None,
        "disabledByMicrosoftStatus": None,
        "displayName": application["displayName"],
        "homepage": None,
        "loginUrl": None,
        "logoutUrl": None,
        "notes": None,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": None,
        "preferredTokenSigningKeyThumbprint": None,
        "replyUrls": [],
        "servicePrincipalNames": [application["appId"]],
        "servicePrincipalType": "Application",
        "signInAudience": application["signInAudience"],
        "tags": [],
        "tokenEncryptionKeyId": None,
        "samlSingleSignOnSettings": None,
        "addIns": [],
        "appRoles": [],
        "info": dict.fromkeys(INFO),
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "resourceSpecificApplicationPermissions": [],
        "verifiedPublisher": dict.fromkeys(PUBLISHER),
    }


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
    tenant: Tenant, wanted: JsonObject, now: datetime
) -> tuple[JsonObject, str]:
    """Return a password credential, and its text, which the credential only hints.

    The text is random in each run; its first three characters, which Graph shows
    as `hint`, come from the seed, so that what Graph shows can be reproduced.
    """
    hint = tenant.ids.letters(3)
    text = f"{hint}8Q~{_random_text(34)}"
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


def _random_text(length: int) -> str:
    """Return characters that a secret of Entra may have."""
    return "".join(secrets.choice(SECRET_ALPHABET) for _ in range(length))


def _utc(text: str) -> str:
    """Write a moment with any offset as Graph shows it."""
    return date_text(datetime.fromisoformat(text))


def _years_later(start: str) -> datetime:
    """Return the default end of a secret's validity."""
    begin = datetime.fromisoformat(start)
    validity = timedelta(days=365 * SECRET_YEARS)
    return min(begin, LAST_MOMENT - validity) + validity


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

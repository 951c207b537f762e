"""Single objects of the directory that seeding and the control endpoint add.

Secret texts are random in each run and never come from the seed.
"""

from datetime import UTC, datetime

from runbook_lib.sandbox.directory import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    new_application,
    new_assignment,
    new_secret,
    new_service_principal,
)
from runbook_lib.sandbox.state import JsonObject, Tenant
from runbook_lib.sandbox.tokens import secret_hash

CREATED = datetime(2024, 3, 4, 8, 0, tzinfo=UTC)
SECRET_END = "2099-12-31T00:00:00Z"  # noqa: S105 - a date

OPERATOR_GRAPH_ROLES = (
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Domain.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "RoleManagement.Read.Directory",
)


def grant_operator_roles(tenant: Tenant, principal: JsonObject) -> None:
    """Grant the app roles that the runbooks need."""
    for role in OPERATOR_GRAPH_ROLES:
        grant(tenant, principal, GRAPH_APP_ID, role)
    grant(tenant, principal, EXCHANGE_APP_ID, "Exchange.ManageAsApp")


def add_directory_role(tenant: Tenant, principal_id: str, template: str) -> None:
    """Assign a directory role, for the whole tenant."""
    assignment: JsonObject = {
        "id": tenant.ids.letters(43),
        "principalId": principal_id,
        "roleDefinitionId": template,
        "directoryScopeId": "/",
        "appScopeId": None,
        "condition": None,
        "principalOrganizationId": tenant.tenant_id,
    }
    tenant.directory_role_assignments[assignment["id"]] = assignment


def add_application(tenant: Tenant, name: str) -> tuple[JsonObject, JsonObject]:
    """Add a single-tenant application with its service principal."""
    application = new_application(tenant, tenant.created)
    application |= {"displayName": name, "signInAudience": "AzureADMyOrg"}
    principal = new_service_principal(tenant, application, tenant.created)
    tenant.applications[application["id"]] = application
    tenant.service_principals[principal["id"]] = principal
    return application, principal


def add_secret(
    tenant: Tenant,
    application: JsonObject,
    name: str,
    end: str,
    text: str | None = None,
) -> str:
    """Add a secret that ends at `end` and return its text, a new one if not given."""
    wanted = {"displayName": name, "endDateTime": end}
    credential, text = new_secret(tenant, wanted, tenant.created, text)
    application["passwordCredentials"].append(credential)
    tenant.secret_hashes[credential["keyId"]] = secret_hash(text)
    return text


def grant(tenant: Tenant, principal: JsonObject, app_id: str, value: str) -> None:
    """Grant an app role, given by its value, of one of Microsoft's applications.

    Raises KeyError where the tenant or the resource does not have it.
    """
    resource = tenant.service_principal_by_app_id(app_id)
    roles = {role["value"]: role["id"] for role in (resource or {}).get("appRoles", ())}
    if resource is None or value not in roles:
        raise KeyError(value)
    assignment = new_assignment(
        tenant, principal, resource, roles[value], tenant.created
    )
    tenant.app_role_assignments[assignment["id"]] = assignment

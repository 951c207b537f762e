"""Tenants as a sandbox starts with them; the seed decides every id.

Secret texts are random in each run and never come from the seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from runbook_lib.sandbox.directory import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    new_application,
    new_assignment,
    new_secret,
    new_service_principal,
)
from runbook_lib.sandbox.entra_token import secret_hash
from runbook_lib.sandbox.first_party import first_party_principal
from runbook_lib.sandbox.graph_directory import ROLE_TEMPLATES
from runbook_lib.sandbox.graph_policies import default_policy
from runbook_lib.sandbox.ids import IdSource
from runbook_lib.sandbox.seed_dns import seed_dns
from runbook_lib.sandbox.seed_exchange import seed_exchange
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

CREATED = datetime(2024, 3, 4, 8, 0, tzinfo=UTC)
SECRET_END = "2099-12-31T00:00:00Z"  # noqa: S105 - a date
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"

OPERATOR = "runbook-operator"
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
# Applications that are none of the runbook's business; two have the same name, and
# one is called almost as the runbook's own.
BYSTANDERS = (
    "SAP SMTP OAuth (old)",
    "SAP SMTP",
    "Invoice Archive",
    "Invoice Archive",
    "Payroll Connector",
)


@dataclass(frozen=True)
class Operator:
    """What a tenant's operator signs in with."""

    client_id: str
    client_secret: str


def seed_tenants(sandbox: Sandbox, count: int) -> dict[str, Operator]:
    """Fill the sandbox with `count` tenants; return their operators by tenant id."""
    operators = {}
    for name, domain in _names(count):
        tenant = _new_tenant(sandbox, name, domain)
        _add_domains(tenant)
        _add_first_party(tenant)
        operators[tenant.tenant_id] = _add_operator(tenant)
        _add_bystanders(tenant)
        seed_exchange(tenant)
        sandbox.tenants[tenant.tenant_id] = tenant
    seed_dns(sandbox)
    return operators


def _names(count: int) -> Iterator[tuple[str, str]]:
    """Yield short name and domain: contoso, fabrikam, then tenant0003 and so on."""
    known = [("contoso", "contoso.com"), ("fabrikam", "fabrikam.com")]
    for number in range(1, count + 1):
        name = f"tenant{number:04}"
        yield known[number - 1] if number <= 2 else (name, f"{name}.example")


def _new_tenant(sandbox: Sandbox, name: str, domain: str) -> Tenant:
    """Return an empty tenant."""
    ids = IdSource(f"{sandbox.seed}/{name}")
    return Tenant(
        tenant_id=ids.guid(),
        name=name,
        display_name=name.capitalize(),
        initial_domain=f"{name}.onmicrosoft.com",
        domain=domain,
        ids=ids,
        created=CREATED,
        default_app_management_policy=default_policy(),
        directory_role_ids={template: ids.guid() for template in ROLE_TEMPLATES},
    )


def _add_domains(tenant: Tenant) -> None:
    """Add the initial and the mail domain, both verified."""
    for name in (tenant.domain, tenant.initial_domain):
        tenant.domains[name] = {
            "id": name,
            "authenticationType": "Managed",
            "availabilityStatus": None,
            "isAdminManaged": True,
            "isDefault": name == tenant.domain,
            "isInitial": name == tenant.initial_domain,
            "isRoot": True,
            "isVerified": True,
            "manufacturer": None,
            "model": None,
            "passwordNotificationWindowInDays": 14,
            "passwordValidityPeriodInDays": 2147483647,
            "state": None,
            "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        }


def _add_first_party(tenant: Tenant) -> None:
    """Add the service principals of Exchange Online and Microsoft Graph."""
    for app_id in (EXCHANGE_APP_ID, GRAPH_APP_ID):
        principal = first_party_principal(tenant, app_id, tenant.created)
        if principal is not None:
            tenant.service_principals[principal["id"]] = principal


def _add_operator(tenant: Tenant) -> Operator:
    """Add the application that the runbooks sign in as, with its rights."""
    application, principal = add_application(tenant, OPERATOR)
    secret = add_secret(tenant, application, "operator", SECRET_END)
    for role in OPERATOR_GRAPH_ROLES:
        grant(tenant, principal, GRAPH_APP_ID, role)
    grant(tenant, principal, EXCHANGE_APP_ID, "Exchange.ManageAsApp")
    assignment = {
        "id": tenant.ids.letters(43),
        "principalId": principal["id"],
        "roleDefinitionId": EXCHANGE_ADMINISTRATOR,
        "directoryScopeId": "/",
        "appScopeId": None,
        "condition": None,
        "principalOrganizationId": tenant.tenant_id,
    }
    tenant.directory_role_assignments[assignment["id"]] = assignment
    return Operator(application["appId"], secret)


def _add_bystanders(tenant: Tenant) -> None:
    """Add the other applications; one of them holds a delegated permission."""
    for name in BYSTANDERS:
        application, principal = add_application(tenant, name)
        add_secret(tenant, application, "app", SECRET_END)
    graph = tenant.service_principal_by_app_id(GRAPH_APP_ID)
    if graph is None:
        return
    delegated = {
        "id": tenant.ids.letters(43),
        "clientId": principal["id"],
        "consentType": "AllPrincipals",
        "principalId": None,
        "resourceId": graph["id"],
        "scope": "User.Read",
    }
    tenant.oauth2_permission_grants[delegated["id"]] = delegated


def add_application(tenant: Tenant, name: str) -> tuple[JsonObject, JsonObject]:
    """Add a single-tenant application with its service principal."""
    application = new_application(tenant, tenant.created)
    application |= {"displayName": name, "signInAudience": "AzureADMyOrg"}
    principal = new_service_principal(tenant, application, tenant.created)
    tenant.applications[application["id"]] = application
    tenant.service_principals[principal["id"]] = principal
    return application, principal


def add_secret(tenant: Tenant, application: JsonObject, name: str, end: str) -> str:
    """Add a secret that ends at `end` and return its text."""
    wanted = {"displayName": name, "endDateTime": end}
    credential, text = new_secret(tenant, wanted, tenant.created)
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

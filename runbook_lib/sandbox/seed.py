"""Tenants as a sandbox starts with them; the seed decides every id.

Secret texts are random in each run and never come from the seed.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from runbook_lib.sandbox.directory import EXCHANGE_APP_ID, GRAPH_APP_ID, secret_text
from runbook_lib.sandbox.directory_roles import EXCHANGE_ADMINISTRATOR, SEEDED_ROLES
from runbook_lib.sandbox.first_party import first_party_principal
from runbook_lib.sandbox.fleet import Fleet
from runbook_lib.sandbox.graph_policies import default_policy
from runbook_lib.sandbox.ids import IdSource
from runbook_lib.sandbox.seed_dns import seed_dns, service_records
from runbook_lib.sandbox.seed_exchange import seed_exchange
from runbook_lib.sandbox.seed_objects import (
    CREATED,
    SECRET_END,
    add_application,
    add_directory_role,
    add_secret,
    grant_operator_roles,
)
from runbook_lib.sandbox.seed_people import new_passwords, seed_people
from runbook_lib.sandbox.seed_sap import new_sap_passwords
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

FIRST_PARTY = (EXCHANGE_APP_ID, GRAPH_APP_ID)

OPERATOR = "runbook-operator"
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


@dataclass(frozen=True)
class Plan:
    """What is known of a tenant before it is made: names, id, who signs in."""

    name: str
    domain: str
    tenant_id: str
    operator: Operator
    people: dict[str, str]
    identity_header: str
    sap_users: dict[str, str]


def seed_tenants(sandbox: Sandbox, count: int) -> dict[str, Plan]:
    """Announce `count` tenants; return what is known of them, by tenant id.

    A tenant is made when it is first asked for.
    """
    fleet = Fleet()
    plans = {}
    for name, domain in _names(count):
        plan = _plan(sandbox, name, domain)
        plans[plan.tenant_id] = plan
        sandbox.identity_headers[plan.identity_header] = plan.tenant_id
        sandbox.sap_users[plan.tenant_id] = plan.sap_users
        fleet.announce(plan.tenant_id, partial(make_tenant, sandbox, plan))
        for known in (domain, f"{name}.{sandbox.cloud.initial_suffix}"):
            sandbox.tenant_ids[known] = plan.tenant_id
    sandbox.tenants = fleet
    seed_dns(sandbox, [plan.domain for plan in plans.values()])
    return plans


def make_tenant(sandbox: Sandbox, plan: Plan) -> Tenant:
    """Make a tenant as it is before anybody touches it."""
    tenant = _new_tenant(sandbox, plan.name, plan.domain)
    _add_domains(tenant)
    _add_first_party(sandbox, tenant)
    principal = _add_operator(tenant, plan.operator.client_secret)
    _add_bystanders(tenant)
    seed_exchange(tenant)
    records = service_records(sandbox.cloud, tenant)
    tenant.service_configuration_records[tenant.domain] = records
    seed_people(sandbox, tenant, principal, plan.people)
    return tenant


def _plan(sandbox: Sandbox, name: str, domain: str) -> Plan:
    """Return what is known of a tenant, from the first ids that its seed gives.

    The order of ids is that in which `make_tenant` draws them.
    """
    ids = IdSource(f"{sandbox.seed}/{name}")
    tenant_id = ids.guid()
    for _ in (*SEEDED_ROLES, *FIRST_PARTY, "object id of the operator"):
        ids.guid()
    client_id = ids.guid()
    ids.guid()  # object id of the operator's service principal
    operator = Operator(client_id, secret_text(ids.letters(3)))
    header = secrets.token_hex(16).upper()
    people, sap_users = new_passwords(), new_sap_passwords()
    return Plan(name, domain, tenant_id, operator, people, header, sap_users)


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
        initial_domain=f"{name}.{sandbox.cloud.initial_suffix}",
        domain=domain,
        ids=ids,
        created=CREATED,
        default_app_management_policy=default_policy(),
        directory_role_ids={template: ids.guid() for template in SEEDED_ROLES},
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


def _add_first_party(sandbox: Sandbox, tenant: Tenant) -> None:
    """Add the service principals of Exchange Online and Microsoft Graph."""
    for app_id in FIRST_PARTY:
        principal = first_party_principal(sandbox.cloud, tenant, app_id, tenant.created)
        if principal is not None:
            tenant.service_principals[principal["id"]] = principal


def _add_operator(tenant: Tenant, text: str) -> JsonObject:
    """Add the application that the runbooks sign in as; return its principal."""
    application, principal = add_application(tenant, OPERATOR)
    add_secret(tenant, application, "operator", SECRET_END, text)
    grant_operator_roles(tenant, principal)
    add_directory_role(tenant, principal["id"], EXCHANGE_ADMINISTRATOR)
    return principal


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

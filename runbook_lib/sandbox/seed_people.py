"""People and Azure objects of a new tenant: users, managed identity, vault.

Their ids come from a seed of their own, so that all other ids are what they were
before there were people.
"""

import dataclasses
import secrets

from runbook_lib.sandbox.directory import (
    RESOURCE_MANAGER_APP_ID,
    VAULT_APP_ID,
    new_service_principal,
)
from runbook_lib.sandbox.directory_roles import (
    APPLICATION_ADMINISTRATOR,
    EXCHANGE_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    GLOBAL_READER,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    ROLE_TEMPLATES,
)
from runbook_lib.sandbox.first_party import first_party_principal
from runbook_lib.sandbox.ids import IdSource
from runbook_lib.sandbox.seed_objects import add_directory_role, grant_operator_roles
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant, date_text
from runbook_lib.sandbox.tokens import secret_hash
from runbook_lib.sandbox.vault_access import OFFICER

# Local part -> display name and directory role, null for an ordinary user.
PEOPLE: dict[str, tuple[str, str | None]] = {
    "admin": ("Global Admin", GLOBAL_ADMINISTRATOR),
    "exchange.admin": ("Exchange Admin", EXCHANGE_ADMINISTRATOR),
    "app.admin": ("Application Admin", APPLICATION_ADMINISTRATOR),
    "role.admin": ("Privileged Role Admin", PRIVILEGED_ROLE_ADMINISTRATOR),
    "reader": ("Global Reader", GLOBAL_READER),
    "user": ("Ordinary User", None),
}
MANAGED_IDENTITY = "runbook-host"


def new_passwords() -> dict[str, str]:
    """Return a password for each person, random in each run, by local part."""
    return {local: secrets.token_urlsafe(12) for local in PEOPLE}


def seed_people(
    sandbox: Sandbox, tenant: Tenant, operator: JsonObject, passwords: dict[str, str]
) -> None:
    """Add users with their directory roles, the managed identity and the vault."""
    ids = IdSource(f"{sandbox.seed}/{tenant.name}/people")
    aside = dataclasses.replace(tenant, ids=ids)  # shares all objects
    for template in ROLE_TEMPLATES:
        tenant.directory_role_ids.setdefault(template, ids.guid())
    for local, (name, role) in PEOPLE.items():
        user = _user(aside, local, name)
        tenant.users[user["id"]] = user
        tenant.password_hashes[user["id"]] = secret_hash(passwords[local])
        if role:
            add_directory_role(aside, user["id"], role)
    _add_first_party(sandbox, aside, VAULT_APP_ID)
    identity = _managed_identity(aside)
    _add_first_party(sandbox, aside, RESOURCE_MANAGER_APP_ID)
    for principal in (operator, identity):
        tenant.vault.roles[principal["id"]] = OFFICER


def _add_first_party(sandbox: Sandbox, tenant: Tenant, app_id: str) -> None:
    """Add the service principal of one of Microsoft's applications."""
    found = first_party_principal(sandbox.cloud, tenant, app_id, tenant.created)
    if found is not None:
        tenant.service_principals[found["id"]] = found


def _user(tenant: Tenant, local: str, name: str) -> JsonObject:
    """Return a user as Graph shows one."""
    given, _, surname = name.rpartition(" ")
    address = f"{local}@{tenant.initial_domain}"
    return {
        "id": tenant.ids.guid(),
        "businessPhones": [],
        "displayName": name,
        "givenName": given,
        "jobTitle": None,
        "mail": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": surname,
        "userPrincipalName": address,
        "accountEnabled": True,
        "createdDateTime": date_text(tenant.created),
        "userType": "Member",
    }


def _managed_identity(tenant: Tenant) -> JsonObject:
    """Add the identity of a host in Azure, with the operator's rights."""
    nameless = {
        "appId": tenant.ids.guid(),
        "displayName": MANAGED_IDENTITY,
        "signInAudience": None,
    }
    identity = new_service_principal(tenant, nameless, tenant.created)
    identity["servicePrincipalType"] = "ManagedIdentity"
    tenant.service_principals[identity["id"]] = identity
    grant_operator_roles(tenant, identity)
    add_directory_role(tenant, identity["id"], EXCHANGE_ADMINISTRATOR)
    return identity

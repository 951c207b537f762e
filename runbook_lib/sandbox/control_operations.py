"""What a test can do to a tenant behind its back.

Each operation takes the sandbox, the tenant and the named arguments of the
request; what it returns is the reply. KeyError means: there is no such object.
"""

from collections.abc import Callable
from typing import Any

from runbook_lib.sandbox.control_mail import MAIL_OPERATIONS
from runbook_lib.sandbox.directory import (
    EXCHANGE_APP_ID,
    remove_application,
    remove_service_principal,
)
from runbook_lib.sandbox.faults import parse_fault
from runbook_lib.sandbox.sap_conditions import SAP_OPERATIONS
from runbook_lib.sandbox.seed_objects import (
    SECRET_END,
    add_application,
    add_secret,
    grant,
)
from runbook_lib.sandbox.state import JsonObject, Mailbox, Sandbox, Tenant, date_text

Operation = Callable[..., JsonObject | None]


def delete_application(sandbox: Sandbox, tenant: Tenant, *, app_id: str) -> None:
    """Delete an application with its service principal."""
    remove_application(sandbox, tenant, _application(tenant, app_id))


def delete_service_principal(sandbox: Sandbox, tenant: Tenant, *, app_id: str) -> None:
    """Delete a service principal and keep its application."""
    remove_service_principal(sandbox, tenant, _principal(tenant, app_id))


def disable_application(
    sandbox: Sandbox, tenant: Tenant, *, app_id: str, disabled: bool = True
) -> None:
    """Disable sign-in of a service principal, or allow it again."""
    _principal(tenant, app_id)["accountEnabled"] = not disabled


def expire_secret(
    sandbox: Sandbox,
    tenant: Tenant,
    *,
    app_id: str,
    key_id: str | None = None,
    end: str | None = None,
) -> None:
    """Let a secret end at `end` (default: now); without `key_id`, all of them."""
    for credential in _application(tenant, app_id)["passwordCredentials"]:
        if key_id in (None, credential["keyId"]):
            credential["endDateTime"] = end or date_text(sandbox.now())


def add_application_of_another(
    sandbox: Sandbox,
    tenant: Tenant,
    *,
    display_name: str,
    permissions: tuple[str, ...] = (),
    secret: bool = False,
    properties: JsonObject | None = None,
) -> JsonObject:
    """Add an application that somebody else made.

    `permissions` are Exchange app roles by value, granted; `properties` replace
    properties of the application as Graph shows them. Returns its ids, and
    `secretText` where a secret was asked for.
    """
    application, principal = add_application(tenant, display_name)
    application.update(properties or {})
    for value in permissions:
        grant(tenant, principal, EXCHANGE_APP_ID, value)
    ids = {
        "id": application["id"],
        "appId": application["appId"],
        "servicePrincipalId": principal["id"],
    }
    if secret:
        ids["secretText"] = add_secret(tenant, application, "found", SECRET_END)
    return ids


def remove_app_role_assignment(
    sandbox: Sandbox, tenant: Tenant, *, app_id: str, value: str
) -> None:
    """Revoke an Exchange app role, by value, from a service principal."""
    principal = _principal(tenant, app_id)
    exchange = _principal(tenant, EXCHANGE_APP_ID)
    roles = {role["value"]: role["id"] for role in exchange["appRoles"]}
    wanted = (principal["id"], roles[value])
    for key, assignment in list(tenant.app_role_assignments.items()):
        if (assignment["principalId"], assignment["appRoleId"]) == wanted:
            del tenant.app_role_assignments[key]


def remove_exchange_service_principal(
    sandbox: Sandbox, tenant: Tenant, *, app_id: str
) -> None:
    """Remove a service principal from Exchange; its permissions stay behind."""
    known = tenant.exchange.service_principals
    kept = [entry for entry in known if entry["AppId"] != app_id]
    if len(kept) == len(known):
        raise KeyError(app_id)
    tenant.exchange.service_principals = kept


def remove_mailbox_permission(
    sandbox: Sandbox, tenant: Tenant, *, mailbox: str, user: str
) -> None:
    """Remove the rows of a user from a mailbox: by SID, ObjectId or AppId."""
    entry = _mailbox(tenant, mailbox)
    names = {user}
    for principal in tenant.exchange.service_principals:
        if user in (principal["ObjectId"], principal["AppId"], principal["Sid"]):
            names |= {principal["Sid"], principal["ObjectId"], principal["AppId"]}
    entry.permissions = [row for row in entry.permissions if row["User"] not in names]


def delete_mailbox(sandbox: Sandbox, tenant: Tenant, *, mailbox: str) -> None:
    """Delete a mailbox."""
    _mailbox(tenant, mailbox)
    del tenant.exchange.mailboxes[mailbox.lower()]


def set_cas(
    sandbox: Sandbox,
    tenant: Tenant,
    *,
    mailbox: str,
    value: bool | None,
    name: str = "SmtpClientAuthenticationDisabled",
) -> None:
    """Set a property of Get-CASMailbox."""
    _set_known(_mailbox(tenant, mailbox).cas, name, value)


def set_transport_config(
    sandbox: Sandbox,
    tenant: Tenant,
    *,
    value: Any,
    name: str = "SmtpClientAuthenticationDisabled",
) -> None:
    """Set a property of Get-TransportConfig."""
    _set_known(tenant.exchange.transport_config, name, value)


def set_organization_config(
    sandbox: Sandbox, tenant: Tenant, *, name: str, value: Any
) -> None:
    """Set a property of Get-OrganizationConfig."""
    _set_known(tenant.exchange.organization_config, name, value)


def set_security_defaults(sandbox: Sandbox, tenant: Tenant, *, enabled: bool) -> None:
    """Turn security defaults on or off."""
    tenant.security_defaults_enabled = enabled


def set_app_management_policy(
    sandbox: Sandbox,
    tenant: Tenant,
    *,
    password_credentials: list[JsonObject],
    key_credentials: list[JsonObject] | None = None,
    enabled: bool = True,
) -> None:
    """Restrict credentials in the tenant's default policy, as Graph writes it."""
    policy = tenant.default_app_management_policy
    policy["isEnabled"] = enabled
    policy["applicationRestrictions"] = {
        **policy["applicationRestrictions"],
        "passwordCredentials": password_credentials,
        "keyCredentials": key_credentials or [],
    }


def set_dns(
    sandbox: Sandbox, tenant: Tenant, *, name: str, records: dict[str, list[str]]
) -> None:
    """Replace all DNS records of a name; without records the name is gone."""
    if records:
        sandbox.dns[name.lower()] = records
    else:
        del sandbox.dns[name.lower()]


def add_fault(sandbox: Sandbox, tenant: Tenant, *, fault: str) -> None:
    """Add a fault, in the grammar of --fault; it holds for all tenants."""
    sandbox.faults.add(parse_fault(fault))


def clear_faults(sandbox: Sandbox, tenant: Tenant) -> None:
    """Forget all faults and what was counted, for all tenants."""
    sandbox.faults.clear()


OPERATIONS: dict[str | None, Operation] = {
    "add_application": add_application_of_another,
    "add_fault": add_fault,
    "clear_faults": clear_faults,
    "delete_application": delete_application,
    "delete_mailbox": delete_mailbox,
    "delete_service_principal": delete_service_principal,
    "disable_application": disable_application,
    "expire_secret": expire_secret,
    "remove_app_role_assignment": remove_app_role_assignment,
    "remove_exchange_service_principal": remove_exchange_service_principal,
    "remove_mailbox_permission": remove_mailbox_permission,
    "set_app_management_policy": set_app_management_policy,
    "set_cas": set_cas,
    "set_dns": set_dns,
    "set_organization_config": set_organization_config,
    "set_security_defaults": set_security_defaults,
    "set_transport_config": set_transport_config,
    **MAIL_OPERATIONS,
    **SAP_OPERATIONS,
}


def _application(tenant: Tenant, app_id: str) -> JsonObject:
    """Return an application by client id; KeyError where there is none."""
    application = tenant.application_by_app_id(app_id)
    if application is None:
        raise KeyError(app_id)
    return application


def _principal(tenant: Tenant, app_id: str) -> JsonObject:
    """Return a service principal by client id; KeyError where there is none."""
    principal = tenant.service_principal_by_app_id(app_id)
    if principal is None:
        raise KeyError(app_id)
    return principal


def _mailbox(tenant: Tenant, address: str) -> Mailbox:
    """Return a mailbox by primary address; KeyError where there is none."""
    return tenant.exchange.mailboxes[address.lower()]


def _set_known(settings: JsonObject, name: str, value: Any) -> None:
    """Set a property that exists; KeyError for another."""
    if name not in settings:
        raise KeyError(name)
    settings[name] = value

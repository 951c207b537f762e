"""Exchange objects as InvokeCommand returns them, with their common tail.

Enumerations are texts, sizes are texts with the bytes in brackets, an empty
collection is an empty array, and what is not set is null.
Source: objects captured by public assessment tools (CISA ScubaGear samples),
field reports of ServicePrincipal objects; Exchange cmdlet reference.
"""

import copy
from datetime import datetime
from functools import cache
from typing import Any

from runbook_lib.sandbox.exchange_errors import DOMAIN_CONTROLLER
from runbook_lib.sandbox.package_data import packaged
from runbook_lib.sandbox.state import Mailbox, Sandbox, Tenant, date_text

JsonObject = dict[str, Any]

FOREST = "DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM"
SELF = "NT AUTHORITY\\SELF"
VALID = {"IsValid": True, "ObjectState": "Unchanged"}
USER_CLASS = ["top", "person", "organizationalPerson", "user"]


def distinguished_name(tenant: Tenant, name: str) -> str:
    """Return the distinguished name of an object of the organisation."""
    return (
        f"CN={name},OU={tenant.initial_domain},OU=Microsoft Exchange Hosted "
        f"Organizations,{FOREST}"
    )


def common_tail(
    tenant: Tenant, name: str, guid: str, object_class: list[str], created: datetime
) -> JsonObject:
    """Return the properties that every Exchange object ends with."""
    when = date_text(created)
    return {
        "AdminDisplayName": "",
        "ExchangeVersion": "0.20 (15.0.0.0)",
        "Name": name,
        "DistinguishedName": distinguished_name(tenant, name),
        "Identity": name,
        "ObjectCategory": f"{FOREST}/Configuration/Schema/{object_class[-1]}",
        "ObjectClass": list(object_class),
        "WhenChanged": when,
        "WhenCreated": when,
        "WhenChangedUTC": when,
        "WhenCreatedUTC": when,
        "ExchangeObjectId": guid,
        "OrganizationalUnitRoot": tenant.initial_domain,
        "OrganizationId": _organization_id(tenant),
        "Id": name,
        "Guid": guid,
        "OriginatingServer": DOMAIN_CONTROLLER,
        **VALID,
    }


def mailbox_object(
    tenant: Tenant,
    address: str,
    display_name: str,
    kind: str = "UserMailbox",
    created: datetime | None = None,
) -> Mailbox:
    """Return a new mailbox with the CAS settings and permissions of a fresh one.

    `kind` is the RecipientTypeDetails: UserMailbox or SharedMailbox.
    """
    alias = address.partition("@")[0]
    when = created or tenant.created
    tail = common_tail(tenant, alias, tenant.ids.guid(), USER_CLASS, when)
    shown = {"DisplayName": display_name, "PrimarySmtpAddress": address}
    head = {
        "Alias": alias,
        "EmailAddresses": [f"SMTP:{address}", f"smtp:{alias}@{tenant.initial_domain}"],
        "ExternalDirectoryObjectId": tenant.ids.guid(),
        "RecipientTypeDetails": kind,
        "UserPrincipalName": address,
        "IsShared": kind == "SharedMailbox",
        "AccountDisabled": kind == "SharedMailbox",
    }
    return Mailbox(
        {**shown, **head, **defaults("mailbox"), **tail},
        {**shown, **defaults("cas"), **tail},
        [permission_row(alias, SELF, ["FullAccess", "ReadPermission"])],
    )


def permission_row(identity: str, user: str, rights: list[str]) -> JsonObject:
    """Return one row of Get-MailboxPermission."""
    return {
        "Identity": identity,
        "User": user,
        "AccessRights": rights,
        "IsInherited": False,
        "Deny": False,
        "InheritanceType": "All",
        **VALID,
    }


def recipient_permission_row(identity: str, trustee: str) -> JsonObject:
    """Return one row of Get-RecipientPermission."""
    return {
        "Identity": identity,
        "Trustee": trustee,
        "AccessControlType": "Allow",
        "AccessRights": ["SendAs"],
        "IsInherited": False,
        "InheritanceType": "None",
        **VALID,
    }


def accepted_domain_object(
    tenant: Tenant, domain: str, *, default: bool = False
) -> JsonObject:
    """Return an authoritative accepted domain."""
    head = {
        "DomainName": domain,
        "Default": default,
        "InitialDomain": domain == tenant.initial_domain,
    }
    tail = _settings_tail(tenant, domain, "msExchAcceptedDomain")
    return {**head, **defaults("accepted_domain"), **tail}


def transport_config_object(tenant: Tenant) -> JsonObject:
    """Return the transport settings of an organisation made after January 2020."""
    tail = _settings_tail(tenant, "Transport Settings", "msExchTransportSettings")
    return {**defaults("transport_config"), **tail}


def organization_config_object(tenant: Tenant) -> JsonObject:
    """Return the organisation settings that a new tenant has."""
    name = tenant.initial_domain
    tail = _settings_tail(tenant, name, "msExchOrganizationContainer")
    head = {"DisplayName": tenant.display_name}
    return {**head, **defaults("organization_config"), **tail}


def service_principal_object(
    sandbox: Sandbox, tenant: Tenant, app_id: str, object_id: str, display_name: str
) -> JsonObject:
    """Return a service principal as New-ServicePrincipal makes it, with a new SID."""
    guid = tenant.ids.guid()
    tail = common_tail(tenant, object_id, guid, USER_CLASS, sandbox.now())
    numbers = [str(tenant.ids.number(10**8, 2 * 10**9)) for _ in range(3)]
    head = {
        "DisplayName": display_name,
        "AppId": app_id,
        "ObjectId": object_id,
        "Sid": f"S-1-5-21-{'-'.join(numbers)}-{tenant.ids.number(10**6, 10**8)}",
        "SidHistory": [],
    }
    return {**head, **tail, "ExchangeVersion": "1.1 (15.0.0.0)"}


def inbound_connector_object(sandbox: Sandbox, tenant: Tenant, name: str) -> JsonObject:
    """Return an inbound connector with the defaults of New-InboundConnector."""
    kind = ["top", "msExchSMTPInboundConnector"]
    tail = common_tail(tenant, name, tenant.ids.guid(), kind, sandbox.now())
    head = {**defaults("inbound_connector"), "NameHashGuid": tenant.ids.guid()}
    return {**head, **tail}


def authentication_policy_object(
    sandbox: Sandbox, tenant: Tenant, name: str
) -> JsonObject:
    """Return an authentication policy that allows Basic authentication nowhere."""
    kind = ["top", "msExchAuthPolicy"]
    tail = common_tail(tenant, name, tenant.ids.guid(), kind, sandbox.now())
    return {**defaults("authentication_policy"), **tail}


def touch(sandbox: Sandbox, entry: JsonObject) -> None:
    """Note on an object that it was changed now."""
    for key in ("WhenChanged", "WhenChangedUTC"):
        if key in entry:
            entry[key] = date_text(sandbox.now())


def defaults(kind: str) -> JsonObject:
    """Return the settings that a new object of this kind has."""
    return copy.deepcopy(_all_defaults()[kind])


@cache
def _all_defaults() -> dict[str, JsonObject]:
    """Read the default settings of all kinds."""
    return dict(packaged("exchange_defaults.json"))


def _settings_tail(tenant: Tenant, name: str, object_class: str) -> JsonObject:
    """Return the tail of an object that came with the organisation."""
    guid = tenant.ids.guid()
    return common_tail(tenant, name, guid, ["top", object_class], tenant.created)


def _organization_id(tenant: Tenant) -> str:
    """Return the organisation id: directory path and configuration unit."""
    forest = "EURPR01A001.PROD.OUTLOOK.COM"
    unit = f"{forest}/Microsoft Exchange Hosted Organizations/{tenant.initial_domain}"
    configuration = f"{forest}/ConfigurationUnits/{tenant.initial_domain}/Configuration"
    return f"{unit} - {configuration}"

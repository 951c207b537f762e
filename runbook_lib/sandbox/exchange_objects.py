"""Exchange objects as InvokeCommand returns them, with their common tail.

Enumerations are texts, sizes are texts with the bytes in brackets, an empty
collection is an empty array, and what is not set is null.
Source: objects captured by public assessment tools (CISA ScubaGear samples),
field reports of ServicePrincipal objects; Exchange cmdlet reference.
"""

from datetime import datetime
from typing import Any

from runbook_lib.sandbox.exchange_errors import DOMAIN_CONTROLLER
from runbook_lib.sandbox.state import Mailbox, Sandbox, Tenant, date_text

JsonObject = dict[str, Any]

FOREST = "DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM"
SELF = "NT AUTHORITY\\SELF"


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
        "ObjectClass": object_class,
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
        "IsValid": True,
        "ObjectState": "Unchanged",
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
    user_class = ["top", "person", "organizationalPerson", "user"]
    tail = common_tail(tenant, alias, tenant.ids.guid(), user_class, when)
    head = {
        "Alias": alias,
        "DisplayName": display_name,
        "EmailAddresses": [f"SMTP:{address}", f"smtp:{alias}@{tenant.initial_domain}"],
        "ExternalDirectoryObjectId": tenant.ids.guid(),
        "PrimarySmtpAddress": address,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": kind,
        "UserPrincipalName": address,
        "WindowsEmailAddress": address,
        "IsMailboxEnabled": True,
        "IsShared": kind == "SharedMailbox",
        "AccountDisabled": kind == "SharedMailbox",
        "ForwardingSmtpAddress": None,
        "LitigationHoldEnabled": False,
        "MessageCopyForSentAsEnabled": False,
        "RecipientLimits": "500",
        "MaxSendSize": "35 MB (36,700,160 bytes)",
        "MaxReceiveSize": "36 MB (37,748,736 bytes)",
    }
    row = permission_row(alias, SELF, ["FullAccess", "ReadPermission"])
    return Mailbox({**head, **tail}, _cas_object(address, tail), [row])


def permission_row(identity: str, user: str, rights: list[str]) -> JsonObject:
    """Return one row of Get-MailboxPermission."""
    return {
        "Identity": identity,
        "User": user,
        "AccessRights": rights,
        "IsInherited": False,
        "Deny": False,
        "InheritanceType": "All",
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
    }


def accepted_domain_object(
    tenant: Tenant, domain: str, *, default: bool = False
) -> JsonObject:
    """Return an authoritative accepted domain."""
    object_class = ["top", "msExchAcceptedDomain"]
    guid = tenant.ids.guid()
    tail = common_tail(tenant, domain, guid, object_class, tenant.created)
    head = {
        "DomainName": domain,
        "CatchAllRecipientID": None,
        "DomainType": "Authoritative",
        "MatchSubDomains": False,
        "AddressBookEnabled": True,
        "Default": default,
        "EmailOnly": False,
        "ExternallyManaged": False,
        "AuthenticationType": "Managed",
        "LiveIdInstanceType": "Business",
        "PendingRemoval": False,
        "PendingCompletion": False,
        "FederatedOrganizationLink": None,
        "OutboundOnly": False,
        "IsCoexistenceDomain": False,
        "SendingFromDomainDisabled": False,
        "SendingToDomainDisabled": False,
        "SmtpDaneStatus": None,
        "InitialDomain": domain == tenant.initial_domain,
    }
    return {**head, **tail}


def transport_config_object(tenant: Tenant) -> JsonObject:
    """Return the transport settings of an organisation made after January 2020."""
    name = "Transport Settings"
    object_class = ["top", "container", "msExchTransportSettings"]
    guid = tenant.ids.guid()
    tail = common_tail(tenant, name, guid, object_class, tenant.created)
    head = {
        "SmtpClientAuthenticationDisabled": True,
        "AllowLegacyTLSClients": None,
        "MaxSendSize": "Unlimited",
        "MaxReceiveSize": "Unlimited",
        "MaxRecipientEnvelopeLimit": "Unlimited",
        "MessageExpiration": "1.00:00:00",
        "AnonymousSenderToRecipientRatePerHour": 1800,
        "ReplyAllStormProtectionEnabled": True,
        "ReplyAllStormBlockDurationHours": 6,
        "ReplyAllStormDetectionMinimumRecipients": 2500,
        "ReplyAllStormDetectionMinimumReplies": 10,
        "ExternalDelayDsnEnabled": True,
        "InternalDelayDsnEnabled": True,
        "HeaderPromotionModeSetting": "NoCreate",
        "DSNConversionMode": "PreserveDSNBody",
        "ClearCategories": True,
        "ConvertDisclaimerWrapperToEml": False,
        "AddressBookPolicyRoutingEnabled": False,
        "Rfc2231EncodingEnabled": False,
        "JournalingReportNdrTo": "<>",
    }
    return {**head, **tail}


def organization_config_object(tenant: Tenant) -> JsonObject:
    """Return the organisation settings that a new tenant has."""
    object_class = ["top", "container", "msExchOrganizationContainer"]
    name = tenant.initial_domain
    tail = common_tail(tenant, name, tenant.ids.guid(), object_class, tenant.created)
    head = {
        "DisplayName": tenant.display_name,
        "OAuth2ClientProfileEnabled": True,
        "DefaultAuthenticationPolicy": None,
        "SendFromAliasEnabled": False,
        "RejectDirectSend": False,
        "AuditDisabled": False,
        "CustomerLockboxEnabled": False,
        "IsDehydrated": False,
        "MailTipsAllTipsEnabled": True,
        "MailTipsExternalRecipientsTipsEnabled": False,
        "HybridConfigurationStatus": "NotConfigured",
    }
    return {**head, **tail}


def service_principal_object(
    sandbox: Sandbox, tenant: Tenant, app_id: str, object_id: str, display_name: str
) -> JsonObject:
    """Return a service principal as New-ServicePrincipal makes it, with a new SID."""
    user_class = ["top", "person", "organizationalPerson", "user"]
    guid = tenant.ids.guid()
    tail = common_tail(tenant, object_id, guid, user_class, sandbox.now())
    numbers = [str(tenant.ids.number(10**8, 2 * 10**9)) for _ in range(3)]
    head = {
        "DisplayName": display_name,
        "AppId": app_id,
        "ObjectId": object_id,
        "Sid": f"S-1-5-21-{'-'.join(numbers)}-{tenant.ids.number(10**6, 10**8)}",
        "SidHistory": [],
    }
    return {**head, **tail, "ExchangeVersion": "1.1 (15.0.0.0)"}


def touch(sandbox: Sandbox, entry: JsonObject) -> None:
    """Note on an object that it was changed now."""
    for key in ("WhenChanged", "WhenChangedUTC"):
        if key in entry:
            entry[key] = date_text(sandbox.now())


def _cas_object(address: str, tail: JsonObject) -> JsonObject:
    """Return the client access settings of a fresh mailbox."""
    head = {
        "PrimarySmtpAddress": address,
        "EmailAddresses": [f"SMTP:{address}"],
        "DisplayName": tail["Name"],
        "SmtpClientAuthenticationDisabled": None,
        "EwsEnabled": None,
        "ActiveSyncEnabled": True,
        "PopEnabled": True,
        "ImapEnabled": True,
        "MAPIEnabled": True,
        "OWAEnabled": True,
        "OutlookMobileEnabled": True,
        "UniversalOutlookEnabled": True,
    }
    return {**head, **tail}


def _organization_id(tenant: Tenant) -> str:
    """Return the organisation id: directory path and configuration unit."""
    forest = "EURPR01A001.PROD.OUTLOOK.COM"
    unit = f"{forest}/Microsoft Exchange Hosted Organizations/{tenant.initial_domain}"
    configuration = f"{forest}/ConfigurationUnits/{tenant.initial_domain}/Configuration"
    return f"{unit} - {configuration}"

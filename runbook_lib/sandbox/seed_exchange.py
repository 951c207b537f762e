"""The Exchange side of a new tenant: three mailboxes and the settings of today."""

from runbook_lib.sandbox.exchange_objects import (
    accepted_domain_object,
    mailbox_object,
    organization_config_object,
    transport_config_object,
)
from runbook_lib.sandbox.state import Tenant

# Local part, display name, RecipientTypeDetails.
MAILBOXES = (
    ("sap", "SAP System", "UserMailbox"),
    ("basis", "SAP Basis", "SharedMailbox"),
    ("inbox", "Test Inbox", "UserMailbox"),
)


def seed_exchange(tenant: Tenant) -> None:
    """Fill the Exchange organisation of a tenant.

    Authenticated SMTP is off in the organisation and inherited by the mailboxes,
    as in every tenant made since January 2020.
    """
    organization = tenant.exchange
    organization.transport_config = transport_config_object(tenant)
    organization.organization_config = organization_config_object(tenant)
    organization.accepted_domains = [
        accepted_domain_object(tenant, tenant.domain, default=True),
        accepted_domain_object(tenant, tenant.initial_domain),
    ]
    for local, name, kind in MAILBOXES:
        address = f"{local}@{tenant.domain}"
        organization.mailboxes[address] = mailbox_object(tenant, address, name, kind)

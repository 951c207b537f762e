"""Cmdlets for the settings of the whole organisation, and read-only lists.

Source: Exchange cmdlet reference: Get-/Set-TransportConfig,
Get-/Set-OrganizationConfig, Get-AcceptedDomain.
"""

from runbook_lib.sandbox.exchange_invocation import Handler, Invocation, find_objects
from runbook_lib.sandbox.exchange_mailboxes import change_settings, settings_of
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject


def get_transport_config(invocation: Invocation) -> list[JsonObject]:
    """Get-TransportConfig: one object."""
    return [dict(invocation.organization.transport_config)]


def set_transport_config(invocation: Invocation) -> list[JsonObject]:
    """Set-TransportConfig: the organisation's mail settings."""
    target = invocation.organization.transport_config
    change_settings(invocation, target, settings_of(invocation))
    return []


def get_organization_config(invocation: Invocation) -> list[JsonObject]:
    """Get-OrganizationConfig: one object."""
    return [dict(invocation.organization.organization_config)]


def set_organization_config(invocation: Invocation) -> list[JsonObject]:
    """Set-OrganizationConfig: RejectDirectSend, SendFromAliasEnabled and others."""
    target = invocation.organization.organization_config
    change_settings(invocation, target, settings_of(invocation))
    return []


def get_accepted_domain(invocation: Invocation) -> list[JsonObject]:
    """Get-AcceptedDomain: the domains that the organisation takes mail for."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    known = invocation.organization.accepted_domains
    return [dict(entry) for entry in find_objects(known, invocation.identity)]


CMDLETS: dict[str, Handler] = {
    "Get-TransportConfig": get_transport_config,
    "Set-TransportConfig": set_transport_config,
    "Get-OrganizationConfig": get_organization_config,
    "Set-OrganizationConfig": set_organization_config,
    "Get-AcceptedDomain": get_accepted_domain,
}

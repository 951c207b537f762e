"""Microsoft 365 groups: as recipients, and as what a management scope is over.

Source: Exchange cmdlet reference, Get-/New-/Set-/Remove-UnifiedGroup and
Set-DistributionGroup. Whether a new one takes mail from outside was not read.
"""

from runbook_lib.sandbox.exchange_groups import (
    UNIFIED,
    group_object,
    groups_found,
    new_members,
    removed,
)
from runbook_lib.sandbox.exchange_invocation import Handler, Invocation
from runbook_lib.sandbox.exchange_mailboxes import change_settings, settings_of
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject

USED = {
    "AccessType",
    "Alias",
    "DisplayName",
    "Members",
    "Name",
    "PrimarySmtpAddress",
    "RequireSenderAuthenticationEnabled",
}
CHANGEABLE = {"DisplayName", "RequireSenderAuthenticationEnabled"}


def new_unified_group(invocation: Invocation) -> list[JsonObject]:
    """New-UnifiedGroup: a display name and the mailboxes that are its members."""
    refuse_parameters(invocation, set(settings_of(invocation)) - USED)
    name = invocation.text("Name") or invocation.text("DisplayName")
    entry = group_object(invocation, name, UNIFIED)
    entry["AccessType"] = invocation.text("AccessType") or "Private"
    return new_members(invocation, entry)


def get_unified_group(invocation: Invocation) -> list[JsonObject]:
    """Get-UnifiedGroup: one group or all; members do not show."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    return [dict(entry) for entry in groups_found(invocation, unified=True)]


def set_unified_group(invocation: Invocation) -> list[JsonObject]:
    """Set-UnifiedGroup: the display name, and whether senders have to sign in."""
    return _changed(invocation, unified=True)


def set_distribution_group(invocation: Invocation) -> list[JsonObject]:
    """Set-DistributionGroup: the same of a distribution group."""
    return _changed(invocation, unified=False)


def remove_unified_group(invocation: Invocation) -> list[JsonObject]:
    """Remove-UnifiedGroup: a scope over it reaches nobody from then on."""
    return removed(invocation, unified=True)


def _changed(invocation: Invocation, *, unified: bool) -> list[JsonObject]:
    """Change the settings of a group."""
    settings = settings_of(invocation)
    refuse_parameters(invocation, set(settings) - CHANGEABLE)
    (entry,) = groups_found(invocation, unified=unified)
    change_settings(invocation, entry, settings)
    return []


CMDLETS: dict[str, Handler] = {
    "New-UnifiedGroup": new_unified_group,
    "Get-UnifiedGroup": get_unified_group,
    "Set-UnifiedGroup": set_unified_group,
    "Set-DistributionGroup": set_distribution_group,
    "Remove-UnifiedGroup": remove_unified_group,
}

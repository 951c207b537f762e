"""Authentication policies: which protocols take a password.

A new policy allows Basic authentication nowhere. None of it concerns tokens.
Source: Exchange cmdlet reference, New-/Get-/Set-/Remove-AuthenticationPolicy;
Microsoft Learn, "Disable Basic authentication in Exchange Online".
"""

from runbook_lib.sandbox.exchange_errors import already_exists
from runbook_lib.sandbox.exchange_invocation import (
    Handler,
    Invocation,
    find_objects,
    same,
)
from runbook_lib.sandbox.exchange_mailboxes import change_settings, settings_of
from runbook_lib.sandbox.exchange_objects import authentication_policy_object
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject


def get_authentication_policy(invocation: Invocation) -> list[JsonObject]:
    """Get-AuthenticationPolicy: the policies, none in a new organisation."""
    refuse_parameters(invocation, set(settings_of(invocation)))
    known = invocation.organization.authentication_policies
    return [dict(entry) for entry in find_objects(known, invocation.identity)]


def new_authentication_policy(invocation: Invocation) -> list[JsonObject]:
    """New-AuthenticationPolicy: it allows what its switches name."""
    settings = settings_of(invocation)
    name = str(settings.pop("Name"))
    known = invocation.organization.authentication_policies
    if any(same(entry["Name"], name) for entry in known):
        raise already_exists("authentication policy", name)
    entry = authentication_policy_object(invocation.sandbox, invocation.tenant, name)
    refuse_parameters(invocation, set(settings) - set(entry))
    entry.update(settings)
    known.append(entry)
    return [dict(entry)]


def set_authentication_policy(invocation: Invocation) -> list[JsonObject]:
    """Set-AuthenticationPolicy: true allows a protocol, false forbids it."""
    known = invocation.organization.authentication_policies
    target = find_objects(known, invocation.text("Identity"))[0]
    change_settings(invocation, target, settings_of(invocation))
    return []


def remove_authentication_policy(invocation: Invocation) -> list[JsonObject]:
    """Remove-AuthenticationPolicy: who had it has the organisation's from now on."""
    refuse_parameters(invocation, set(settings_of(invocation)))
    known = invocation.organization.authentication_policies
    known.remove(find_objects(known, invocation.text("Identity"))[0])
    return []


CMDLETS: dict[str, Handler] = {
    "Get-AuthenticationPolicy": get_authentication_policy,
    "New-AuthenticationPolicy": new_authentication_policy,
    "Set-AuthenticationPolicy": set_authentication_policy,
    "Remove-AuthenticationPolicy": remove_authentication_policy,
}

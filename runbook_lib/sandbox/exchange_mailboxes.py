"""Mailbox cmdlets: Get-/Set-Mailbox, Get-/Set-User, Get-/Set-CASMailbox.

Source: Exchange cmdlet reference; "Enable or disable authenticated client SMTP
submission" (Microsoft Learn).
"""

from runbook_lib.sandbox.exchange_errors import INVALID, CmdletError
from runbook_lib.sandbox.exchange_invocation import (
    Handler,
    Invocation,
    find_mailbox,
    find_objects,
)
from runbook_lib.sandbox.exchange_objects import touch
from runbook_lib.sandbox.exchange_types import SIZES, changed_list, items_of, size_text
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject, Mailbox

AUTHENTICATION_POLICY = "AuthenticationPolicy"

CHANGEABLE = SIZES | {
    "RecipientLimits",
    "EmailAddresses",
    "ForwardingSmtpAddress",
    "DisplayName",
    "MessageCopyForSentAsEnabled",
}

LARGEST_SIZE = 150 * 2**20
MOST_RECIPIENTS = 1000

SELECTION = {"Identity", "RecipientTypeDetails", "ResultSize"}

USER_KEYS = (
    "DisplayName",
    "UserPrincipalName",
    "WindowsEmailAddress",
    "ExternalDirectoryObjectId",
    "RecipientType",
    "RecipientTypeDetails",
    "AccountDisabled",
)


def get_mailbox(invocation: Invocation) -> list[JsonObject]:
    """Get-Mailbox: one mailbox, or those of some kinds, or all."""
    return [dict(entry.mailbox) for entry in _selected(invocation)]


def set_mailbox(invocation: Invocation) -> list[JsonObject]:
    """Set-Mailbox: limits of size and recipients, addresses, forwarding, name."""
    settings = settings_of(invocation)
    for name in SIZES & set(settings):
        settings[name] = _checked_size(invocation, name)
    if "RecipientLimits" in settings:
        settings["RecipientLimits"] = _checked_recipients(invocation)
    target = find_mailbox(invocation, invocation.text("Identity")).mailbox
    refuse_parameters(invocation, set(settings) - CHANGEABLE)
    change_settings(invocation, target, settings)
    return []


def set_user(invocation: Invocation) -> list[JsonObject]:
    """Set-User: the authentication policy; null stands for the organisation's."""
    refuse_parameters(
        invocation, set(settings_of(invocation)) - {AUTHENTICATION_POLICY}
    )
    mailbox = find_mailbox(invocation, invocation.text("Identity"))
    name = invocation.get(AUTHENTICATION_POLICY)
    known = invocation.organization.authentication_policies
    found = find_objects(known, str(name))[0]["Name"] if name else None
    mailbox.authentication_policy = found
    return []


def get_user(invocation: Invocation) -> list[JsonObject]:
    """Get-User: the user accounts behind the mailboxes."""
    return [_user_object(entry) for entry in _selected(invocation)]


def get_cas_mailbox(invocation: Invocation) -> list[JsonObject]:
    """Get-CASMailbox: the client access settings."""
    return [dict(entry.cas) for entry in _selected(invocation)]


def set_cas_mailbox(invocation: Invocation) -> list[JsonObject]:
    """Set-CASMailbox: null for SmtpClientAuthenticationDisabled means inherit."""
    settings = settings_of(invocation)
    target = find_mailbox(invocation, invocation.text("Identity")).cas
    if not invocation.sandbox.holds("exchange.cas-null-inherits"):
        settings = {key: value for key, value in settings.items() if value is not None}
    change_settings(invocation, target, settings)
    return []


def settings_of(invocation: Invocation) -> JsonObject:
    """Return the parameters that name settings: all but the common ones."""
    control = {"Identity", "Confirm", "WhatIf", "Force", "ErrorAction"}
    control |= {"WarningAction", "Verbose", "Debug"}
    return {k: v for k, v in invocation.parameters.items() if k not in control}


def change_settings(
    invocation: Invocation, target: JsonObject, settings: JsonObject
) -> None:
    """Write settings onto an object; warn where nothing was to be changed.

    A setting that the sandbox does not show is refused: it could not be read back.
    """
    refuse_parameters(invocation, set(settings) - set(target))
    wanted = {k: changed_list(target[k], value) for k, value in settings.items()}
    changed = {key: value for key, value in wanted.items() if target[key] != value}
    if not changed and invocation.sandbox.holds("exchange.unchanged-warning"):
        invocation.warn(
            "The command completed successfully but no settings of "
            f"'{target['Identity']}' have been modified."
        )
    if changed:
        target.update(changed)
        touch(invocation.sandbox, target)


def _selected(invocation: Invocation) -> list[Mailbox]:
    """Return the mailboxes that Identity and RecipientTypeDetails select."""
    refuse_parameters(invocation, set(settings_of(invocation)) - SELECTION)
    if invocation.identity is not None:
        return [find_mailbox(invocation, invocation.identity)]
    kinds = {
        entry.lower() for entry in items_of(invocation.get("RecipientTypeDetails"))
    }
    return [
        entry
        for entry in invocation.organization.mailboxes.values()
        if not kinds or entry.mailbox["RecipientTypeDetails"].lower() in kinds
    ]


def _user_object(mailbox: Mailbox) -> JsonObject:
    """Return the user account of a mailbox."""
    source = mailbox.mailbox
    tail_start = list(source).index("AdminDisplayName")
    tail = {key: source[key] for key in list(source)[tail_start:]}
    head = {key: source.get(key) for key in USER_KEYS}
    return {**head, AUTHENTICATION_POLICY: mailbox.authentication_policy, **tail}


def _checked_size(invocation: Invocation, name: str) -> str:
    """Return a size as it is shown; raises CmdletError above 150 MB."""
    shown = size_text(invocation.get(name))
    octets = int(shown.partition("(")[2].partition(" ")[0].replace(",", "") or 0)
    if not 0 < octets <= LARGEST_SIZE:
        raise CmdletError(INVALID, f"{name} must be a size up to 150 MB.")
    return shown


def _checked_recipients(invocation: Invocation) -> str:
    """Return RecipientLimits as it is shown; raises CmdletError outside 1 to 1000."""
    value = invocation.get("RecipientLimits")
    fits = isinstance(value, int) and 1 <= value <= MOST_RECIPIENTS
    if not fits and value != "Unlimited":
        raise CmdletError(INVALID, "RecipientLimits must be between 1 and 1000.")
    return str(value)


CMDLETS: dict[str, Handler] = {
    "Get-Mailbox": get_mailbox,
    "Set-Mailbox": set_mailbox,
    "Set-User": set_user,
    "Get-User": get_user,
    "Get-CASMailbox": get_cas_mailbox,
    "Set-CASMailbox": set_cas_mailbox,
}

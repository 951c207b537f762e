"""Mailbox and recipient permissions: FullAccess, SendAs and their kin.

A row names a service principal by its SID. The sentences about an entry that is
there already, or not there, are known from the field.
Source: Exchange cmdlet reference, Add-/Get-/Remove-MailboxPermission and
Add-/Get-/Remove-RecipientPermission; field reports (CIPP).
"""

from runbook_lib.sandbox.exchange_errors import ACCESS_ENTRY_MISSING, CmdletError
from runbook_lib.sandbox.exchange_invocation import (
    Handler,
    Invocation,
    account_of,
    find_mailbox,
    same,
)
from runbook_lib.sandbox.exchange_mailboxes import settings_of
from runbook_lib.sandbox.exchange_objects import (
    SELF,
    permission_row,
    recipient_permission_row,
)
from runbook_lib.sandbox.exchange_types import (
    ENUMERATIONS,
    MAILBOX_RIGHTS,
    exact_names,
    items_of,
)
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject, Mailbox

INHERITANCE = ENUMERATIONS["ActiveDirectorySecurityInheritance"]


def get_mailbox_permission(invocation: Invocation) -> list[JsonObject]:
    """Get-MailboxPermission: the rows of one mailbox, -User narrows them."""
    _allow_only(invocation, {"User", "ResultSize"})
    mailbox = find_mailbox(invocation, invocation.text("Identity"))
    rows = [dict(row) for row in mailbox.permissions]
    if invocation.get("User") is None:
        return rows
    account = account_of(invocation, invocation.text("User"))
    return [row for row in rows if same(row["User"], account)]


def add_mailbox_permission(invocation: Invocation) -> list[JsonObject]:
    """Add-MailboxPermission: rights join the row of the account."""
    _allow_only(invocation, {"User", "AccessRights", "InheritanceType", "AutoMapping"})
    mailbox = find_mailbox(invocation, invocation.text("Identity"))
    account = account_of(invocation, invocation.text("User"))
    rights = exact_names(items_of(invocation.get("AccessRights")), MAILBOX_RIGHTS)
    row = _row_of(mailbox, account)
    new_rights = [right for right in rights if not row or right not in _rights(row)]
    if row is not None and not new_rights:
        _warn_present(invocation, mailbox, account)
        return [dict(row)]
    if row is None:
        row = permission_row(str(mailbox.mailbox["Identity"]), account, [])
        inheritance = invocation.text("InheritanceType") or "All"
        row["InheritanceType"] = exact_names([inheritance], INHERITANCE)[0]
        mailbox.permissions.append(row)
    row["AccessRights"] = [*_rights(row), *new_rights]
    _start_effect_lag(invocation, mailbox, account)
    return [dict(row)]


def remove_mailbox_permission(invocation: Invocation) -> list[JsonObject]:
    """Remove-MailboxPermission: an entry that is not there is an error."""
    _allow_only(invocation, {"User", "AccessRights", "InheritanceType"})
    mailbox = find_mailbox(invocation, invocation.text("Identity"))
    user = invocation.text("User")
    rights = exact_names(items_of(invocation.get("AccessRights")), MAILBOX_RIGHTS)
    row = _row_of(mailbox, account_of(invocation, user))
    kept = [right for right in _rights(row) if right not in rights] if row else []
    if row is None or len(kept) == len(_rights(row)):
        _refuse_absent(invocation, mailbox, user)
        return []
    row["AccessRights"] = kept
    if not kept:
        mailbox.permissions.remove(row)
    return []


def get_recipient_permission(invocation: Invocation) -> list[JsonObject]:
    """Get-RecipientPermission: the SendAs rows of one mailbox or of all."""
    _allow_only(invocation, {"Trustee", "AccessRights", "ResultSize"})
    identity = invocation.identity
    mailboxes = list(invocation.organization.mailboxes.values())
    if identity is not None:
        mailboxes = [find_mailbox(invocation, identity)]
    rows = [dict(row) for mailbox in mailboxes for row in _trustee_rows(mailbox)]
    if invocation.get("Trustee") is None:
        return rows
    account = account_of(invocation, invocation.text("Trustee"))
    return [row for row in rows if same(row["Trustee"], account)]


def add_recipient_permission(invocation: Invocation) -> list[JsonObject]:
    """Add-RecipientPermission: let an account send as the mailbox."""
    _allow_only(invocation, {"Trustee", "AccessRights"})
    mailbox = find_mailbox(invocation, invocation.text("Identity"))
    account = account_of(invocation, invocation.text("Trustee"))
    present = _trustee_row(mailbox, account)
    if present is not None:
        _warn_present(invocation, mailbox, account)
        return [dict(present)]
    row = recipient_permission_row(str(mailbox.mailbox["Identity"]), account)
    mailbox.recipient_permissions.append(row)
    return [dict(row)]


def remove_recipient_permission(invocation: Invocation) -> list[JsonObject]:
    """Remove-RecipientPermission: a row that is not there is an error."""
    _allow_only(invocation, {"Trustee", "AccessRights"})
    mailbox = find_mailbox(invocation, invocation.text("Identity"))
    trustee = invocation.text("Trustee")
    row = _trustee_row(mailbox, account_of(invocation, trustee))
    if row is not None:
        mailbox.recipient_permissions.remove(row)
    elif invocation.sandbox.holds("exchange.send-as-absent-error"):
        raise CmdletError(
            ACCESS_ENTRY_MISSING,
            f"Can't remove the access control entry on the object "
            f'"{mailbox.mailbox["Identity"]}" for the user account "{trustee}": '
            "can't remove the ACL because the ACE isn't present.",
        )
    return []


def _allow_only(invocation: Invocation, names: set[str]) -> None:
    """Refuse the parameters that are listed and not built."""
    given = settings_of(invocation)
    used = {key for key, value in given.items() if value not in (None, False)}
    refuse_parameters(invocation, used - names)


def _rights(row: JsonObject) -> list[str]:
    """Return the rights of a permission row."""
    return list(row["AccessRights"])


def _row_of(mailbox: Mailbox, account: str) -> JsonObject | None:
    """Return the row of an account, or null."""
    found = (row for row in mailbox.permissions if same(row["User"], account))
    return next(found, None)


def _trustee_rows(mailbox: Mailbox) -> list[JsonObject]:
    """Return the SendAs rows of a mailbox, its own first."""
    own = recipient_permission_row(str(mailbox.mailbox["Identity"]), SELF)
    return [own, *mailbox.recipient_permissions]


def _trustee_row(mailbox: Mailbox, account: str) -> JsonObject | None:
    """Return the SendAs row of an account, or null."""
    rows = mailbox.recipient_permissions
    return next((row for row in rows if same(row["Trustee"], account)), None)


def _warn_present(invocation: Invocation, mailbox: Mailbox, account: str) -> None:
    """Warn that the entry was there before; the call is a success."""
    if invocation.sandbox.holds("exchange.permission-present-warning"):
        invocation.warn(
            "The appropriate access control entry is already present on the object "
            f'"{mailbox.mailbox["DistinguishedName"]}" for account "{account}".'
        )


def _refuse_absent(invocation: Invocation, mailbox: Mailbox, user: str) -> None:
    """Refuse to remove an entry that is not there."""
    if invocation.sandbox.holds("exchange.permission-absent-error"):
        raise CmdletError(
            ACCESS_ENTRY_MISSING,
            f"Can't remove the access control entry on the object "
            f'"{mailbox.mailbox["Identity"]}" for the user account "{user}" '
            "because the ACE doesn't exist on the object.",
        )


def _start_effect_lag(invocation: Invocation, mailbox: Mailbox, account: str) -> None:
    """Begin the time in which SMTP does not know the permission yet."""
    key = f"{mailbox.mailbox['Guid']}/{account}"
    invocation.sandbox.faults.start_lag("mailbox-permission", key)


CMDLETS: dict[str, Handler] = {
    "Get-MailboxPermission": get_mailbox_permission,
    "Add-MailboxPermission": add_mailbox_permission,
    "Remove-MailboxPermission": remove_mailbox_permission,
    "Get-RecipientPermission": get_recipient_permission,
    "Add-RecipientPermission": add_recipient_permission,
    "Remove-RecipientPermission": remove_recipient_permission,
}

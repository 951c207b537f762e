"""Service principal cmdlets of Exchange: a copy that Entra does not maintain.

Exchange takes any ObjectId without looking: the mistake shows at SMTP sign-in.
Source: Exchange cmdlet reference, New-/Get-/Set-/Remove-ServicePrincipal;
"Authenticate an IMAP, POP or SMTP connection using OAuth" (Microsoft Learn).
"""

from runbook_lib.sandbox.exchange_errors import already_exists, object_not_found
from runbook_lib.sandbox.exchange_invocation import (
    Handler,
    Invocation,
    find_principal,
    same,
)
from runbook_lib.sandbox.exchange_mailboxes import change_settings, settings_of
from runbook_lib.sandbox.exchange_objects import service_principal_object
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.state import JsonObject

# Microsoft's own wording, as its page on the cmdlet quotes it.
SERVICE_ID_WARNING = (
    "The ServiceId parameter is being depreciated and will be replaced with ObjectId. "
    "Please note that already existing Exchange Service Principal Service Ids are now "
    "known as Object Ids."
)


def get_service_principal(invocation: Invocation) -> list[JsonObject]:
    """Get-ServicePrincipal: by ObjectId, AppId, Name or GUID; null lists all."""
    refuse_parameters(invocation, set(settings_of(invocation)))
    if invocation.identity is None:
        return [dict(entry) for entry in invocation.organization.service_principals]
    return [dict(find_principal(invocation, invocation.identity))]


def new_service_principal(invocation: Invocation) -> list[JsonObject]:
    """New-ServicePrincipal: any ObjectId is taken, a second one is refused."""
    app_id, object_id = invocation.text("AppId"), _object_id(invocation)
    _require_known(invocation, object_id)
    _refuse_duplicate(invocation, app_id, object_id)
    entry = service_principal_object(
        invocation.sandbox,
        invocation.tenant,
        app_id,
        object_id,
        invocation.text("DisplayName"),
    )
    invocation.organization.service_principals.append(entry)
    return [dict(entry)]


def set_service_principal(invocation: Invocation) -> list[JsonObject]:
    """Set-ServicePrincipal: the display name is all that can be changed."""
    target = find_principal(invocation, invocation.text("Identity"))
    change_settings(invocation, target, settings_of(invocation))
    return []


def remove_service_principal(invocation: Invocation) -> list[JsonObject]:
    """Remove-ServicePrincipal: permissions stay behind under the bare SID."""
    entry = find_principal(invocation, invocation.text("Identity"))
    invocation.organization.service_principals.remove(entry)
    if not invocation.sandbox.holds("exchange.removed-principal-leaves-sid"):
        _drop_permissions(invocation, str(entry["Sid"]))
    return []


def _object_id(invocation: Invocation) -> str:
    """Return the ObjectId; its older name is taken with a warning."""
    older = invocation.text("ServiceId")
    if older and not invocation.sandbox.holds("exchange.service-id"):
        refuse_parameters(invocation, {"ServiceId"})
    if older:
        invocation.warn(SERVICE_ID_WARNING)
    return invocation.text("ObjectId") or older


def _require_known(invocation: Invocation, object_id: str) -> None:
    """Refuse an ObjectId that is still on its way, or unknown if the row is off."""
    sandbox, known = invocation.sandbox, invocation.tenant.service_principals
    if sandbox.faults.lagging("exchange-principal", object_id):
        raise object_not_found(object_id)
    if object_id not in known and not sandbox.holds("exchange.any-object-id"):
        raise object_not_found(object_id)


def _refuse_duplicate(invocation: Invocation, app_id: str, object_id: str) -> None:
    """Refuse a second service principal with the same AppId or ObjectId."""
    if not invocation.sandbox.holds("exchange.duplicate-principal"):
        return
    for entry in invocation.organization.service_principals:
        if same(entry["AppId"], app_id) or same(entry["ObjectId"], object_id):
            raise already_exists("service principal", str(entry["Identity"]))


def _drop_permissions(invocation: Invocation, sid: str) -> None:
    """Take a SID out of all mailbox permissions."""
    for mailbox in invocation.organization.mailboxes.values():
        mailbox.permissions = [row for row in mailbox.permissions if row["User"] != sid]


CMDLETS: dict[str, Handler] = {
    "Get-ServicePrincipal": get_service_principal,
    "New-ServicePrincipal": new_service_principal,
    "Set-ServicePrincipal": set_service_principal,
    "Remove-ServicePrincipal": remove_service_principal,
}

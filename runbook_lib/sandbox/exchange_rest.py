"""The REST twins of `Get-EXO…`: entities read by GET, with property sets.

`GET /adminapi/beta/{tenant id}/Mailbox('sap@contoso.com')?PropertySet=Minimum`. Paths
and options are those that the Exchange Online module was seen to use, in part.
Source: Exchange cmdlet reference, Get-EXOMailbox and its siblings; "Property sets in
Exchange Online PowerShell module cmdlets" (Microsoft Learn).
"""

import re
from dataclasses import dataclass

from runbook_lib.sandbox.exchange_access import forbidden, may_run, token_claims
from runbook_lib.sandbox.exchange_cmdlets import run_cmdlet
from runbook_lib.sandbox.exchange_contract import cmdlets
from runbook_lib.sandbox.exchange_errors import (
    BAD_REQUEST,
    CmdletError,
    error_envelope,
)
from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.state import JsonObject

OPTIONS = {"PropertySet", "$select", "$top"}

_ENTITY = re.compile(r"(\w+)(?:\('((?:[^']|'')*)'\))?(?:/(\w+))?")

# Entity, or relation of a mailbox -> the cmdlet that reads the same.
ENTITIES = {
    "mailbox": "Get-Mailbox",
    "casmailbox": "Get-CASMailbox",
    "recipient": "Get-Recipient",
    "recipientpermission": "Get-RecipientPermission",
}
OF_A_MAILBOX = {"mailboxpermission": "Get-MailboxPermission"}

MINIMUM = {
    "Get-Mailbox": {
        "Alias",
        "DisplayName",
        "DistinguishedName",
        "EmailAddresses",
        "ExchangeVersion",
        "ExternalDirectoryObjectId",
        "Guid",
        "Id",
        "Identity",
        "Name",
        "OrganizationId",
        "PrimarySmtpAddress",
        "RecipientType",
        "RecipientTypeDetails",
        "UserPrincipalName",
    },
    "Get-CASMailbox": {
        "ActiveSyncEnabled",
        "DisplayName",
        "EmailAddresses",
        "EwsEnabled",
        "ExchangeVersion",
        "ExternalDirectoryObjectId",
        "Guid",
        "Identity",
        "ImapEnabled",
        "MAPIEnabled",
        "Name",
        "OWAEnabled",
        "OrganizationId",
        "PopEnabled",
        "PrimarySmtpAddress",
    },
}


@dataclass(frozen=True)
class Reading:
    """What a path asks for: the cmdlet that reads it, and an identity or null."""

    cmdlet: str
    identity: str | None


def reading_of(path: str) -> Reading | None:
    """Return what a path below the tenant asks for; null for another path."""
    match = _ENTITY.fullmatch(path)
    if match is None:
        return None
    name, identity, relation = match[1].lower(), match[2], match[3]
    if relation is None:
        cmdlet = ENTITIES.get(name)
    else:
        known = name == "mailbox" and identity is not None
        cmdlet = OF_A_MAILBOX.get(relation.lower()) if known else None
    if cmdlet is None:
        return None
    return Reading(cmdlet, None if identity is None else identity.replace("''", "'"))


def answer_entity(call: Call, tenant_id: str, path: str) -> Answer:
    """Answer a request for an entity: token, path, method, right, then the reading."""
    sandbox, reading = call.sandbox, reading_of(path)
    claims = token_claims(sandbox, call.bearer, tenant_id)
    if isinstance(claims, Answer):
        return claims
    if reading is None or not sandbox.holds("exchange.rest-twins"):
        return Answer(404)
    if call.method != "GET":
        return Answer(405)
    tenant, cmdlet = sandbox.tenants[tenant_id], cmdlets()[reading.cmdlet.lower()]
    if not may_run(sandbox, tenant, claims, cmdlet):
        return forbidden()
    parameters = {} if reading.identity is None else {"Identity": reading.identity}
    try:
        _check(call)
        values, _ = run_cmdlet(sandbox, tenant, cmdlet, parameters)
    except CmdletError as error:
        return Answer(error.status, error_envelope(error))
    return Answer(200, _body(call, reading, values))


def _check(call: Call) -> None:
    """Refuse an option that is not played."""
    unknown = set(call.query) - OPTIONS
    if unknown:
        raise CmdletError(BAD_REQUEST, f"Option {min(unknown)} is not supported.")


def _body(call: Call, reading: Reading, values: list[JsonObject]) -> JsonObject:
    """Return the entities with the properties that were asked for."""
    top = call.query.get("$top", "")
    shown = values[: int(top)] if top.isdigit() else values
    names = _names(call, reading)
    if names is not None:
        shown = [{k: v for k, v in value.items() if k in names} for value in shown]
    root = "/".join(call.path.split("/")[:4])
    context = f"https://{call.host}{root}/$metadata#{reading.cmdlet[len('Get-') :]}"
    return {"@odata.context": context, "value": shown}


def _names(call: Call, reading: Reading) -> set[str] | None:
    """Return the properties to show; null for all of them."""
    select, sets = call.query.get("$select"), call.query.get("PropertySet", "Minimum")
    if select:
        return {name.strip() for name in select.split(",")}
    everything = "all" in (name.strip().lower() for name in sets.split(","))
    if everything or not call.sandbox.holds("exchange.rest-minimum"):
        return None
    return MINIMUM.get(reading.cmdlet)

"""The configuration of a tenant as canonical JSON, for byte comparison.

Two dumps of one tenant are equal if nothing that an administrator configures has
changed between them. What is left out is `LEFT_OUT`.
"""

import copy
import dataclasses
import json
from typing import Any

from runbook_lib.sandbox.sap_system import SapSide
from runbook_lib.sandbox.seed_sap import sap_side
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

LEFT_OUT = (
    "audit logs and sign-in logs (the sandbox keeps none)",
    "deleted items",
    "developer traces of SAP, and whether its instance runs",
    "messages in mailboxes, what counts for sending limits, and the message trace",
    "WhenChanged and WhenChangedUTC of Exchange objects",
    "texts and hashes of secrets and passwords",
)

_LEFT_OUT_FIELDS = {
    "deleted_items",
    "secret_hashes",
    "password_hashes",
    "ids",
    "exchange",
    "vault",
    "sap",
}
_LEFT_OUT_EXCHANGE = {"traces", "held", "external"}
_LEFT_OUT_MAILBOX = {"sent", "inbox", "junk", "shares"}
_LEFT_OUT_PROPERTIES = {"WhenChanged", "WhenChangedUTC"}


def dump(sandbox: Sandbox, tenant: Tenant) -> bytes:
    """Return the configuration of one tenant: sorted keys, UTF-8, one final newline.

    DNS records of the tenant's domains stand beside it.
    """
    configuration = {
        "tenant": _fields(tenant, _LEFT_OUT_FIELDS),
        "vault": _fields(tenant.vault, {"values"}),
        "sap": _sap(sap_side(sandbox, tenant)),
        "exchange": _exchange(tenant),
        "dns": {
            name: records
            for name, records in sandbox.dns.items()
            if name == tenant.domain or name.endswith(f".{tenant.domain}")
        },
    }
    text = json.dumps(
        configuration, sort_keys=True, indent=1, ensure_ascii=False, default=str
    )
    return text.encode() + b"\n"


def _exchange(tenant: Tenant) -> JsonObject:
    """Return the Exchange side without mail and dates of change."""
    organization = _fields(tenant.exchange, _LEFT_OUT_EXCHANGE | {"mailboxes"})
    organization["mailboxes"] = {
        address: _fields(mailbox, _LEFT_OUT_MAILBOX)
        for address, mailbox in tenant.exchange.mailboxes.items()
    }
    return dict(_without_dates(organization))


def _sap(side: SapSide) -> JsonObject:
    """Return the SAP side: what a person configures there."""
    instance = _fields(side.instance, {"traces", "running"})
    return {**_fields(side, {"password_hashes", "instance"}), "instance": instance}


def _fields(value: Any, left_out: set[str]) -> JsonObject:
    """Return the fields of a dataclass, without those that are left out."""
    return {
        field.name: copy.deepcopy(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.name not in left_out
    }


def _without_dates(value: Any) -> Any:
    """Drop the dates of change at every depth."""
    if isinstance(value, dict):
        return {
            name: _without_dates(entry)
            for name, entry in value.items()
            if name not in _LEFT_OUT_PROPERTIES
        }
    if isinstance(value, list):
        return [_without_dates(entry) for entry in value]
    return value

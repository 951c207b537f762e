"""Which JSON value a cmdlet parameter of which type takes.

The admin API takes switches as true or false, multi-valued properties as an
array, and a hash table with its `@odata.type`. Nothing is converted here: what
PowerShell would convert on its way (a number for a text) is refused, so that a
client has to send what the parameter is.
Source: field reports of InvokeCommand (CIPP, the Exchange Online module);
Exchange cmdlet reference for the enumerations.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from runbook_lib.sandbox.exchange_errors import CmdletError
from runbook_lib.sandbox.ids import is_guid

TRANSFORMATION = (
    "System.Management.Automation.ParameterBindingArgumentTransformationException"
)

HASH_TABLE = "#Exchange.GenericHashTable"

MAILBOX_RIGHTS = (
    "FullAccess",
    "ExternalAccount",
    "DeleteItem",
    "ReadPermission",
    "ChangePermission",
    "ChangeOwner",
)

ENUMERATIONS = {
    "MailboxRights[]": MAILBOX_RIGHTS,
    "ActiveDirectorySecurityInheritance": (
        "None",
        "All",
        "Descendents",
        "SelfAndChildren",
        "Children",
    ),
    "AcceptedDomainType": ("Authoritative", "ExternalRelay", "InternalRelay"),
    "GroupType": ("Distribution", "Security"),
    "TenantConnectorType": ("OnPremises", "Partner"),
    "TenantConnectorSource": ("Default", "Migrated", "HybridWizard", "AdminUI"),
}

ENUMERATED_PARAMETERS = {
    ("Add-RecipientPermission", "AccessRights"): ("SendAs",),
    ("Remove-RecipientPermission", "AccessRights"): ("SendAs",),
    ("Get-RecipientPermission", "AccessRights"): ("SendAs",),
}

# Boolean parameters whose documentation allows $null; null elsewhere is refused.
NULLABLE_BOOLEANS = {
    ("Set-CASMailbox", "SmtpClientAuthenticationDisabled"),
    ("Set-CASMailbox", "EwsEnabled"),
    ("Set-TransportConfig", "AllowLegacyTLSClients"),
    ("Set-OrganizationConfig", "EwsEnabled"),
}

MULTI_VALUED = {"MultiValuedProperty", "ProxyAddressCollection"}


# Sizes: the syntax calls their type Unlimited; the reference takes 35MB and the like.
SIZES = {"MaxSendSize", "MaxReceiveSize"}
SIZE = re.compile(
    r"(?P<number>\d+)\s*(?P<unit>B|KB|MB|GB)?(?:\s*\([\d,]+ bytes\))?", re.I
)
UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}


def check_value(cmdlet: str, name: str, kind: str, value: Any) -> None:
    """Refuse a value that a parameter of type `kind` does not take.

    Null is taken by everything but switches and plain Booleans; whether a
    mandatory parameter may be null is judged elsewhere. Raises CmdletError.
    """
    if value is None:
        if _is_boolean(kind) and (cmdlet, name) not in NULLABLE_BOOLEANS:
            raise _refused(name, kind, value)
        return
    is_size = name in SIZES and isinstance(value, str) and SIZE.fullmatch(value)
    if not is_size and not _check_for(kind)(value):
        raise _refused(name, kind, value)
    allowed = ENUMERATIONS.get(kind) or ENUMERATED_PARAMETERS.get((cmdlet, name))
    if allowed is not None:
        _check_enumeration(name, kind, value, allowed)


def items_of(value: Any) -> list[str]:
    """Return the entries of a multi-valued parameter: an array or one text.

    Raises CmdletError for a hash table: it changes a list, it does not select.
    """
    if value is None:
        return []
    if isinstance(value, dict):
        raise CmdletError(TRANSFORMATION, "A hash table cannot be used as a filter.")
    return [str(entry) for entry in value] if isinstance(value, list) else [str(value)]


def changed_list(before: Any, value: Any) -> Any:
    """Return a property after a change.

    A list takes an array, one text, or a hash table whose `add` and `remove` name
    entries; anything else takes the value as it is.
    """
    if isinstance(value, dict):
        change = {key.lower(): items_of(entry) for key, entry in value.items()}
        removed = {entry.lower() for entry in change.get("remove", [])}
        kept = [entry for entry in before or [] if entry.lower() not in removed]
        return kept + [entry for entry in change.get("add", []) if entry not in kept]
    if isinstance(before, list):
        return items_of(value)
    return value


def size_text(value: Any) -> str:
    """Return a size as Exchange shows it: `35 MB (36,700,160 bytes)`."""
    match = SIZE.fullmatch(str(value))
    if match is None:
        return str(value)
    unit = (match["unit"] or "B").upper()
    octets = int(match["number"]) * UNITS[unit]
    return f"{match['number']} {unit} ({octets:,} bytes)"


def exact_names(values: list[str], allowed: tuple[str, ...]) -> list[str]:
    """Return enumeration values in the spelling of the enumeration."""
    spelling = {entry.lower(): entry for entry in allowed}
    return [spelling.get(value.lower(), value) for value in values]


def _check_for(kind: str) -> Callable[[Any], bool]:
    """Return the test that a value of this type has to pass."""
    if kind in MULTI_VALUED or kind.endswith("[]"):
        return _is_multi_valued
    checks: dict[str, Callable[[Any], bool]] = {
        "SwitchParameter": _is_bool,
        "Boolean": _is_bool,
        "Guid": _is_guid,
        "DateTime": _is_date,
        "ExDateTime": _is_date,
        "Int16": _is_number,
        "UInt16": _is_number,
        "Int32": _is_number,
        "UInt32": _is_number,
        "Unlimited": _is_number_or_text,
    }
    return checks.get(kind.removeprefix("System."), _is_text)


def _is_boolean(kind: str) -> bool:
    """Say whether a type is true or false."""
    return kind.removeprefix("System.") in ("Boolean", "SwitchParameter")


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number_or_text(value: Any) -> bool:
    return _is_number(value) or value == "Unlimited"


def _is_guid(value: Any) -> bool:
    return isinstance(value, str) and is_guid(value)


def _is_date(value: Any) -> bool:
    """Say whether a value is a date in ISO 8601."""
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_multi_valued(value: Any) -> bool:
    """Say whether a value is a text, an array of texts, or a typed hash table."""
    if isinstance(value, dict):
        return value.get("@odata.type") == HASH_TABLE
    if isinstance(value, list):
        return all(isinstance(entry, str | dict) for entry in value)
    return isinstance(value, str)


def _check_enumeration(
    name: str, kind: str, value: Any, allowed: tuple[str, ...]
) -> None:
    """Refuse a value that is not one of the names of an enumeration."""
    known = {entry.lower() for entry in allowed}
    for entry in items_of(value):
        if entry.lower() not in known:
            raise CmdletError(
                TRANSFORMATION,
                f"Cannot process argument transformation on parameter '{name}'. "
                f'Cannot convert value "{entry}" to type "{kind}" due to enumeration '
                "values that are not valid. Specify one of the following enumeration "
                "values and try again. The possible enumeration values are "
                f'"{",".join(allowed)}".',
                row="exchange.enumeration",
            )


def _refused(name: str, kind: str, value: Any) -> CmdletError:
    """Return the error for a value of the wrong type."""
    shown = "null" if value is None else type(value).__name__
    return CmdletError(
        TRANSFORMATION,
        f"Cannot process argument transformation on parameter '{name}'. Cannot "
        f'convert a value of JSON type {shown} to type "{kind}".',
        row="exchange.parameter-type",
    )

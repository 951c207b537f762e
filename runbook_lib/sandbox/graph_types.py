"""The types of Microsoft Graph v1.0, and the check of a body against them.

`data/graph_types.json` is a part of the published CSDL: type -> base, open, and
property -> Edm type. A type that is not in it is not looked into.

Source: https://graph.microsoft.com/v1.0/$metadata.
"""

import base64
import binascii
import json
import re
from datetime import datetime
from functools import cache
from typing import Any

from runbook_lib.sandbox.graph_errors import GraphError, bad_request, unreadable
from runbook_lib.sandbox.ids import is_guid
from runbook_lib.sandbox.package_data import packaged
from runbook_lib.sandbox.state import JsonObject, Sandbox

_COLLECTION = re.compile(r"Collection\((.+)\)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
EARLIEST_YEAR = 1601  # the directory counts from there

_DURATION = re.compile(r"-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")

# Relations and derived collections that the CSDL lists beside plain properties.
RELATIONS = frozenset(
    [
        "appManagementPolicies",
        "appRoleAssignedTo",
        "appRoleAssignments",
        "createdObjects",
        "createdOnBehalfOf",
        "extensionProperties",
        "federatedIdentityCredentials",
        "homeRealmDiscoveryPolicies",
        "memberOf",
        "oauth2PermissionGrants",
        "ownedObjects",
        "owners",
        "synchronization",
        "tokenIssuancePolicies",
        "tokenLifetimePolicies",
        "transitiveMemberOf",
        "claimsMappingPolicies",
        "endpoints",
        "delegatedPermissionClassifications",
    ]
)


@cache
def _types() -> dict[str, JsonObject]:
    """Return the types by name."""
    types: dict[str, JsonObject] = packaged("graph_types.json")
    return types


@cache
def properties_of(type_name: str) -> dict[str, str]:
    """Return property -> Edm type of a type and its bases."""
    entry = _types()[type_name]
    inherited = properties_of(entry["base"]) if entry["base"] in _types() else {}
    return {**inherited, **entry["props"]}


def check_body(
    sandbox: Sandbox,
    type_name: str,
    body: JsonObject,
    read_only: frozenset[str] = frozenset(),
) -> JsonObject:
    """Return the body without OData annotations, or raise GraphError.

    Checked: every name is a property of the type, none is read-only, every value
    has the JSON form of its Edm type; the same inside complex values.
    """
    plain = {name: body[name] for name in body if not name.startswith("@odata.")}
    for name, value in plain.items():
        _check_name(sandbox, type_name, name)
        if name in read_only and sandbox.holds("graph.read-only-property"):
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
        _check_value(sandbox, properties_of(type_name).get(name, ""), name, value)
    return plain


def _check_name(sandbox: Sandbox, type_name: str, name: str) -> None:
    """Refuse a name that is no property of the type."""
    if name in properties_of(type_name) and name not in RELATIONS:
        return
    if not sandbox.holds("graph.unknown-property"):
        return
    if _types()[type_name]["open"]:
        raise bad_request(f"Invalid property '{name}'.")
    raise bad_request(
        f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}'."
        " Make sure to only use property names that are defined by the type or mark"
        " the type as open type."
    )


def _check_value(sandbox: Sandbox, edm: str, name: str, value: Any) -> None:
    """Refuse a value whose JSON form does not fit its Edm type."""
    collection = _COLLECTION.fullmatch(edm)
    if collection:
        _check_collection(sandbox, collection[1], name, value)
    elif value is None or not edm:
        return
    elif edm.startswith("graph."):
        _check_complex(sandbox, edm.removeprefix("graph."), name, value)
    elif not fits(edm, value) and sandbox.holds("graph.wrong-type"):
        shown = json.dumps(value) if not isinstance(value, str) else value
        raise bad_request(
            f"Cannot convert the literal '{shown}' to the expected type '{edm}'."
        )


def _check_collection(sandbox: Sandbox, edm: str, name: str, value: Any) -> None:
    """Refuse what is no array, and elements that do not fit."""
    if value is None:
        raise unreadable(
            f"A null value was found for the property named '{name}', which has the"
            f" expected type 'Collection({edm})[Nullable=False]'."
        )
    if not isinstance(value, list):
        raise _unexpected_node(name, "StartArray")
    for element in value:
        if element is None:
            raise unreadable(f"A null value was found in the collection '{name}'.")
        _check_value(sandbox, edm, name, element)


def _check_complex(sandbox: Sandbox, type_name: str, name: str, value: Any) -> None:
    """Look into an object of a known type."""
    if type_name not in _types():
        return
    if not isinstance(value, dict):
        raise _unexpected_node(name, "StartObject")
    check_body(sandbox, type_name, value)


def _unexpected_node(name: str, node: str) -> GraphError:
    """Return the error for a value of the wrong JSON form."""
    return unreadable(
        f"An unexpected node was found when reading the property '{name}'."
        f" A '{node}' node was expected."
    )


def fits(edm: str, value: Any) -> bool:
    """Say whether a JSON value has the form of a primitive Edm type.

    Source: OData JSON Format 4.01 section 7.1.
    """
    if edm == "Edm.Boolean":
        return isinstance(value, bool)
    if edm == "Edm.Int32":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    return _TEXT_FORMS.get(edm, _any_text)(value)


def _any_text(value: str) -> bool:
    """Accept every text."""
    return True


def is_moment(value: str) -> bool:
    """Say whether a text is a date and time with an offset, in a usual year."""
    if not _MOMENT.fullmatch(value):
        return False
    try:
        return datetime.fromisoformat(value).year >= EARLIEST_YEAR
    except ValueError:
        return False


def is_binary(value: str) -> bool:
    """Say whether a text is standard base64, with or without line breaks.

    base64url is not.
    """
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except binascii.Error:
        return False
    return True


def is_duration(value: str) -> bool:
    """Say whether a text is an ISO 8601 duration in days and smaller units."""
    return bool(_DURATION.fullmatch(value)) and value[-1] not in "PT"


_TEXT_FORMS = {
    "Edm.Guid": is_guid,
    "Edm.DateTimeOffset": is_moment,
    "Edm.Binary": is_binary,
    "Edm.Duration": is_duration,
}

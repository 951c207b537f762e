"""$filter: a part of OData's language.

Played: `eq`, `in`, `startswith`, and `any` over a collection, joined by `and` and
`or`, without further brackets; `ne` with advanced query capabilities.
Text is compared without regard to case, as the directory does.

Source: Microsoft Learn, "Use the $filter query parameter", "Advanced query
capabilities on directory objects"; OData 4.01 URL
Conventions section 5.1.1.
"""

import re
from collections.abc import Callable
from typing import Any

from runbook_lib.sandbox.graph_errors import GraphError, unreadable, unsupported_query
from runbook_lib.sandbox.graph_types import properties_of
from runbook_lib.sandbox.ids import is_guid
from runbook_lib.sandbox.state import JsonObject, Sandbox

Test = Callable[[JsonObject], bool]

# Property -> operators, as the reference pages of the types list them.
FILTERS = {
    "application": {
        "id": {"eq", "in"},
        "appId": {"eq", "in"},
        "displayName": {"eq", "in", "startswith"},
        "signInAudience": {"eq"},
        "uniqueName": {"eq"},
    },
    "servicePrincipal": {
        "id": {"eq", "in"},
        "appId": {"eq", "in"},
        "displayName": {"eq", "in", "startswith"},
        "servicePrincipalType": {"eq"},
        "accountEnabled": {"eq"},
    },
    "appRoleAssignment": {
        "resourceId": {"eq"},
        "principalDisplayName": {"eq", "startswith"},
    },
    "oAuth2PermissionGrant": {
        "clientId": {"eq"},
        "consentType": {"eq"},
        "principalId": {"eq"},
        "resourceId": {"eq"},
    },
    "unifiedRoleAssignment": {
        "principalId": {"eq"},
        "roleDefinitionId": {"eq"},
        "directoryScopeId": {"eq"},
    },
    "user": {
        "id": {"eq", "in"},
        "displayName": {"eq", "in", "startswith"},
        "userPrincipalName": {"eq", "in", "startswith"},
        "mail": {"eq", "in", "startswith"},
    },
    "unifiedRoleDefinition": {"displayName": {"eq"}, "templateId": {"eq"}},
}

# Types whose properties can be compared with `ne` too, by advanced queries.
NEGATED = {name: {"ne"} for name in ("application", "servicePrincipal", "user")}

# Collection -> what may be compared inside `any`: "" stands for the value itself.
COLLECTIONS = {
    "application": {
        "identifierUris": {""},
        "tags": {""},
        "keyCredentials": {"keyId"},
        "requiredResourceAccess": {"resourceAppId"},
    },
    "servicePrincipal": {
        "servicePrincipalNames": {""},
        "tags": {""},
        "alternativeNames": {""},
        "keyCredentials": {"keyId"},
    },
    "user": {"proxyAddresses": {""}, "otherMails": {""}},
}

_TEXT = re.compile(r"'((?:[^']|'')*)'")
_HOLE = re.compile(r"\x00(\d+)\x00")
_COMPARE = re.compile(r"(\w+)\s+(eq|ne)\s+(\S+)")
_IN = re.compile(r"(\w+)\s+(in)\s+\(([^()]+)\)")
_STARTS = re.compile(r"(startswith)\(\s*(\w+)\s*,\s*(\S+?)\s*\)", re.IGNORECASE)
_ANY = re.compile(
    r"(\w+)/any\(\s*(\w+)\s*:\s*(?:(startswith)\(\s*)?\2(?:/(\w+))?"
    r"(?:\s+eq\s+|\s*,\s*)(\S+?)\s*\)?\s*\)",
    re.IGNORECASE,
)
_ADVANCED = re.compile(r"\b(ne|not|ge|le|gt|lt|endswith|contains|any|all)\b")


def parse_filter(
    sandbox: Sandbox, type_name: str, text: str, *, advanced: bool = False
) -> Test:
    """Return the test that `text` describes; `advanced`: with those capabilities.

    Raises GraphError for what cannot be read, names no property, or needs
    advanced query capabilities.
    """
    if not advanced and sandbox.holds("graph.advanced-filter"):
        _refuse_advanced(text)
    texts: list[str] = []

    def take(match: re.Match[str]) -> str:
        texts.append(match[1].replace("''", "'"))
        return f"\x00{len(texts) - 1}\x00"

    bare = _TEXT.sub(take, text)
    if "'" in bare:
        raise _invalid()
    groups = [
        [
            _clause(sandbox, type_name, clause, texts)
            for clause in re.split(r"\sand\s", group)
        ]
        for group in re.split(r"\sor\s", bare)
    ]
    return lambda entry: any(all(test(entry) for test in group) for group in groups)


def _clause(sandbox: Sandbox, type_name: str, clause: str, texts: list[str]) -> Test:
    """Return the test of one comparison."""
    if match := _ANY.fullmatch(clause.strip()):
        return _any_clause(type_name, match, texts)
    name, operator, operands = _parts(clause.strip())
    if name not in properties_of(type_name):
        if not sandbox.holds("graph.unknown-filter"):
            return lambda entry: False
        raise unreadable(
            f"Invalid filter clause: Could not find a property named '{name}' on type"
            f" 'microsoft.graph.{type_name}'."
        )
    played = FILTERS.get(type_name, {}).get(name, set())
    if operator not in played | ({"ne"} & NEGATED.get(type_name, set())):
        resource = type_name[0].upper() + type_name[1:]
        raise unsupported_query(
            "Unsupported or invalid query filter clause specified for property"
            f" '{name}' of resource '{resource}'."
        )
    edm = properties_of(type_name)[name]
    values = [_value(edm, operand.strip(), texts) for operand in operands]
    if operator == "startswith":
        if values[0] is None:
            raise _invalid()
        return lambda entry: _folded(entry.get(name) or "").startswith(values[0])
    negated = operator == "ne"
    return lambda entry: (_folded(entry.get(name)) in values) != negated


def _refuse_advanced(text: str) -> None:
    """Refuse `ne` to a request without advanced query capabilities."""
    if re.search(r"\sne\s", _TEXT.sub("", text)):
        raise unsupported_query("Unsupported Query.")


def _any_clause(type_name: str, match: re.Match[str], texts: list[str]) -> Test:
    """Return the test of `collection/any(x:x eq …)` and `…/any(x:x/part eq …)`."""
    name, _, starts, part, operand = match.groups()
    if (part or "") not in COLLECTIONS.get(type_name, {}).get(name, set()):
        raise unsupported_query(
            f"Unsupported or invalid query filter clause for property '{name}'."
        )
    element = properties_of(type_name)[name].removeprefix("Collection(").rstrip(")")
    edm = properties_of(element.removeprefix("graph."))[part] if part else element
    wanted = _value(edm, operand, texts)

    def test(entry: JsonObject) -> bool:
        values = [_folded(item[part] if part else item) for item in entry[name] or ()]
        if starts:
            return any(str(value).startswith(str(wanted)) for value in values)
        return wanted in values

    return test


def _parts(clause: str) -> tuple[str, str, list[str]]:
    """Return property, operator and operands of one comparison."""
    if match := _COMPARE.fullmatch(clause):
        return match[1], match[2], [match[3]]
    if match := _IN.fullmatch(clause):
        return match[1], match[2], match[3].split(",")
    if match := _STARTS.fullmatch(clause):
        return match[2], "startswith", [match[3]]
    if _ADVANCED.search(clause):
        raise unsupported_query("Unsupported Query.")
    raise _invalid()


def _value(edm: str, operand: str, texts: list[str]) -> Any:
    """Return the literal of an operand, which must be written as its type asks.

    A GUID property is compared with a bare GUID, a text property with quotes.
    """
    hole = _HOLE.fullmatch(operand)
    if operand == "null":
        return None
    if edm == "Edm.String" and hole:
        return _folded(texts[int(hole[1])])
    if edm == "Edm.Guid" and not hole and is_guid(operand):
        return operand.lower()
    if edm == "Edm.Boolean" and operand in ("true", "false"):
        return operand == "true"
    raise _invalid()


def _folded(value: Any) -> Any:
    """Prepare a value for comparison without regard to case."""
    return value.casefold() if isinstance(value, str) else value


def _invalid() -> GraphError:
    """Return the error for a filter that cannot be read."""
    return unreadable("Invalid filter clause")

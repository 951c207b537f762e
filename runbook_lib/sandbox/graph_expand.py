"""$expand: related objects inside an object, at most 20 of each relation.

Source: Microsoft Learn, "Use query parameters to customize responses", section
"expand"; the relationships of the types that say "Supports $expand".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runbook_lib.sandbox.graph_errors import unreadable, unsupported_query
from runbook_lib.sandbox.graph_types import properties_of
from runbook_lib.sandbox.http import Call
from runbook_lib.sandbox.state import JsonObject

MOST_EXPANDED = 20

_EXPAND = re.compile(r"(\w+)(?:\(\s*\$select=([\w,\s]+)\))?")

# Relation -> the related objects of an object.
Relations = Mapping[str, Callable[[JsonObject], list[JsonObject]]]


@dataclass(frozen=True)
class Expansion:
    """One relation that a request wants inside each object."""

    relation: str
    names: list[str] | None
    related: Callable[[JsonObject], list[JsonObject]]

    def into(self, entry: JsonObject) -> JsonObject:
        """Return an object with its related objects."""
        related = self.related(entry)[:MOST_EXPANDED]
        if self.names is not None:
            related = [_selected(other, self.names) for other in related]
        return {**entry, self.relation: related}


def expansion_of(call: Call, type_name: str, relations: Relations) -> Expansion | None:
    """Return what $expand asks for, null where it asks for nothing.

    One relation at a time: the directory refuses more. Raises GraphError for
    several, and for what the type does not have.
    """
    text = call.query.get("$expand")
    if not text:
        return None
    match = _EXPAND.fullmatch(text.strip())
    if match is None:
        raise unsupported_query("Expand is not supported for multiple properties.")
    known = {name.lower(): name for name in relations}
    name = known.get(match[1].lower())
    if name is None:
        if match[1] in properties_of(type_name):
            raise unsupported_query(f"Expand is not supported for '{match[1]}'.")
        raise unreadable(
            "Parsing OData Select and Expand failed: Could not find a property named"
            f" '{match[1]}' on type 'microsoft.graph.{type_name}'."
        )
    names = [part.strip() for part in match[2].split(",")] if match[2] else None
    return Expansion(name, names, relations[name])


def _selected(entry: JsonObject, names: list[str]) -> JsonObject:
    """Keep the selected properties and the annotations of a related object."""
    annotated = [name for name in entry if name.startswith("@odata.")]
    return {name: entry.get(name) for name in [*annotated, *names]}

"""Query options of communication management, on plain entities.

Played: `$filter` (eq and ne, joined by and), `$select`, `$expand` with options
inside, `$top`, `$skip`, `$count`. Any other option is refused, never ignored.

Source: OData 4.0 Part 2, section 5.1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runbook_lib.sandbox.btp_communication_types import EntitySet, Relation
from runbook_lib.sandbox.sap_system import Entity
from runbook_lib.sandbox.state import Sandbox

_CLAUSE = re.compile(r"\s*(\w+)\s+(eq|ne)\s+('(?:[^']|'')*'|[^\s']+)\s*(?:and\b|$)")
_OPTIONS = frozenset({"$filter", "$select", "$expand", "$top", "$skip", "$count"})
# What is said beside a request and changes no answer of a reader.
_BESIDE = frozenset({"$format", "sap-client", "sap-language"})

Options = dict[str, str]
Table = dict[str, list[Entity]]


class QueryError(Exception):
    """A request whose options cannot be followed; the text says why."""


@dataclass(frozen=True)
class Reader:
    """Reads entities of one service: its sets, and its tables."""

    sandbox: Sandbox
    sets: dict[str, EntitySet]
    tables: Table

    def listed(self, name: str, rows: list[Entity], options: Options) -> Entity:
        """Return a collection of a set as its options ask for it."""
        self._check(options)
        found = [row for row in rows if self._fits(name, row, options.get("$filter"))]
        first = _number(options, "$skip", 0)
        page = found[first:][: _number(options, "$top", len(found))]
        shown: Entity = {"value": [self.shown(name, row, options) for row in page]}
        if options.get("$count") == "true":
            shown = {"@odata.count": len(found), **shown}
        return shown

    def shown(self, name: str, row: Entity, options: Options) -> Entity:
        """Return one entity: what was selected, and what was expanded."""
        self._check(options)
        one = self.sets[name]
        selected = _words(options.get("$select", ""))
        if not self.sandbox.holds("communication.select"):
            selected = []
        self._known(one, selected)
        kept = {k: v for k, v in row.items() if not selected or k in (*selected, "*")}
        if "*" in selected:
            kept = dict(row)
        for relation, inside in self._expanded(one, options):
            kept[relation] = self.related(one, row, relation, inside)
        return kept

    def related(
        self, one: EntitySet, row: Entity, name: str, options: Options
    ) -> list[Entity] | Entity | None:
        """Return what a relation of an entity leads to."""
        relation = one.relations[name]
        rows = self.joined(row, relation)
        if relation.many:
            values: list[Entity] = self.listed(relation.target, rows, options)["value"]
            return values
        return self.shown(relation.target, rows[0], options) if rows else None

    def joined(self, row: Entity, relation: Relation) -> list[Entity]:
        """Return the entities of the other set that belong to one."""
        return [
            other
            for other in self.tables.get(relation.target, [])
            if all(row[mine] == other[theirs] for mine, theirs in relation.joins)
        ]

    def _check(self, options: Options) -> None:
        """Refuse an option that is not played."""
        unknown = set(options) - _OPTIONS - _BESIDE
        if unknown and self.sandbox.holds("communication.unknown-option"):
            raise QueryError(f"The query option '{min(unknown)}' is not supported.")

    def _known(self, one: EntitySet, names: list[str]) -> None:
        """Refuse a name that the type does not have."""
        unknown = set(names) - set(one.properties) - set(one.relations) - {"*"}
        if unknown:
            raise QueryError(f"Property '{min(unknown)}' is not known.")

    def _fits(self, name: str, row: Entity, text: str | None) -> bool:
        """Say whether an entity fits a filter, null for none."""
        if text is None or not self.sandbox.holds("communication.filter"):
            return True
        return all(self._holds(name, row, c) for c in _clauses(text))

    def _holds(self, name: str, row: Entity, clause: re.Match[str]) -> bool:
        """Say whether one comparison holds."""
        self._known(self.sets[name], [clause[1]])
        equal = row.get(clause[1]) == _literal(clause[3])
        return equal if clause[2] == "eq" else not equal

    def _expanded(
        self, one: EntitySet, options: Options
    ) -> Iterator[tuple[str, Options]]:
        """Yield the relations that are asked for, with the options inside."""
        asked = options.get("$expand", "")
        if not self.sandbox.holds("communication.expand"):
            asked = ""
        for part in _split(asked, ","):
            name, _, rest = part.partition("(")
            if name not in one.relations:
                raise QueryError(f"Navigation property '{name}' is not known.")
            inside = _split(rest.removesuffix(")"), ";")
            yield name, dict(pair.partition("=")[::2] for pair in inside)


def _clauses(text: str) -> list[re.Match[str]]:
    """Read a filter; raise QueryError for one that is not played."""
    found, position = [], 0
    while position < len(text):
        match = _CLAUSE.match(text, position)
        if match is None:
            raise QueryError("The filter is not supported.")
        found.append(match)
        position = match.end()
    if not found or text.rstrip().endswith(" and"):
        raise QueryError("The filter is not complete.")
    return found


def _literal(text: str) -> Any:
    """Return the value of a literal: text, Boolean, number, or a bare GUID."""
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text.lower()


def _number(options: Options, name: str, default: int) -> int:
    """Return a whole number that is not negative."""
    text = options.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise QueryError(f"The value of '{name}' is not a number.")
    return int(text)


def _words(text: str) -> list[str]:
    """Return the names of a list with commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _split(text: str, separator: str) -> list[str]:
    """Split a text outside of parentheses and quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(character, 0)
        if character == separator and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]

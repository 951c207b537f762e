"""One authorised request to Graph, as its handlers see it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from runbook_lib.sandbox.graph_errors import denied, not_found, unreadable
from runbook_lib.sandbox.graph_permissions import APPLICATION_ADMINISTRATORS, Needed
from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant
from runbook_lib.sandbox.tokens import Claims

OWNED_BY = "Application.ReadWrite.OwnedBy"

_KEY = re.compile(r"([A-Za-z0-9]+)\((?:(\w+)=)?'([^']*)'\)")


@dataclass(frozen=True)
class GraphCall:
    """A request with its tenant, the claims of its token and its path keys.

    `keys` holds the parts of the path that a template names in braces; a key
    that was addressed by another property is written `appId=<value>`.
    """

    call: Call
    tenant: Tenant
    claims: Claims
    keys: dict[str, str]

    @property
    def sandbox(self) -> Sandbox:
        """Return the sandbox that answers."""
        return self.call.sandbox

    @property
    def roles(self) -> frozenset[str]:
        """Return the app roles of the token."""
        return frozenset(self.claims.get("roles", ()))

    def body(self) -> JsonObject:
        """Return the JSON object that was sent.

        Raises GraphError where there is none, or where its type is not declared.
        """
        declared = self.call.content_type or not self.sandbox.holds(
            "graph.content-type"
        )
        if not declared:
            raise unreadable(
                "Write requests (excluding DELETE) must contain the Content-Type"
                " header declaration."
            )
        if not self.call.body:
            raise unreadable("Empty Payload. JSON content expected.")
        return _json_object(self.call)

    def application(self, key: str = "application") -> JsonObject:
        """Return the application that the path names, or raise the 404."""
        return self._found(self.tenant.applications, self.keys[key])

    def service_principal(self, key: str = "principal") -> JsonObject:
        """Return the service principal that the path names, or raise the 404."""
        return self._found(self.tenant.service_principals, self.keys[key])

    def may_change(self, owned: str) -> None:
        """Refuse a caller who may change only what it owns, and owns not this.

        `owned` is the object id of an application.
        """
        if not self._owns_only or not self.sandbox.holds("graph.owned-by"):
            return
        if self.claims["oid"] not in self.tenant.owners.get(owned, ()):
            raise denied()

    @property
    def person(self) -> str | None:
        """Return the object id of the signed-in user; null for an application."""
        return str(self.claims["oid"]) if "scp" in self.claims else None

    @property
    def directory_roles(self) -> frozenset[str]:
        """Return the template ids of the caller's directory roles."""
        return frozenset(self.claims.get("wids", ()))

    @property
    def _owns_only(self) -> bool:
        """Say whether the caller's write right ends at what it owns.

        That is so for Application.ReadWrite.OwnedBy, and for a person who does not
        administer applications.
        """
        if self.person:
            strict = self.sandbox.holds("graph.directory-role")
            return strict and not self.directory_roles & APPLICATION_ADMINISTRATORS
        full = {"Application.ReadWrite.All", "Directory.ReadWrite.All"}
        return OWNED_BY in self.roles and not self.roles & full

    @property
    def owner(self) -> str | None:
        """Return who owns what this call creates; null for a caller with all rights.

        Source: Microsoft Learn, "Create application": the calling service principal
        becomes owner where it holds Application.ReadWrite.OwnedBy, the signed-in
        user always.
        """
        if self.person:
            return self.person if self.sandbox.holds("graph.person-owns") else None
        return str(self.claims["oid"]) if self._owns_only else None

    def _found(self, objects: dict[str, JsonObject], key: str) -> JsonObject:
        """Find an object by id or alternate key; its lag counts as absence."""
        name, _, value = key.lower().rpartition("=")
        if name and name != "appid":
            raise unreadable(f"Resource not found for the segment '{key}'.")
        found = [o for o in objects.values() if o["appId" if name else "id"] == value]
        if not found or self.sandbox.faults.lagging("application", found[0]["id"]):
            raise not_found(value)
        return found[0]


@dataclass(frozen=True)
class Route:
    """One request that Graph knows.

    `needed` says which tokens may send it.
    """

    method: str
    template: str
    needed: Needed
    handler: Callable[[GraphCall], Answer]

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the path keys, or null where the path is another one."""
        pattern = _segments(self.template)
        if len(pattern) != len(segments):
            return None
        keys = {}
        for wanted, given in zip(pattern, segments, strict=True):
            if wanted.startswith("{"):
                keys[wanted.strip("{}")] = given
            elif wanted.lower() != given.lower():
                return None
        return keys


def path_segments(path: str) -> tuple[str, ...]:
    """Split a path below the version; `a(k='v')` counts as the two parts a, k=v."""
    parts: list[str] = []
    for part in path.strip("/").split("/"):
        if match := _KEY.fullmatch(part):
            name, key, value = match.groups()
            parts += [name, f"{key}={value}" if key and key != "id" else value]
        else:
            parts.append(part)
    return tuple(parts)


@cache
def _segments(template: str) -> tuple[str, ...]:
    """Split a template once."""
    return tuple(template.split("/"))


def _json_object(call: Call) -> JsonObject:
    """Read the body as one JSON object."""
    try:
        value: Any = json.loads(call.body)
    except ValueError:
        value = None
    if call.content_type not in ("application/json", "") or not isinstance(value, dict):
        raise unreadable(
            "Unable to read JSON request payload. Please ensure Content-Type header is"
            " set and payload is of valid JSON format."
        )
    return value

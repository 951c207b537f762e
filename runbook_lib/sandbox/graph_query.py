"""OData query options of list requests: $filter, $select, $top, paging, $count.

Source: Microsoft Learn, "Use query parameters to customize responses", "Advanced
query capabilities on Microsoft Entra objects", "Paging Microsoft Graph data".
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from runbook_lib.sandbox.graph_errors import (
    GraphError,
    bad_request,
    unreadable,
    unsupported_query,
)
from runbook_lib.sandbox.graph_expand import Expansion, Relations, expansion_of
from runbook_lib.sandbox.graph_filter import Test, parse_filter
from runbook_lib.sandbox.graph_types import properties_of
from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.state import JsonObject

DEFAULT_PAGE = 100
LARGEST_PAGE = 999

_LIST_OPTIONS = {
    "$filter",
    "$select",
    "$expand",
    "$top",
    "$skiptoken",
    "$count",
    "$orderby",
}


def listed(
    call: Call,
    type_name: str,
    context: str,
    objects: Iterable[JsonObject],
    relations: Relations | None = None,
) -> Answer:
    """Answer a list request: filter, order, page, then select and expand.

    `relations` are those that may be expanded.
    """
    query = call.query
    check_options(query, _LIST_OPTIONS)
    expansion = expansion_of(call, type_name, relations or {})
    wanted = _filter(call, type_name)
    found = [entry for entry in objects if wanted is None or wanted(entry)]
    found = _ordered(call, type_name, found)
    names = selected_names(call, type_name)
    start, size = _page(call)
    rows = found[start : start + size]
    shown = [_shown(entry, names, expansion) for entry in rows]
    body: JsonObject = {"@odata.context": context_url(call, context, names)}
    if query.get("$count") == "true":
        body["@odata.count"] = len(found)
    if start + size < len(found) and call.sandbox.holds("graph.paging"):
        body["@odata.nextLink"] = _next_link(call, start + size)
    return Answer(200, body | {"value": shown})


def counted(call: Call, type_name: str, objects: Iterable[JsonObject]) -> Answer:
    """Answer a request for `/$count`: a number as text, by eventual consistency."""
    check_options(call.query, {"$filter"})
    if call.headers.get("consistencylevel", "").lower() != "eventual":
        raise bad_request("$count is not currently supported.")
    wanted = _filter(call, type_name)
    number = sum(1 for entry in objects if wanted is None or wanted(entry))
    return Answer(200, str(number).encode(), {"Content-Type": "text/plain"})


def single(
    call: Call,
    type_name: str,
    context: str,
    entry: JsonObject,
    relations: Relations | None = None,
) -> Answer:
    """Answer a request for one object."""
    check_options(call.query, {"$select", "$expand"})
    expansion = expansion_of(call, type_name, relations or {})
    names = selected_names(call, type_name)
    body = {"@odata.context": context_url(call, context, names, "/$entity")}
    return Answer(200, body | _shown(entry, names, expansion))


def _shown(
    entry: JsonObject, names: list[str] | None, expansion: Expansion | None
) -> JsonObject:
    """Return an object as the request wants it."""
    selected = select(entry, names)
    if expansion is None:
        return selected
    related = expansion.into(entry)[expansion.relation]
    return {**selected, expansion.relation: related}


def select(entry: JsonObject, names: list[str] | None) -> JsonObject:
    """Keep the selected properties and all annotations; all where none is named."""
    if names is None:
        return entry
    annotated = [name for name in entry if name.startswith("@odata.")]
    return {name: entry.get(name) for name in [*annotated, *names]}


def _filter(call: Call, type_name: str) -> Test | None:
    """Return the test of $filter; null where there is none."""
    text = call.query.get("$filter")
    if text is None:
        return None
    return parse_filter(call.sandbox, type_name, text, advanced=is_advanced(call))


def selected_names(call: Call, type_name: str) -> list[str] | None:
    """Return the names of $select in the service's spelling; null for all.

    Raises GraphError for a name that the type does not have.
    """
    text = call.query.get("$select")
    if not text:
        return None
    known = {name.lower(): name for name in properties_of(type_name)}
    names = [name.strip() for name in text.split(",")]
    if not call.sandbox.holds("graph.unknown-select"):
        names = [name for name in names if name.lower() in known]
    for name in names:
        if name.lower() not in known:
            raise unreadable(
                "Parsing OData Select and Expand failed: Could not find a property"
                f" named '{name}' on type 'microsoft.graph.{type_name}'."
            )
    return [known[name.lower()] for name in names]


def check_options(query: dict[str, str], known: set[str]) -> None:
    """Refuse options that the sandbox does not play, rather than ignore them."""
    for name in query:
        if name.startswith("$") and name not in known:
            raise unsupported_query(f"Unsupported query option '{name}'.")


def context_url(
    call: Call, context: str, names: list[str] | None, suffix: str = ""
) -> str:
    """Return the context URL, with the selected names."""
    selection = f"({','.join(names)})" if names else ""
    return f"https://{call.host}/v1.0/$metadata#{context}{selection}{suffix}"


def is_advanced(call: Call) -> bool:
    """Say whether the request asks for advanced query capabilities."""
    return (
        call.headers.get("consistencylevel", "").lower() == "eventual"
        and call.query.get("$count") == "true"
    )


def _ordered(call: Call, type_name: str, found: list[JsonObject]) -> list[JsonObject]:
    """Sort by $orderby, which needs advanced query capabilities here."""
    order = call.query.get("$orderby")
    if not order:
        return found
    if not is_advanced(call):
        raise unsupported_query("Sorting not supported for current query.")
    name, _, direction = order.partition(" ")
    if name not in properties_of(type_name):
        raise unreadable(
            f"Could not find a property named '{name}' on type"
            f" 'microsoft.graph.{type_name}'."
        )
    descending = direction.strip().lower() == "desc"
    return sorted(found, key=lambda entry: _sort_key(entry[name]), reverse=descending)


def _sort_key(value: Any) -> tuple[bool, str]:
    """Order nulls first, then texts without regard to case."""
    return (value is not None, str(value).lower())


def _page(call: Call) -> tuple[int, int]:
    """Return the first row and the size of the page."""
    text = call.query.get("$top", str(DEFAULT_PAGE))
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(
            f"Invalid page size specified: '{text}'. Must be between 1 and"
            f" {LARGEST_PAGE} inclusive."
        )
    token = call.query.get("$skiptoken")
    return (_row_of(token) if token else 0), int(text)


def _next_link(call: Call, row: int) -> str:
    """Return the absolute URL of the next page: the same query, further on."""
    query = call.query | {"$skiptoken": _token_of(row)}
    text = urlencode(query, quote_via=quote, safe="$")
    return f"https://{call.host}{call.path}?{text}"


def _token_of(row: int) -> str:
    """Make a page token; opaque for the client."""
    return base64.urlsafe_b64encode(f"page:{row}".encode()).decode().rstrip("=")


def _row_of(token: str) -> int:
    """Read a page token back."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        return int(text.removeprefix("page:"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise GraphError(
            400,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and can no longer be included"
            " in your request.",
        ) from None

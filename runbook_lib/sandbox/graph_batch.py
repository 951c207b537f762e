"""JSON batching: up to 20 requests in one, each judged and logged on its own.

Source: Microsoft Learn, "Combine multiple HTTP requests using JSON batching".
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from runbook_lib.sandbox.graph_errors import JSON_TYPE, unreadable
from runbook_lib.sandbox.http import Answer, Call, log_call
from runbook_lib.sandbox.state import JsonObject

MOST_ITEMS = 20


def is_batch(call: Call) -> bool:
    """Say whether a request is a batch."""
    return call.path.lower() == "/v1.0/$batch" and call.method == "POST"


def items_write(call: Call) -> bool:
    """Say whether one of the items of a batch writes."""
    try:
        items = _items(call)
    except ValueError:
        return False
    return any(_writes(item) for item in items)


def answer_batch(call: Call, handle: Callable[[Call], Answer]) -> Answer:
    """Answer a batch: items in order, each with the batch's own token.

    An item that depends on one that failed is answered 424 and not sent.
    """
    try:
        items = _items(call)
    except ValueError:
        raise unreadable("Invalid batch payload format.") from None
    _check(call, items)
    statuses: dict[str, int] = {}
    responses = []
    for item in items:
        response = _response(call, item, statuses, handle)
        statuses[item["id"]] = response["status"]
        responses.append(response)
    return Answer(200, {"responses": responses})


def _items(call: Call) -> list[Any]:
    """Return the items of a batch; raises ValueError where there are none."""
    payload = json.loads(call.body)
    items = payload.get("requests") if isinstance(payload, dict) else None
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise ValueError("no list of requests")
    return items


def _check(call: Call, items: list[JsonObject]) -> None:
    """Refuse a batch that is too long or whose items are not whole."""
    if len(items) > MOST_ITEMS and call.sandbox.holds("graph.batch-limit"):
        raise unreadable(
            f"Number of batch request steps exceeds the maximum value of {MOST_ITEMS}."
        )
    seen: set[str] = set()
    for item in items:
        if not _is_whole(item):
            raise unreadable("Each batch request needs id, method and url.")
        if item["id"] in seen:
            raise unreadable("Request Ids should be unique within a batch.")
        if not set(item.get("dependsOn", ())) <= seen:
            raise unreadable("A batch request depends on one that does not precede it.")
        seen.add(item["id"])


def _is_whole(item: JsonObject) -> bool:
    """Say whether an item has its three texts, and the rest its proper form."""
    earlier, headers = item.get("dependsOn", []), item.get("headers", {})
    return (
        all(isinstance(item.get(name), str) for name in ("id", "method", "url"))
        and isinstance(earlier, list)
        and all(isinstance(name, str) for name in earlier)
        and isinstance(headers, dict)
    )


def _response(
    call: Call,
    item: JsonObject,
    statuses: dict[str, int],
    handle: Callable[[Call], Answer],
) -> JsonObject:
    """Answer and log one item."""
    failed = [name for name in item.get("dependsOn", ()) if statuses[name] >= 400]
    if failed and call.sandbox.holds("graph.batch-dependency"):
        message = f"Dependency '{failed[0]}' failed."
        error = {"error": {"code": "FailedDependency", "message": message}}
        return {"id": item["id"], "status": 424, "headers": {}, "body": error}
    inner = _inner_call(call, item)
    answer = handle(inner)
    log_call(inner, answer, status=answer.status, write=_writes(item))
    headers = {"Content-Type": JSON_TYPE} | answer.headers
    response = {"id": item["id"], "status": answer.status, "headers": headers}
    return response if answer.body is None else {**response, "body": answer.body}


def _inner_call(call: Call, item: JsonObject) -> Call:
    """Return an item as a request of its own, with the batch's authorization."""
    path, _, query = item["url"].partition("?")
    headers = {
        name.lower(): str(item["headers"][name]) for name in item.get("headers", {})
    }
    headers["authorization"] = call.headers.get("authorization", "")
    body = json.dumps(item["body"]).encode() if "body" in item else b""
    return replace(
        call,
        method=item["method"].upper(),
        path=f"/v1.0/{unquote(path).lstrip('/')}",
        query_text=query,
        headers=headers,
        body=body,
    )


def _writes(item: Any) -> bool:
    """Say whether an item writes."""
    method = item.get("method")
    return isinstance(method, str) and method.upper() not in ("GET", "HEAD")

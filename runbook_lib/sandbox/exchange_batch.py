"""Batches of the admin API: up to ten cmdlets in one request.

Source: the Exchange Online PowerShell module, which sends them; the form of an
answer is that of OData JSON batches.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from runbook_lib.sandbox.http import Answer, Call, log_call
from runbook_lib.sandbox.state import JsonObject

MOST_ITEMS = 10


def batch_items(call: Call) -> list[JsonObject] | None:
    """Return the items of a batch; null where the body is none."""
    try:
        payload = json.loads(call.body)
    except ValueError:
        return None
    items = payload.get("requests") if isinstance(payload, dict) else None
    if not isinstance(items, list) or not all(_is_whole(item) for item in items):
        return None
    return items


def answer_batch(
    call: Call,
    handle: Callable[[Call], Answer],
    is_write: Callable[[Call], bool],
) -> Answer:
    """Answer each item in order, with the batch's own token; log each.

    An item is a whole request to InvokeCommand of the same tenant.
    """
    items = batch_items(call)
    if items is None:
        return _refusal("The batch request is malformed.")
    if len(items) > MOST_ITEMS and call.sandbox.holds("exchange.batch-limit"):
        return _refusal(f"A batch holds at most {MOST_ITEMS} requests.")
    return Answer(
        200, {"responses": [_response(call, i, handle, is_write) for i in items]}
    )


def inner_call(call: Call, item: JsonObject) -> Call:
    """Return an item as a request of its own, with the batch's authorization."""
    address = urlsplit(item["url"])
    operation = unquote(address.path).rstrip("/").rpartition("/")[2]
    given = {
        str(name).lower(): str(text) for name, text in item.get("headers", {}).items()
    }
    return replace(
        call,
        method=item["method"].upper(),
        path=f"{call.path.rpartition('/')[0]}/{operation or '-'}",
        query_text=address.query,
        headers={**given, "authorization": call.headers.get("authorization", "")},
        body=json.dumps(item.get("body")).encode(),
    )


def _is_whole(item: Any) -> bool:
    """Say whether an item has id, method and url, and the rest its proper form."""
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) for name in ("id", "method", "url"))
        and isinstance(item.get("headers", {}), dict)
    )


def _response(
    call: Call,
    item: JsonObject,
    handle: Callable[[Call], Answer],
    is_write: Callable[[Call], bool],
) -> JsonObject:
    """Answer and log one item; a body that is no JSON is left out."""
    inner = inner_call(call, item)
    answer = handle(inner)
    log_call(inner, answer, status=answer.status, write=is_write(inner))
    response = {"id": item["id"], "status": answer.status, "headers": answer.headers}
    if answer.body is None or isinstance(answer.body, bytes):
        return response
    return {**response, "body": answer.body}


def _refusal(text: str) -> Answer:
    """Refuse a batch as a whole."""
    return Answer(400, {"error": {"code": "BadRequest", "message": text}})

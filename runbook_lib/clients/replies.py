"""What the clients of Entra, Graph and Exchange read from an answer alike."""

from __future__ import annotations

import httpx

from runbook_lib.clients.recording import clipped, is_write, masked, named
from runbook_lib.clients.retrying import unknown_outcome
from runbook_lib.errors import CannotLook, UnknownReply

_IDS = (
    *("request-id", "client-request-id", "x-ms-request-id", "x-ms-ags-diagnostic"),
    *("date", "retry-after"),
)


def measured(response: httpx.Response) -> dict[str, object]:
    """Return the facts of an answer: request, status, and the service's ids."""
    ids = {name: response.headers[name] for name in _IDS if name in response.headers}
    url = response.request.url
    return {
        "endpoint": url.host,
        "request": named(response.request),
        "write": is_write(response.request),
        "status": response.status_code,
        **ids,
    }


def as_mapping(value: object) -> dict[str, object]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[dict[str, object]]:
    """Return the JSON objects of a list; anything else is left out."""
    return (
        [item for item in value if isinstance(item, dict)]
        if isinstance(value, list)
        else []
    )


def body_or_nothing(response: httpx.Response) -> dict[str, object]:
    """Return the JSON object of an answer, or an empty one if it has none."""
    try:
        return as_mapping(response.json())
    except ValueError:
        return {}


def json_object(service: str, response: httpx.Response) -> dict[str, object]:
    """Return the JSON object of an answer.

    Raises:
        UnknownReply: the body is something else.
    """
    body = body_or_nothing(response)
    if not body:
        raise unknown_reply(service, response)
    return body


def json_list(service: str, response: httpx.Response) -> list[dict[str, object]]:
    """Return the objects of the member `value` of an answer.

    Raises:
        UnknownReply: there is no such list, or something else is in it.
    """
    value = json_object(service, response).get("value")
    if not isinstance(value, list) or len(as_objects(value)) != len(value):
        raise unknown_reply(service, response)
    return value


def unknown_reply(service: str, response: httpx.Response) -> UnknownReply:
    """Return the error for an answer that no source describes, with the original."""
    asked, status = named(response.request), response.status_code
    return UnknownReply(
        f"{service} answered {asked} with {status} and a body that no source"
        " describes.",
        remedy="Read the original in the record; a proxy may have answered instead.",
        facts={
            **measured(response),
            "body": clipped(masked(response, response.text)),
        },
    )


def server_fault(
    service: str, response: httpx.Response, reason: str = ""
) -> CannotLook:
    """Return the error for a 5xx: unknown for a write, unreadable for a read."""
    text = masked(response, f"{response.status_code} {reason}".strip())
    if is_write(response.request):
        return unknown_outcome(named(response.request), text, measured(response))
    return CannotLook(
        f"{service} answered {named(response.request)} with {text}, repeats included.",
        remedy="Run again later; see the service health page if it stays.",
        facts=measured(response),
    )

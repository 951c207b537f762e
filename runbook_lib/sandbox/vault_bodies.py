"""Bodies of requests to a vault, checked.

Source: Microsoft Learn, Key Vault REST API reference, "Set Secret", "Update Secret".
"""

import json
from typing import Any

from runbook_lib.sandbox.http import Call
from runbook_lib.sandbox.state import JsonObject
from runbook_lib.sandbox.vault_errors import VaultError

_ATTRIBUTES = {"enabled", "exp", "nbf"}
_SETTABLE = {"value", "contentType", "attributes", "tags"}


def body_of(call: Call) -> JsonObject:
    """Return the JSON object of a request with known properties."""
    try:
        body: Any = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or call.content_type != "application/json":
        raise bad_parameter("The request body is not a JSON object.")
    unknown = set(body) - _SETTABLE
    if unknown:
        raise bad_parameter(f"Property {min(unknown)} is not known.")
    _check_texts(body)
    return body


def _check_texts(body: JsonObject) -> None:
    """Refuse a content type that is no text, and tags that are no texts."""
    tags = body.get("tags") or {}
    whole = isinstance(tags, dict) and all(isinstance(t, str) for t in tags.values())
    if not whole or not isinstance(body.get("contentType") or "", str):
        raise bad_parameter("Property tags or contentType has an invalid value.")


def attributes_of(body: JsonObject) -> JsonObject:
    """Return the attributes that a request sets, checked."""
    sent = body.get("attributes") or {}
    if not isinstance(sent, dict) or set(sent) - _ATTRIBUTES:
        raise bad_parameter("Property attributes has an unknown part.")
    for name in ("exp", "nbf"):
        if not isinstance(sent.get(name, 0), int) or isinstance(sent.get(name), bool):
            raise bad_parameter(f"Property {name} is not a number of seconds.")
    if not isinstance(sent.get("enabled", True), bool):
        raise bad_parameter("Property enabled is not a Boolean.")
    return sent


def bad_parameter(message: str) -> VaultError:
    """Return the 400 for a request that cannot be read."""
    return VaultError(400, "BadParameter", message)

"""Asks the control endpoint of a running sandbox; see `control.py`."""

import json
import ssl
import urllib.request
from typing import Any, cast


def operate(
    ready: dict[str, Any], tenant_id: str, operation: str, **arguments: object
) -> dict[str, Any]:
    """Perform one operation on a tenant; return what came of it.

    `ready` is the content of the sandbox's ready file.
    """
    body = {"tenant": tenant_id, "operation": operation, **arguments}
    request = urllib.request.Request(  # noqa: S310 - our own server, over HTTPS
        f"{ready['https'].replace('127.0.0.1', 'localhost')}/_sandbox/state",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {ready['control_token']}",
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=ready["ca_file"])
    direct = urllib.request.ProxyHandler({})
    opener = urllib.request.build_opener(
        direct, urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(request, timeout=10) as answer:
        return cast("dict[str, Any]", json.load(answer))

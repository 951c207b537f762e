"""A control endpoint for tests: break things in a tenant, read its dump.

It is part of no real API. It answers on the host localhost only, and only to the
control token of the ready file. Requests are logged with `write: false`: what
they do is done by the test, not by the client under test.

    GET  /_sandbox/dump?tenant=ID-OR-DOMAIN
    POST /_sandbox/state  {"tenant": …, "operation": …, further keys}
"""

import hmac
import json
from collections.abc import Callable

from runbook_lib.sandbox.control_operations import OPERATIONS
from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.http import Answer, Call, Service
from runbook_lib.sandbox.state import Tenant


def control_service(control_token: str) -> Service:
    """Return the service for localhost, guarded by `control_token`."""
    handle = _guarded(control_token)
    return Service("control", handle, lambda call: False, unavailable=None)


def _guarded(control_token: str) -> Callable[[Call], Answer]:
    """Return a handler that answers only to the token."""

    def handle(call: Call) -> Answer:
        if not hmac.compare_digest(call.bearer or "", control_token):
            return _refusal(401, "the control token of the ready file is needed")
        try:
            return _answered(call)
        except KeyError as error:
            return _refusal(404, f"there is no {error.args[0]!r}")
        except (TypeError, ValueError) as error:
            return _refusal(400, str(error))

    return handle


def _answered(call: Call) -> Answer:
    """Answer a request that carries the token."""
    if (call.method, call.path) == ("GET", "/_sandbox/dump"):
        tenant = _tenant(call, call.query.get("tenant", ""))
        headers = {"Content-Type": "application/json"}
        return Answer(200, dump(call.sandbox, tenant), headers, tenant.tenant_id)
    if (call.method, call.path) == ("POST", "/_sandbox/state"):
        return _changed(call)
    return _refusal(404, "there is GET /_sandbox/dump and POST /_sandbox/state")


def _changed(call: Call) -> Answer:
    """Run one operation; its result is the reply."""
    arguments = json.loads(call.body)
    if not isinstance(arguments, dict):
        raise ValueError("the body is not a JSON object")
    tenant = _tenant(call, str(arguments.pop("tenant", "")))
    operation = OPERATIONS[arguments.pop("operation", None)]
    result = operation(call.sandbox, tenant, **arguments)
    return Answer(200, result or {}, tenant=tenant.tenant_id)


def _tenant(call: Call, identifier: str) -> Tenant:
    """Return the tenant that a request names; KeyError for another."""
    tenant = call.sandbox.tenant(identifier)
    if tenant is None:
        raise KeyError(identifier)
    return tenant


def _refusal(status: int, sentence: str) -> Answer:
    """Return an error in the control endpoint's own form."""
    return Answer(status, {"error": sentence})

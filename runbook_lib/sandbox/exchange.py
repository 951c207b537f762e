"""The Exchange Online admin API: InvokeCommand and its refusals, and batches.

`POST /adminapi/beta/{tenant id}/InvokeCommand` with `{"CmdletInput":
{"CmdletName": …, "Parameters": {…}}}`.
Source: Microsoft does not document it; field reports (CIPP, CISA ScubaGear, the
Exchange Online module, a Python client) agree on what is here.
"""

import json
from typing import Any

from starlette.routing import BaseRoute, Route

from runbook_lib.sandbox.exchange_access import (
    forbidden,
    may_run,
    token_claims,
)
from runbook_lib.sandbox.exchange_batch import answer_batch, batch_items, inner_call
from runbook_lib.sandbox.exchange_cmdlets import run_cmdlet
from runbook_lib.sandbox.exchange_contract import Cmdlet, cmdlets
from runbook_lib.sandbox.exchange_errors import (
    BAD_REQUEST,
    CmdletError,
    error_envelope,
)
from runbook_lib.sandbox.exchange_paging import (
    PageMark,
    next_link,
    page_size_of,
    read_mark,
)
from runbook_lib.sandbox.exchange_region import is_regional, module_file, redirect
from runbook_lib.sandbox.exchange_rest import answer_entity, reading_of
from runbook_lib.sandbox.http import Answer, Call, Service, endpoint
from runbook_lib.sandbox.state import JsonObject, Sandbox

CONTEXT = "$metadata#Collection(Exchange.GenericHashTable)"

PATH = "/{root}/{version}/{tenant_id}/{operation}"
# An entity of the REST twins may be followed by one of its relations.
RELATION_PATH = f"{PATH}/{{relation}}"


def exchange_routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Return the routes of the host outlook.office365.com."""
    service = Service("exchange", answer_call, is_write, unavailable)
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [
        Route(path, endpoint(sandbox, service), methods=methods)
        for path in (PATH, RELATION_PATH)
    ]


def answer_call(call: Call) -> Answer:
    """Answer a request to the admin API; paths have no case."""
    root, version, tenant_id, operation = _path_parts(call)
    name = operation.lower() if root == "adminapi" else ""
    if name == "$batch":
        answer = _batch(call)
    elif name == "exomodulefile":
        answer = _module_file(call, tenant_id)
    elif name == "invokecommand":
        return invoke_command(call)
    elif root == "adminapi" and version == "beta":
        answer = answer_entity(call, tenant_id, operation)
    else:
        answer = Answer(404)
    if tenant_id in call.sandbox.tenants:
        answer.tenant = tenant_id
    return answer


def invoke_command(call: Call) -> Answer:
    """Run one cmdlet, or say why not."""
    _, version, tenant_id, _ = _path_parts(call)
    answer = _checked(call, version, tenant_id)
    answer.logged = _cmdlet_input(call)
    if tenant_id in call.sandbox.tenants:
        answer.tenant = tenant_id
    return answer


def is_write(call: Call) -> bool:
    """Say whether a request changes something: all but Get- and Test- cmdlets.

    A request whose cmdlet cannot be read counts as none, a batch by its items.
    """
    operation = _path_parts(call)[3]
    if reading_of(operation) is not None:
        return call.method not in ("GET", "HEAD")
    if operation.lower() == "$batch":
        items = batch_items(call) or []
        return any(is_write(inner_call(call, item)) for item in items)
    name = _cmdlet_input(call).get("CmdletName")
    return isinstance(name, str) and not name.lower().startswith(("get-", "test-"))


def unavailable(call: Call, status: int) -> Answer:
    """Return the reply of an API that throttles or is overloaded."""
    text = "The request was throttled." if status == 429 else "Service unavailable."
    body = {"error": {"code": str(status), "message": text}}
    return Answer(status, body, logged=_cmdlet_input(call))


def _batch(call: Call) -> Answer:
    """Answer a batch of InvokeCommand requests; its token is judged first."""
    _, version, tenant_id, _ = _path_parts(call)
    if call.method != "POST" or version != "beta":
        return Answer(405)
    claims = token_claims(call.sandbox, call.bearer, tenant_id)
    if isinstance(claims, Answer):
        return claims
    return answer_batch(call, answer_item, is_write)


def answer_item(call: Call) -> Answer:
    """Answer an item of a batch: InvokeCommand only."""
    known = _path_parts(call)[3].lower() == "invokecommand"
    return invoke_command(call) if known else Answer(404)


def _module_file(call: Call, tenant_id: str) -> Answer:
    """Answer EXOModuleFile to a caller that may reach the admin API."""
    claims = token_claims(call.sandbox, call.bearer, tenant_id)
    if isinstance(claims, Answer):
        return claims
    return module_file(call) if call.method == "GET" else Answer(405)


def _checked(call: Call, version: str, tenant_id: str) -> Answer:
    """Judge version, token, cmdlet and right, then run the cmdlet."""
    sandbox = call.sandbox
    if version != "beta" and sandbox.holds("exchange.beta-only"):
        return Answer(405)
    if call.method not in ("POST", "GET"):
        return Answer(405)
    if not is_regional(call) and sandbox.faults.take("exchange-302"):
        return redirect(call)
    claims = token_claims(sandbox, call.bearer, tenant_id)
    if isinstance(claims, Answer):
        return claims
    if sandbox.faults.take("exchange-200-error"):
        return Answer(200, error_envelope(_odd_error()))
    cmdlet_input = _cmdlet_input(call)
    name = cmdlet_input.get("CmdletName")
    if not isinstance(name, str):
        return _refused(CmdletError(BAD_REQUEST, "CmdletInput.CmdletName is missing."))
    cmdlet = cmdlets().get(name.lower())
    if cmdlet is None:
        return _unknown(sandbox, name)
    if not may_run(sandbox, sandbox.tenants[tenant_id], claims, cmdlet):
        return forbidden()
    return _run(call, tenant_id, cmdlet, cmdlet_input)


def _run(
    call: Call, tenant_id: str, cmdlet: Cmdlet, cmdlet_input: JsonObject
) -> Answer:
    """Run a permitted cmdlet and return its page of objects."""
    parameters = cmdlet_input.get("Parameters") or {}
    if not isinstance(parameters, dict):
        return _refused(CmdletError(BAD_REQUEST, "Parameters is not an object."))
    tenant = call.sandbox.tenants[tenant_id]
    try:
        values, warnings = run_cmdlet(call.sandbox, tenant, cmdlet, parameters)
    except CmdletError as error:
        return _refused(error)
    return Answer(200, _page(call, cmdlet_input, _selected(call, values), warnings))


def _page(
    call: Call, cmdlet_input: JsonObject, values: list[JsonObject], warnings: list[str]
) -> JsonObject:
    """Return the body with one page of objects and a link to the next."""
    mark = _mark(call) or PageMark(cmdlet_input, 0, page_size_of(call))
    end = mark.offset + mark.page_size
    if not call.sandbox.holds("exchange.paging"):
        end = len(values)
    root = call.path.rpartition("/")[0]
    body: JsonObject = {
        "@odata.context": f"https://{call.host}{root}/{CONTEXT}",
        "@adminapi.warnings": warnings,
    }
    if end < len(values):
        further = PageMark(cmdlet_input, end, mark.page_size)
        body["@odata.nextLink"] = next_link(call, further)
    return {**body, "value": values[mark.offset : end]}


def _selected(call: Call, values: list[JsonObject]) -> list[JsonObject]:
    """Return only the properties that $select names, where it is given."""
    select = call.query.get("$select")
    if not select:
        return values
    names = [name.strip() for name in select.split(",")]
    return [{name: v[name] for name in names if name in v} for v in values]


def _cmdlet_input(call: Call) -> dict[str, Any]:
    """Return CmdletInput from the body, or from the next link of a GET."""
    try:
        body = json.loads(call.body or b"{}")
    except ValueError:
        body = {}
    given = body.get("CmdletInput") if isinstance(body, dict) else None
    if isinstance(given, dict):
        return given
    mark = _mark(call) if call.method == "GET" else None
    return _reading_only(mark.cmdlet_input) if mark else {}


def _reading_only(cmdlet_input: dict[str, Any]) -> dict[str, Any]:
    """Return the input of a next link only if it reads: a link never writes."""
    name = str(cmdlet_input.get("CmdletName", ""))
    return cmdlet_input if name.lower().startswith(("get-", "test-")) else {}


def _mark(call: Call) -> PageMark | None:
    """Return the page mark of the address, or null."""
    text = call.query.get("$skiptoken")
    return read_mark(text) if text else None


def _path_parts(call: Call) -> tuple[str, str, str, str]:
    """Return root, API version, tenant id (in lower case) and operation.

    The operation of a REST twin may hold a slash, before a relation.
    """
    root, version, tenant_id, operation = call.path.strip("/").split("/", 3)
    return root.lower(), version.lower(), tenant_id.lower(), operation


def _unknown(sandbox: Sandbox, name: str) -> Answer:
    """Refuse a cmdlet that is not in the list."""
    if sandbox.holds("exchange.unknown-cmdlet"):
        return forbidden()
    return _refused(CmdletError(BAD_REQUEST, f"The term '{name}' is not recognized."))


def _refused(error: CmdletError) -> Answer:
    """Turn a cmdlet error into the reply."""
    return Answer(error.status, error_envelope(error))


def _odd_error() -> CmdletError:
    """Return the error that the fault exchange-200-error sends with status 200."""
    return CmdletError(BAD_REQUEST, "The request failed. (sandbox fault)", status=500)

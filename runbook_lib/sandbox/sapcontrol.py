"""The SAP start service of one instance, over HTTPS (port 5<nr>14).

Order of checks: path (404), HTTP method (405), envelope, method, user, the call.

Source: public clients of the service `urn:SAPControl`; gSOAP for refusals of what is
no call. Texts of the start service itself were read in single reports only.
"""

import contextlib

from runbook_lib.sandbox.http import Answer, Call, Service
from runbook_lib.sandbox.sap_sign_in import signed_in_user
from runbook_lib.sandbox.sap_system import SapSide
from runbook_lib.sandbox.sapcontrol_methods import METHODS, protected_of
from runbook_lib.sandbox.sapcontrol_soap import (
    SoapFault,
    SoapRequest,
    fault,
    read_request,
    reply,
    unknown_method,
)
from runbook_lib.sandbox.sapcontrol_wsdl import wsdl_of
from runbook_lib.sandbox.seed_sap import sap_side

PATHS = ("/", "/SAPControl.cgi", "/SAPControl")


def handle(call: Call) -> Answer:
    """Answer one request to a host of a SAP instance."""
    name = call.host.partition(".")[0]
    tenant = call.sandbox.tenant(f"{name}.{call.sandbox.cloud.initial_suffix}")
    if tenant is None:
        return Answer(421)
    answer = _answered(call, sap_side(call.sandbox, tenant))
    answer.tenant = tenant.tenant_id
    answer.headers["Server"] = "gSOAP/2.8"
    return answer


def _answered(call: Call, side: SapSide) -> Answer:
    """Answer a request to an instance that exists."""
    if call.path not in PATHS:
        return Answer(404)
    if call.method in ("GET", "HEAD"):
        return _described(call, side)
    if call.method != "POST":
        return Answer(405, None, {"Allow": "GET, POST"})
    try:
        request = read_request(call.body)
        return _called(call, side, request)
    except SoapFault as refused:
        return _refused(call, side, refused)


def _described(call: Call, side: SapSide) -> Answer:
    """Return the description of the service; nothing else can be read so."""
    asked = call.query_text.lower() == "wsdl"
    if not asked or not call.sandbox.holds("sapcontrol.description"):
        return Answer(404)
    port = f"5{side.instance.number}14"
    text = wsdl_of(f"https://{call.host}:{port}/SAPControl.cgi")
    return Answer(200, text.encode(), {"Content-Type": "text/xml; charset=utf-8"})


def _called(call: Call, side: SapSide, request: SoapRequest) -> Answer:
    """Run a method that the caller may run."""
    method = METHODS.get(request.method)
    if method is None:
        if not call.sandbox.holds("sapcontrol.unknown-method"):
            return reply(request.method, {})
        raise unknown_method(request.method)
    _judge(call, side, request.method)
    if request.method == "AccessCheck":
        _judge(call, side, request.parameters.get("function", ""))
    result = method.run(call.sandbox, side.instance, request.parameters)
    return reply(request.method, result)


def _judge(call: Call, side: SapSide, method: str) -> None:
    """Refuse a caller who may not call a method; what is unknown is protected."""
    sandbox = call.sandbox
    open_to_all = set(METHODS) - protected_of(sandbox, side.instance)
    if method in open_to_all or not sandbox.holds("sapcontrol.protected-methods"):
        return
    user = signed_in_user(call, side)
    if user is None or user in side.scenarios:
        raise SoapFault("Invalid Credentials", "Server", 401)
    if user != side.instance.administrator and sandbox.holds("sapcontrol.permission"):
        raise SoapFault("Permission denied")


def _refused(call: Call, side: SapSide, refused: SoapFault) -> Answer:
    """Return a refusal; one for want of a user says how to sign in."""
    answer = fault(refused)
    if not call.sandbox.holds("sapcontrol.fault-status"):
        answer.status = 200
    if refused.status == 401:
        realm = f"{side.instance.sid}_{side.instance.number}"
        answer.headers["WWW-Authenticate"] = f'Basic realm="{realm}"'
    return answer


def is_write(call: Call) -> bool:
    """Say whether a request writes: every call but those that are known to read."""
    if call.method in ("GET", "HEAD"):
        return False
    with contextlib.suppress(SoapFault):
        return read_request(call.body).method not in METHODS
    return True


def _unavailable(call: Call, status: int) -> Answer:
    """Return the reply of a start service that is overloaded: no envelope."""
    return Answer(status, b"Service Unavailable", {"Content-Type": "text/plain"})


def sapcontrol_service() -> Service:
    """Return the service for the hosts of SAP instances."""
    return Service("sapcontrol", handle, is_write, _unavailable)

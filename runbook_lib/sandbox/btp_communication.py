"""Communication management of a BTP ABAP environment or of S/4HANA Cloud: read only.

`GET /sap/opu/odata4/sap/<service>/srvd_a2x/sap/<service>/0001/…` for communication
systems and communication arrangements. Order of checks: user (401), method (403),
service (404), scenario (403), path (404), options (400).

Texts and codes of refusals are the sandbox's own, but for the CSRF one.

Source: SAP Help, BTP ABAP environment, "Communication Management Integration"
(SAP_COM_0A48); OData 4.0; SAP Help, "Cross-Site Request Forgery Protection".
"""

import re

from runbook_lib.sandbox.btp_communication_query import QueryError, Reader
from runbook_lib.sandbox.btp_communication_types import (
    SERVICES,
    EntitySet,
    metadata_of,
)
from runbook_lib.sandbox.http import Answer, Call, Service
from runbook_lib.sandbox.sap_sign_in import signed_in_user
from runbook_lib.sandbox.sap_system import Entity, SapSide
from runbook_lib.sandbox.seed_sap import sap_side

SCENARIO = "SAP_COM_0A48"
_PATH = re.compile(r"/sap/opu/odata4/sap/(\w+)/srvd_a2x/sap/(\w+)/0001(?:/(.*))?")
_SEGMENT = re.compile(r"(\w+)(?:\(([^()]*)\))?")
_PAIR = re.compile(r"(?:(\w+)=)?('(?:[^']|'')*'|[\w-]+)(?:,|$)")


class CommunicationError(Exception):
    """A request that is refused."""

    def __init__(self, status: int, message: str) -> None:
        """Take status and message."""
        super().__init__(message)
        self.status = status
        self.message = message


def handle(call: Call) -> Answer:
    """Answer one request to a host of a BTP ABAP environment."""
    name = call.host.partition(".")[0]
    tenant = call.sandbox.tenant(f"{name}.{call.sandbox.cloud.initial_suffix}")
    if tenant is None:
        return Answer(421)
    try:
        answer = _answered(call, sap_side(call.sandbox, tenant))
    except CommunicationError as refused:
        answer = _refused(refused.status, refused.message)
    except QueryError as refused:
        answer = _refused(400, str(refused))
    answer.tenant = tenant.tenant_id
    if call.method == "HEAD":
        answer.body = None
    return answer


def _answered(call: Call, side: SapSide) -> Answer:
    """Answer a request to a system that exists."""
    user = signed_in_user(call, side)
    if user not in side.scenarios:
        if call.sandbox.holds("communication.sign-in"):
            return _challenge()
        user = next(iter(side.scenarios))
    if is_write(call) and call.sandbox.holds("communication.read-only"):
        return _no_csrf_token()
    match = _PATH.fullmatch(call.path)
    if match is None or match[1] != match[2] or match[1] not in SERVICES:
        raise CommunicationError(404, "The service was not found.")
    allowed = SCENARIO in side.scenarios[user]
    if not allowed and call.sandbox.holds("communication.scenario"):
        group = match[1].upper()
        text = f"No authorization to access service group '{group}'."
        raise CommunicationError(403, text)
    return _read(call, side, match[1], match[3] or "")


def _read(call: Call, side: SapSide, service: str, path: str) -> Answer:
    """Read from a service: its document, its metadata, or entities."""
    sets, tables = SERVICES[service], side.communication[service]
    if not path:
        values = [{"name": name, "url": name} for name in sets]
        return _json({"@odata.context": "$metadata", "value": values})
    if path == "$metadata" and call.sandbox.holds("communication.metadata"):
        body = metadata_of(service).encode()
        return Answer(200, body, {"Content-Type": "application/xml"} | _VERSION)
    reader = Reader(call.sandbox, sets, tables)
    return _json(_walked(reader, path.strip("/").split("/"), call.query))


def _walked(reader: Reader, parts: list[str], options: dict[str, str]) -> Entity:
    """Follow a path: a set, a key, relations; return what it ends at."""
    name, key = _segment(parts[0])
    rows, many = reader.tables.get(name, []), key is None
    if name not in reader.sets:
        raise CommunicationError(404, f"Resource '{name}' was not found.")
    if key is not None:
        rows = [_found(reader, name, rows, key)]
    for part in parts[1:]:
        relation = reader.sets[name].relations.get(part)
        if many or relation is None or not rows:
            raise CommunicationError(404, f"Resource '{part}' was not found.")
        rows, name, many = (
            reader.joined(rows[0], relation),
            relation.target,
            relation.many,
        )
    context = {"@odata.context": f"$metadata#{name}{'' if many else '/$entity'}"}
    if many:
        return context | reader.listed(name, rows, options)
    if not rows:
        raise CommunicationError(404, "The entity was not found.")
    return context | reader.shown(name, rows[0], options)


def _segment(text: str) -> tuple[str, str | None]:
    """Return name and key of a part of a path; the key is null for none."""
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise CommunicationError(404, f"Resource '{text}' was not found.")
    return match[1], match[2]


def _found(reader: Reader, name: str, rows: list[Entity], key: str) -> Entity:
    """Return the entity with a key; raise the 404."""
    wanted = _key_of(reader.sets[name], key)
    for row in rows:
        if all(row[part].lower() == wanted[part] for part in wanted):
            return row
    if rows and not reader.sandbox.holds("communication.unknown-entity"):
        return rows[0]
    raise CommunicationError(404, "The entity was not found.")


def _key_of(one: EntitySet, text: str) -> dict[str, str]:
    """Read a key: `value`, or `name=value` for each part."""
    pairs = _PAIR.findall(text)
    named = {name or one.keys[0]: value.strip("'").lower() for name, value in pairs}
    if set(named) != set(one.keys):
        raise CommunicationError(400, "The key is not complete.")
    return named


_VERSION = {"OData-Version": "4.0"}


def _json(body: Entity) -> Answer:
    """Return a body of OData."""
    kind = "application/json;odata.metadata=minimal;charset=utf-8"
    return Answer(200, body, {"Content-Type": kind} | _VERSION)


def _refused(status: int, message: str) -> Answer:
    """Return a refusal in OData's envelope."""
    error = {"code": str(status), "message": message, "target": None}
    return Answer(status, {"error": error}, dict(_VERSION))


def _challenge() -> Answer:
    """Return the refusal of a caller without user: a page, as ICF shows one."""
    page = (
        "<html><head><title>Logon Error Message</title></head>"
        "<body><h1>401 Unauthorized</h1></body></html>"
    )
    realm = 'Basic realm="SAP NetWeaver Application Server [ABP/100]"'
    headers = {"Content-Type": "text/html; charset=utf-8", "WWW-Authenticate": realm}
    return Answer(401, page.encode(), headers)


def _no_csrf_token() -> Answer:
    """Refuse a write: the sandbox gives out no token that would let it pass."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-CSRF-Token": "Required"}
    return Answer(403, b"CSRF token validation failed", headers)


def is_write(call: Call) -> bool:
    """Say whether a request writes: no GET or HEAD."""
    return call.method not in ("GET", "HEAD")


def _unavailable(call: Call, status: int) -> Answer:
    """Return the reply of a throttled or overloaded system: a page, not OData."""
    page = b"<html><body><h1>Try again later</h1></body></html>"
    return Answer(status, page, {"Content-Type": "text/html; charset=utf-8"})


def communication_service() -> Service:
    """Return the service for the hosts of BTP ABAP environments."""
    return Service("communication", handle, is_write, _unavailable)

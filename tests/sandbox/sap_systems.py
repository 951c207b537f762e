"""Plain requests to the SAP systems of a `World`'s first tenant."""

import xml.etree.ElementTree as ElementTree
from typing import Any
from xml.sax.saxutils import escape

import httpx

from runbook_lib.sandbox.sap_system import SapSide
from runbook_lib.sandbox.seed_sap import ADMINISTRATOR, READER, sap_side
from tests.sandbox.world import World

HOST = "https://contoso.sap.example:50014"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
BTP = "https://contoso.abap.eu10.hana.ondemand.com"
SYSTEMS = "aps_com_cs_a4c_odata"
ARRANGEMENTS = "aps_com_ca_a4c_odata"


def side_of(world: World) -> SapSide:
    """Return the SAP side of the first tenant."""
    return sap_side(world.sandbox, world.tenant)


def sign_in(world: World, user: str | None) -> Any:
    """Return name and password of a seeded user; null for no sign-in."""
    users = world.plans[world.tenant.tenant_id].sap_users
    return None if user is None else (user, users[user])


def envelope(method: str, parameters: dict[str, str]) -> str:
    """Return a call as a SOAP client writes it."""
    inside = "".join(
        f"<{name}>{escape(value)}</{name}>" for name, value in parameters.items()
    )
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>'
        f'<c:{method} xmlns:c="urn:SAPControl">{inside}</c:{method}>'
        "</s:Body></s:Envelope>"
    )


def soap(
    world: World, method: str, user: str | None = ADMINISTRATOR, **parameters: str
) -> httpx.Response:
    """Call a method of the start service."""
    return world.request(
        "POST",
        f"{HOST}/",
        content=envelope(method, parameters),
        headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
        auth=sign_in(world, user),
    )


def texts(answer: httpx.Response, tag: str) -> list[str]:
    """Return the texts of all elements of this name; the reply is no fault."""
    assert answer.status_code == 200, answer.text
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - the sandbox's own
    assert root.find(f".//{{{ENVELOPE}}}Fault") is None, answer.text
    return [element.text or "" for element in root.iter(tag)]


def fault_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and text of a reply, which has to be a fault."""
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - the sandbox's own
    fault = root.find(f".//{{{ENVELOPE}}}Fault/faultstring")
    assert fault is not None, answer.text
    return answer.status_code, fault.text or ""


def value_of(world: World, parameter: str) -> str:
    """Return a parameter's value, asked for without sign-in."""
    answer = soap(world, "ParameterValue", None, parameter=parameter)
    return "".join(texts(answer, "value"))


def odata(
    world: World,
    path: str,
    user: str | None = READER,
    *,
    method: str = "GET",
    service: str = ARRANGEMENTS,
    **options: str,
) -> httpx.Response:
    """Send a request to communication management; options without their `$`."""
    return world.request(
        method,
        f"{BTP}/sap/opu/odata4/sap/{service}/srvd_a2x/sap/{service}/0001/{path}",
        params={f"${name}": value for name, value in options.items()},
        auth=sign_in(world, user),
    )


def entities(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the entities of a collection."""
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found

"""SAP_COM_0548 in the BTP ABAP environment: system and arrangement, as a form."""

from __future__ import annotations

from runbook_lib.sap.finding import Finding, failed, unclear, warned
from runbook_lib.sap.form import Form, empty, is_on, read_form
from runbook_lib.sap.mail_user import judge_client_user
from runbook_lib.sap.oauth_client import (
    CLIENT_ID_OTHER,
    CLIENT_ID_RIGHT,
    judge_endpoint,
    judge_scope,
)
from runbook_lib.sap.sources import BTP_COMMUNICATION, BTP_MAIL, BTP_USERS, GUIDE
from runbook_lib.sap.wanted import WantedClient, WantedNode

ARRANGEMENT = "communication arrangement SAP_COM_0548"

LABELS = {
    "arrangements": ("Number of arrangements",),
    "scenario": ("Scenario", "Communication Scenario", "Scenario ID"),
    "host_name": ("Host Name", "Mail host", "Host"),
    "port": ("Port",),
    "cloud_connector": ("Cloud Connector", "Use Cloud Connector"),
    "token_endpoint": ("Token Endpoint",),
    "authentication_method": ("Authentication Method",),
    "client_id": ("OAuth 2.0 Client ID", "Client ID"),
    "client_authentication": ("Client Authentication",),
    "oauth_user": ("OAuth User", "OAuth 2.0 User"),
    "additional_scope": (
        "Additional Scope",
        "Additional Scopes",
        "Additional Scope(s)",
    ),
}

SCENARIO_OTHER = failed(
    "SCENARIO_OTHER",
    "The scenario is {found}.",
    "Create the communication arrangement for SAP_COM_0548.",
    GUIDE,
)
ARRANGEMENT_ABSENT = failed(
    "ARRANGEMENT_ABSENT",
    "The environment itself shows no communication arrangement for SAP_COM_0548.",
    "Make it, or name the environment in the tenant file that it is in.",
    BTP_COMMUNICATION,
)
ARRANGEMENT_NOT_YET = unclear(
    "ARRANGEMENT_NOT_YET",
    "The environment shows no communication arrangement for SAP_COM_0548 yet.",
    "Make communication system and arrangement, as the handover sheet says.",
    BTP_COMMUNICATION,
)
SEVERAL_ARRANGEMENTS = unclear(
    "SEVERAL_ARRANGEMENTS",
    "The environment shows {count} communication arrangements for SAP_COM_0548.",
    "Keep the one that is meant, and run again.",
    BTP_COMMUNICATION,
)
SYSTEM_OTHER = failed(
    "SYSTEM_OTHER",
    "The communication system has {field} {found}.",
    "Enter {wanted}.",
    f"{GUIDE}; {BTP_MAIL}",
)
CLOUD_CONNECTOR_ON = failed(
    "CLOUD_CONNECTOR_ON",
    "The Cloud Connector is on, which is for servers in your own network.",
    "Switch it off: the mail host is on the internet.",
    BTP_MAIL,
)
METHOD_OTHER = failed(
    "METHOD_OTHER",
    "The outbound user has the authentication method “{found}”.",
    "Choose OAuth 2.0.",
    GUIDE,
)
SECRET_ON_BTP = warned(
    "SECRET_ON_BTP",
    "The client authentication is “{found}”. The guide knows only JWT here; SAP's own "
    "page lists others.",
    "Prefer JWT: download the certificate and upload it to the application.",
    f"{GUIDE}; {BTP_USERS}",
)


def read_arrangement(text: str, place: str = ARRANGEMENT) -> Form:
    """Read the form of communication system and arrangement."""
    return read_form(text, LABELS, place)


def judge_arrangement(
    form: Form, node: WantedNode, client: WantedClient
) -> list[Finding]:
    """Judge the form against mailbox, host and application."""
    if nothing := empty(form):
        return nothing
    needed = ["host_name", "client_id", "token_endpoint", "oauth_user"]
    findings = [*form.repeated, *form.absent([*needed, "additional_scope"])]
    findings += _scenario(form)
    findings += _system(form, node)
    findings += _client(form, client)
    if node.mailbox:
        findings += judge_client_user(form, "oauth_user", node.mailbox)
    scope = form.get("additional_scope")
    return findings + (judge_scope(scope, client.scope) if scope else [])


def judge_measured(
    measured: Form, pasted: Form | None, node: WantedNode, client: WantedClient
) -> list[Finding]:
    """Judge what the environment shows, and in its gaps what was handed in.

    An environment without an arrangement contradicts only who said that there is
    one.
    """
    count = measured.get("arrangements")
    if count and count.plain not in {"0", "1"}:
        return [SEVERAL_ARRANGEMENTS.at(count.line, count=count.value)]
    if count and count.plain == "0":
        stated = pasted is not None and pasted.fields
        return [(ARRANGEMENT_ABSENT if stated else ARRANGEMENT_NOT_YET).at(count.line)]
    given = pasted or Form(ARRANGEMENT, {})
    whole = Form(measured.place, {**given.fields, **measured.fields}, given.repeated)
    return judge_arrangement(whole, node, client)


def _scenario(form: Form) -> list[Finding]:
    field = form.get("scenario")
    if field is None or "sap_com_0548" in field.plain:
        return []
    return [form.at("scenario", SCENARIO_OTHER, found=field.value or "empty")]


def _system(form: Form, node: WantedNode) -> list[Finding]:
    findings = []
    for name, wanted in (("host_name", node.host), ("port", str(node.port))):
        field = form.get(name)
        if field and field.plain != wanted.casefold():
            values = {"field": name, "found": field.value or "empty", "wanted": wanted}
            findings.append(form.at(name, SYSTEM_OTHER, **values))
    if is_on(form.get("cloud_connector")):
        findings.append(form.at("cloud_connector", CLOUD_CONNECTOR_ON))
    return findings


def _client(form: Form, client: WantedClient) -> list[Finding]:
    findings = []
    method, id_ = form.get("authentication_method"), form.get("client_id")
    if method and method.plain.replace(" ", "") not in {"oauth2.0", "oauth2"}:
        found = method.value or "empty"
        findings.append(form.at("authentication_method", METHOD_OTHER, found=found))
    if id_ and id_.plain == client.app_id.casefold():
        findings.append(form.at("client_id", CLIENT_ID_RIGHT))
    elif id_:
        values = {"found": id_.value or "empty", "app_id": client.app_id}
        findings.append(form.at("client_id", CLIENT_ID_OTHER, **values))
    kind = form.get("client_authentication")
    if kind and kind.plain not in {"jwt", "private key jwt"}:
        found = kind.value or "empty"
        findings.append(form.at("client_authentication", SECRET_ON_BTP, found=found))
    endpoint = form.get("token_endpoint")
    return findings + (judge_endpoint(endpoint, client) if endpoint else [])

"""SBCS_MAIL_CONFIGSMTP and the SMTP node of SCOT, as a typed form."""

from __future__ import annotations

import re
from ipaddress import ip_address

from runbook_lib.sap.finding import Finding, failed, passed, warned
from runbook_lib.sap.form import Form, empty, is_on, read_form
from runbook_lib.sap.mail_user import judge_client_user
from runbook_lib.sap.sources import GUIDE, INFERENCE, SMTP_NODE
from runbook_lib.sap.wanted import WantedNode

SBCS = "SBCS_MAIL_CONFIGSMTP"
SCOT = "SCOT, SMTP node"

LABELS = {
    "mail_host": ("Mail Host", "Host", "Host Name", "Mailhost"),
    "mail_port": ("Mail Port", "Port"),
    "tls": ("TLS", "Security", "Use TLS", "Sicherheit"),
    "auth_method": ("Authentication Method", "Authentication", "Auth. Method"),
    "client_profile": ("OAuth 2.0 Client Profile", "OAuth Client Profile"),
    "client_configuration": ("OAuth 2.0 Client Configuration", "Configuration Name"),
    "client_user": ("OAuth 2.0 Client User", "OAuth Client User"),
    "modify_legacy_node": ("Modify legacy SMTP node", "Modify legacy node"),
    "node_in_use": ("Node in use", "Node active"),
    "logon_user": ("Logon user", "SMTP user", "User", "Logon data"),
    "address_area": ("Address area", "Address areas", "Adressbereich"),
}

HOST_RIGHT = passed("HOST_RIGHT", "The mail host is {host}.", GUIDE)
HOST_IS_IP = failed(
    "HOST_IS_IP",
    "The mail host is an IP address, which Microsoft does not support.",
    "Enter {host}.",
    GUIDE,
)
HOST_OTHER = failed("HOST_OTHER", "The mail host is {found}.", "Enter {host}.", GUIDE)
PORT_OTHER = failed(
    "PORT_OTHER",
    "The mail port is {found}; {host} is used on port {port}.",
    "Enter {port}.",
    GUIDE,
)
TLS_NOT_MANDATORY = failed(
    "TLS_NOT_MANDATORY",
    "TLS is “{found}”; where it is not negotiated, the token would travel in the "
    "clear, or the node would send without signing in.",
    "Set TLS to mandatory in the node's settings.",
    SMTP_NODE,
)
TLS_OFF = failed(
    "TLS_OFF", "TLS is “{found}”.", "Set TLS to mandatory, or if possible.", GUIDE
)
AUTH_OTHER = failed(
    "AUTH_OTHER",
    "The authentication method is “{found}”.",
    "Choose OAuth2.",
    GUIDE,
)
PROFILE_EMPTY = failed(
    "PROFILE_EMPTY",
    "The OAuth 2.0 client profile is empty.",
    "Enter BCS_MAIL, or your own profile.",
    GUIDE,
)
CONFIGURATION_EMPTY = failed(
    "CONFIGURATION_EMPTY",
    "The OAuth 2.0 client configuration is empty.",
    "Enter the name of the configuration that SOAUTH2_CLIENT shows.",
    GUIDE,
)
AREA_EMPTY = failed(
    "AREA_EMPTY",
    "The node has no address area, so SAPconnect finds no way for any address.",
    "SCOT > node > Internet > Set: address area *.",
    SMTP_NODE,
)
AREA_NARROW = failed(
    "AREA_NARROW",
    "The address area is {found}: mail to other addresses has no way.",
    "SCOT > node > Internet > Set: address area *.",
    SMTP_NODE,
)
LEGACY_NODE_NOT_MODIFIED = failed(
    "LEGACY_NODE_NOT_MODIFIED",
    "Modify legacy SMTP node is off, so SCOT keeps what it had.",
    "Set the checkbox and save; or show the node in SCOT with the same values.",
    GUIDE,
)
NODE_NOT_IN_USE = failed(
    "NODE_NOT_IN_USE", "The node is not in use.", "Set Node in use.", SMTP_NODE
)
LOGON_DATA_LEFT = failed(
    "LOGON_DATA_LEFT",
    "Logon data of an earlier SMTP AUTH setting is still there.",
    "Delete it with the button under the node's security settings.",
    GUIDE,
)
AREA_NOT_SHOWN = warned(
    "AREA_NOT_SHOWN",
    "The address area is not shown.",
    "Add the line `address_area: …` as SCOT shows it.",
    INFERENCE,
)

_TLS = {
    "mandatory": ("mandatory", "must", "required", "2", "tls mandatory"),
    "if possible": ("if possible", "use tls if possible", "optional", "1"),
}


def read_node(text: str, place: str) -> Form:
    """Read the form of one of the two screens."""
    return read_form(text, LABELS, place)


def judge_node(form: Form, wanted: WantedNode) -> list[Finding]:
    """Judge the node's form against what the option needs."""
    if nothing := empty(form):
        return nothing
    findings = [
        *form.repeated,
        *_host(form, wanted),
        *_port(form, wanted),
        *_tls(form, wanted),
        *_area(form),
    ]
    if is_on(form.get("node_in_use")) is False:
        findings.append(form.at("node_in_use", NODE_NOT_IN_USE))
    if wanted.mailbox is None:
        return [*findings, *_anonymous(form)]
    return [*findings, *_oauth(form, wanted.mailbox)]


def _host(form: Form, wanted: WantedNode) -> list[Finding]:
    field = form.get("mail_host")
    if field is None:
        return form.absent(["mail_host"])
    if field.plain == wanted.host.casefold():
        return [form.at("mail_host", HOST_RIGHT, host=wanted.host)]
    rule = HOST_IS_IP if _is_ip(field.plain) else HOST_OTHER
    found = field.value or "empty"
    return [form.at("mail_host", rule, host=wanted.host, found=found)]


def _is_ip(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _port(form: Form, wanted: WantedNode) -> list[Finding]:
    field = form.get("mail_port")
    if field is None:
        return form.absent(["mail_port"])
    if field.plain == str(wanted.port):
        return []
    values = {"found": field.value or "empty", "host": wanted.host, "port": wanted.port}
    return [form.at("mail_port", PORT_OTHER, **values)]


def _tls(form: Form, wanted: WantedNode) -> list[Finding]:
    field = form.get("tls")
    if field is None:
        return form.absent(["tls"])
    said = re.sub(r"^(use )?(starttls|tls)\s*", "", field.plain)
    found = [n for n, words in _TLS.items() if {said, field.plain} & set(words)]
    if found and found[0] in wanted.tls:
        return []
    rule = TLS_NOT_MANDATORY if len(wanted.tls) == 1 else TLS_OFF
    return [form.at("tls", rule, found=field.value or "empty")]


def _area(form: Form) -> list[Finding]:
    field = form.get("address_area")
    if field is None:
        return [AREA_NOT_SHOWN.missing("field address_area", form.place)]
    if field.plain in {"", "-", "none", "(empty)"}:
        return [form.at("address_area", AREA_EMPTY)]
    if field.plain != "*":
        return [form.at("address_area", AREA_NARROW, found=field.value)]
    return []


def _oauth(form: Form, mailbox: str) -> list[Finding]:
    findings = form.absent(["auth_method", "client_profile", "client_user"])
    method = form.get("auth_method")
    if method and re.sub(r"[\s.]", "", method.plain) not in {"oauth2", "oauth20"}:
        found = method.value or "empty"
        findings.append(form.at("auth_method", AUTH_OTHER, found=found))
    profile = form.get("client_profile")
    if profile and not profile.plain:
        findings.append(form.at("client_profile", PROFILE_EMPTY))
    configuration = form.get("client_configuration")
    if configuration and not configuration.plain:
        findings.append(form.at("client_configuration", CONFIGURATION_EMPTY))
    findings += judge_client_user(form, "client_user", mailbox)
    return [*findings, *_anonymous(form)]


def _anonymous(form: Form) -> list[Finding]:
    """Return a finding where logon data of an earlier setting is left."""
    field = form.get("logon_user")
    if field is None or is_on(field) is False or field.plain in {"deleted", "empty"}:
        return []
    return [form.at("logon_user", LOGON_DATA_LEFT)]


def judge_configuration(
    sbcs: Form | None, scot: Form | None, wanted: WantedNode
) -> list[Finding]:
    """Judge both screens together: one with the checkbox, or SCOT itself."""
    findings = [f for form in (sbcs, scot) if form for f in judge_node(form, wanted)]
    if sbcs is not None and scot is None:
        modify = is_on(sbcs.get("modify_legacy_node"))
        if modify is False:
            findings.append(sbcs.at("modify_legacy_node", LEGACY_NODE_NOT_MODIFIED))
        if modify is None:
            findings += Form(sbcs.place, {}).absent(["modify_legacy_node"])
    return findings

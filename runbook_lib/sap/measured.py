"""What services of an SAP system show, in the form in which people hand it in.

So the same rules judge both, and a finding cites a line of either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbook_lib.clients.btp_communication import Arrangement, CommunicationSystem
from runbook_lib.clients.sapcontrol import Component
from runbook_lib.sap.parameter import profile_parameters
from runbook_lib.sap.profile import Profile, judge_parameters

SAPCONTROL = "sapcontrol"
ODATA = "OData (SAP_COM_0A48)"
PARAMETER_VALUE = "sapcontrol ParameterValue"
COMPONENT_LIST = "sapcontrol ABAPGetComponentList"
ARRANGEMENT_READ = "communication management by OData"

_METHODS = {
    "oauth2": "OAuth 2.0",
    "oauth2_mtls": "OAuth 2.0 (mTLS)",
    "basic": "User ID and Password",
    "x509": "SSL Client Certificate",
    "none": "None",
}
_CLIENT_METHODS = {"jwt": "JWT", "basic": "Basic", "mtls": "mTLS", "none": "None"}


def one_line(text: str) -> str:
    """Return a text without what would begin another line or field."""
    return " ".join(text.split())


def parameter_lines(values: Mapping[str, str]) -> str:
    """Return parameters and the values that the running instance has."""
    return "\n".join(f"{name} = {one_line(value)}" for name, value in values.items())


def judge_measured_parameters(text: str, where: str) -> Profile:
    """Judge parameters of the running instance; `where` says what was asked for."""
    parameters = profile_parameters(text, PARAMETER_VALUE)
    return judge_parameters(parameters, where, whole=False)


def component_lines(components: Sequence[Component]) -> str:
    """Return components with release and level, as table CVERS has them."""
    rows = (f"{one.name}|{one.release}|{one.level}" for one in components)
    return "\n".join(one_line(row) for row in rows)


def arrangement_form(arrangement: Arrangement) -> str:
    """Return an arrangement as the typed form; what is not shown has no line."""
    fields: dict[str, str | None] = {
        "scenario": arrangement.scenario,
        **_system(arrangement.system),
        **_user(arrangement),
        "oauth_user": _oauth_user(arrangement.properties),
        "additional_scope": _scopes(arrangement.scopes),
    }
    return "\n".join(
        f"{name}: {one_line(value)}"
        for name, value in fields.items()
        if value is not None
    )


def _system(system: CommunicationSystem | None) -> dict[str, str | None]:
    if system is None:
        return {}
    connector = {True: "on", False: "off", None: None}[system.cloud_connector]
    return {
        "host_name": system.host,
        "port": system.port,
        "cloud_connector": connector,
        "token_endpoint": system.token_endpoint,
    }


def _user(arrangement: Arrangement) -> dict[str, str | None]:
    user = arrangement.outbound_user
    if user is None:
        return {}
    method, client = user.method, user.client_authentication
    return {
        "authentication_method": method and _METHODS.get(method, method),
        "client_id": user.client_id,
        "client_authentication": client and _CLIENT_METHODS.get(client, client),
    }


def _scopes(scopes: tuple[str, ...] | None) -> str | None:
    return None if scopes is None else " ".join(scopes)


def _oauth_user(properties: Mapping[str, str] | None) -> str | None:
    """Return the property whose technical name says so; none is documented."""
    if properties is None:
        return None
    named = {
        "".join(filter(str.isalnum, n)).casefold(): v for n, v in properties.items()
    }
    found = [v for n, v in named.items() if "oauth" in n and n.endswith("user")]
    return found[0] if len(found) == 1 else None

"""What can be wrong with a SAP system, by name; for tests, behind its back.

Each condition changes what the start service or communication management shows, as
the mistake would: nothing here is an answer of its own.

Source: SAP Help for the parameters; the lines of traces have the form of published
ones, with other hosts.
"""

from collections.abc import Callable
from typing import Any

from runbook_lib.sandbox.btp_communication_types import ARRANGEMENTS, SERVICES, SYSTEMS
from runbook_lib.sandbox.sap_system import SapSide
from runbook_lib.sandbox.seed_sap import new_side, sap_side
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

SMTP_PORT = "icm/server_port_1"

UNTRUSTED = (
    "[Thr 140112] *** ERROR => SSL handshake with smtp.office365.com:587 failed:"
    " SSSLERR_PEER_CERT_UNTRUSTED (-102)",
    "[Thr 140112] The peer's X.509 Certificate (chain) is untrusted",
    "[Thr 140112]    SignerCert:",
    "[Thr 140112]     Subject:  CN=DigiCert Global Root G2, OU=www.digicert.com,"
    " O=DigiCert Inc, C=US",
)
UNKNOWN_HOST = (
    "[Thr 140112] *** ERROR => NiHLGetNodeAddr: NiPGetHostByName failed (rc=-1)",
    "[Thr 140112] *** WARNING => Connection request from (5/211/0) to host:"
    " smtp.office365.con, service: 587 failed (NIEHOST_UNKNOWN)",
)
REFUSED = (
    "[Thr 140112] *** WARNING => Connection request from (5/211/0) to host:"
    " smtp.office365.com, service: 587 failed (NIECONN_REFUSED)",
)

Change = Callable[[SapSide], None]


def _parameter(name: str, value: str | None) -> Change:
    """Return what sets a parameter, null for not set."""

    def change(side: SapSide) -> None:
        side.instance.parameters.pop(name, None)
        if value is not None:
            side.instance.parameters[name] = value

    return change


def _traced(lines: tuple[str, ...]) -> Change:
    """Return what adds lines to the trace of ICM."""
    return lambda side: side.instance.traces["dev_icm"].extend(lines)


def _released(component: str, release: str) -> Change:
    """Return what leaves one component only, of this release."""

    def change(side: SapSide) -> None:
        first = side.instance.components[0]
        side.instance.components = [
            {**first, "component": component, "release": release}
        ]

    return change


def _stopped(side: SapSide) -> None:
    """Stop the ABAP stack."""
    side.instance.running = False


def _emptied(service: str, name: str) -> Change:
    """Return what empties an entity set."""
    return lambda side: side.communication[service][name].clear()


def _entity(service: str, name: str, **properties: Any) -> Change:
    """Return what changes the entities of a set."""

    def change(side: SapSide) -> None:
        for entity in side.communication[service][name]:
            entity.update(properties)

    return change


def _with_scheme(side: SapSide) -> None:
    """Put the scheme before the token endpoint, where it does not belong."""
    for system in side.communication[SYSTEMS]["CommunicationSystems"]:
        system["OAuth2TokenEndpoint"] = f"https://{system['OAuth2TokenEndpoint']}"


CONDITIONS: dict[str, Change] = {
    "smtp-parameter-missing": _parameter(SMTP_PORT, None),
    "inbound-tls-off": _parameter(SMTP_PORT, "PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=0"),
    "icm-not-started": _parameter("rdisp/start_icman", "false"),
    "untrusted-peer": _traced(UNTRUSTED),
    "unknown-host": _traced(UNKNOWN_HOST),
    "connection-refused": _traced(REFUSED),
    "old-release": _released("SAP_BASIS", "740"),
    "no-basis-component": _released("S4CORE", "108"),
    "stopped": _stopped,
    "no-arrangement": _emptied(ARRANGEMENTS, "CommunicationArrangements"),
    "no-additional-scope": _emptied(ARRANGEMENTS, "OutboundUserAuthScopes"),
    "other-scope": _entity(
        ARRANGEMENTS,
        "OutboundUserAuthScopes",
        AuthScope="https://graph.microsoft.com/.default",
    ),
    "no-oauth-user": _emptied(ARRANGEMENTS, "PropertyValues"),
    "other-oauth-user": _entity(ARRANGEMENTS, "PropertyValues", Value="SAPMAIL"),
    "no-outbound-user": _emptied(ARRANGEMENTS, "OutboundUsers"),
    "inactive-service": _entity(ARRANGEMENTS, "OutboundServices", Status="inactive"),
    "other-host": _entity(SYSTEMS, "CommunicationSystems", HostName="52.97.133.2"),
    "other-port": _entity(SYSTEMS, "CommunicationSystems", TCPPort=25),
    "cloud-connector": _entity(
        SYSTEMS, "CommunicationSystems", IsSAPCloudConnectorActive=True
    ),
    "token-endpoint-with-scheme": _with_scheme,
    "common-token-endpoint": _entity(
        SYSTEMS,
        "CommunicationSystems",
        OAuth2TokenEndpoint="login.microsoftonline.com/common/oauth2/v2.0/token",
    ),
    "client-secret": _entity(
        SYSTEMS, "OutboundUsers", OAuth2ClientAuthenticationMethod="basic"
    ),
    "user-and-password": _entity(
        SYSTEMS, "OutboundUsers", AuthenticationMethod="basic"
    ),
}


def set_sap_condition(sandbox: Sandbox, tenant: Tenant, *, condition: str) -> None:
    """Bring about a condition; `right` takes all of them back."""
    side = sap_side(sandbox, tenant)
    if condition == "right":
        right = new_side(sandbox, tenant)
        side.instance, side.communication = right.instance, right.communication
    else:
        CONDITIONS[condition](side)


def set_sap_parameter(
    sandbox: Sandbox, tenant: Tenant, *, name: str, value: str | None
) -> None:
    """Set a profile parameter of the instance; null for not set."""
    _parameter(name, value)(sap_side(sandbox, tenant))


def set_sap_trace(
    sandbox: Sandbox, tenant: Tenant, *, lines: list[str], name: str = "dev_icm"
) -> None:
    """Replace the lines of a developer trace."""
    sap_side(sandbox, tenant).instance.traces[name] = list(lines)


def set_communication(
    sandbox: Sandbox,
    tenant: Tenant,
    *,
    service: str,
    entity_set: str,
    properties: JsonObject,
) -> None:
    """Change properties of the entities of a set; KeyError for an unknown one."""
    unknown = set(properties) - set(SERVICES[service][entity_set].properties)
    if unknown:
        raise KeyError(min(unknown))
    _entity(service, entity_set, **properties)(sap_side(sandbox, tenant))


SAP_OPERATIONS: dict[str | None, Callable[..., Any]] = {
    "set_communication": set_communication,
    "set_sap_condition": set_sap_condition,
    "set_sap_parameter": set_sap_parameter,
    "set_sap_trace": set_sap_trace,
}

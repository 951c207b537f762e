"""Artifacts that do not agree: each may be right alone, together they cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, failed
from runbook_lib.sap.form import Form
from runbook_lib.sap.parameter_value import ParameterValue
from runbook_lib.sap.profile import Profile
from runbook_lib.sap.server_port import ServerPort
from runbook_lib.sap.services import IcmService, Services
from runbook_lib.sap.sources import GUIDE, INFERENCE, SERVER_PORT

PROFILE_NOT_ACTIVE = failed(
    "PROFILE_NOT_ACTIVE",
    "The profile defines an SMTP service (port {port}), and the running instance "
    "shows {running}: the profile was changed, the service is the old one.",
    "Activate the profile in RZ10, restart ICM or the instance, and show it again.",
    f"{SERVER_PORT} (not dynamically switchable)",
)
PORTS_DIFFER = failed(
    "PORTS_DIFFER",
    "The parameter says port {parameter}, SMICM shows port {running}.",
    "Restart ICM, or hand in profile and SMICM of the same instance.",
    SERVER_PORT,
)
SERVICE_WITHOUT_PARAMETER = failed(
    "SERVICE_WITHOUT_PARAMETER",
    "SMICM shows an SMTP service that no parameter defines: it was made by hand and is "
    "gone after a restart.",
    "Set icm/server_port_<n> in the instance profile.",
    SERVER_PORT,
)
SCREENS_DIFFER = failed(
    "SCREENS_DIFFER",
    "{field} is “{one}” in {place} and “{other}” in {elsewhere}.",
    "Save SBCS_MAIL_CONFIGSMTP with Modify legacy SMTP node, then show both again.",
    GUIDE,
)
CONFIGURATION_DIFFERS = failed(
    "CONFIGURATION_DIFFERS",
    "The mail configuration uses {one}, the OAuth 2.0 client is {other}.",
    "Name the same profile and configuration in both.",
    f"{GUIDE}; {INFERENCE}",
)

_COMMON = (
    "mail_host",
    "mail_port",
    "tls",
    "auth_method",
    "client_profile",
    "client_configuration",
    "client_user",
)


@dataclass(frozen=True)
class IcmEvidence:
    """What was handed in about ICM; None for what was not."""

    profile: Profile | None = None
    value: ParameterValue | None = None
    listed: Profile | None = None
    services: Services | None = None


def judge_icm(evidence: IcmEvidence) -> list[Finding]:
    """Compare profile, running value, parameter list and running services."""
    profile = evidence.profile
    running = _running(evidence)
    findings = []
    if profile and profile.smtp and evidence.value:
        findings += _changed(profile.smtp[0], evidence.value.service)
    if profile and profile.smtp and evidence.listed:
        findings += _changed_list(profile.smtp[0], evidence.listed)
    services = evidence.services.smtp if evidence.services else ()
    parameters = running or (list(profile.smtp) if profile else [])
    number = _number(profile) or _number(evidence.listed) or ""
    for service in services:
        findings += _service(service, parameters, number, evidence)
    return findings


def _running(evidence: IcmEvidence) -> list[ServerPort]:
    """Return the SMTP services that parameters of the running instance define."""
    found = list(evidence.listed.smtp) if evidence.listed else []
    value = evidence.value
    if value and value.service and value.service.is_smtp:
        found.append(value.service)
    return found


def _number(profile: Profile | None) -> str:
    system = profile.parameters.get("SAPSYSTEM") if profile else None
    return system.value if system else ""


def _changed(profile: ServerPort, running: ServerPort | None) -> list[Finding]:
    if running is None or running.index not in {None, profile.index}:
        return []
    if running.is_smtp and running.port == profile.port:
        return []
    shows = f"port {running.port}" if running.is_smtp else "no SMTP service"
    return [PROFILE_NOT_ACTIVE.at(running.line, port=profile.port, running=shows)]


def _changed_list(profile: ServerPort, listed: Profile) -> list[Finding]:
    same = [s for s in listed.services if s.index == profile.index]
    return _changed(profile, same[0]) if same else []


def _service(
    service: IcmService,
    parameters: Sequence[ServerPort],
    number: str,
    evidence: IcmEvidence,
) -> list[Finding]:
    """Compare one row of SMICM with the parameters, `$$` being the instance number."""
    ports = [(p.port or "").replace("$$", number or "$$") for p in parameters]
    if not parameters:
        whole = evidence.profile is not None or evidence.listed is not None
        return [SERVICE_WITHOUT_PARAMETER.at(service.line)] if whole else []
    unknown = any("$$" in port or not port.isdecimal() for port in ports)
    if unknown or service.port in ports or not service.port.isdecimal():
        return []
    says = {"parameter": ports[0], "running": service.port}
    return [PORTS_DIFFER.at(service.line, **says)]


def judge_screens(sbcs: Form | None, scot: Form | None) -> list[Finding]:
    """Compare the two screens of the mail configuration, field by field."""
    if sbcs is None or scot is None:
        return []
    findings = []
    for name in _COMMON:
        one, other = sbcs.get(name), scot.get(name)
        if one and other and one.plain != other.plain:
            finding = scot.at(
                name,
                SCREENS_DIFFER,
                field=name,
                one=one.value,
                other=other.value,
                place=sbcs.place,
                elsewhere=scot.place,
            )
            findings.append(finding)
    return findings


def judge_configuration_name(mail: Form | None, client: Form | None) -> list[Finding]:
    """Compare profile and configuration of mail with those of the OAuth 2.0 client."""
    if mail is None or client is None:
        return []
    pairs = (
        ("client_profile", "client_profile"),
        ("client_configuration", "configuration"),
    )
    findings = []
    for ours, theirs in pairs:
        one, other = mail.get(ours), client.get(theirs)
        if one and other and one.plain and one.plain != other.plain:
            values = {"one": one.value, "other": other.value}
            findings.append(mail.at(ours, CONFIGURATION_DIFFERS, **values))
    return findings

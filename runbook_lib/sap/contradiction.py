"""Artifacts that do not agree: each may be right alone, together they cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, failed
from runbook_lib.sap.form import Field, Form, is_on
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
MEASURED_DIFFERS = failed(
    "MEASURED_DIFFERS",
    "What was handed in is not what the running instance shows: {shows}.",
    "Hand it in again, from the instance that the tenant file names.",
    INFERENCE,
)
ARRANGEMENT_DIFFERS = failed(
    "ARRANGEMENT_DIFFERS",
    "{field} was handed in as “{one}”; the environment itself shows “{other}”.",
    "Look at the environment that the tenant file names, and hand in the form again.",
    INFERENCE,
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

# What both show in the same words; of methods and names the words differ.
_COMPARED = (
    "host_name",
    "port",
    "cloud_connector",
    "token_endpoint",
    "client_id",
    "oauth_user",
    "additional_scope",
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
    measured: Profile | None = None


def judge_icm(evidence: IcmEvidence) -> list[Finding]:
    """Compare profile, running value, parameter list and running services.

    `measured` are the parameters as the instance itself shows them.
    """
    profile = evidence.profile
    running = _running(evidence)
    findings = []
    if profile and profile.smtp and evidence.value:
        findings += _changed(profile.smtp[0], evidence.value.service)
    if profile and profile.smtp and evidence.listed:
        findings += _changed_list(profile.smtp[0], evidence.listed)
    if evidence.measured:
        findings += _against_measured(evidence, evidence.measured)
    services = evidence.services.smtp if evidence.services else ()
    parameters = running or (list(profile.smtp) if profile else [])
    sources = (profile, evidence.listed, evidence.measured)
    number = next((n for one in sources if (n := _number(one))), "")
    for service in services:
        findings += _service(service, parameters, number, evidence)
    return findings


def _running(evidence: IcmEvidence) -> list[ServerPort]:
    """Return the SMTP services that parameters of the running instance define."""
    lists = (evidence.listed, evidence.measured)
    found = [service for one in lists if one for service in one.smtp]
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


def _against_measured(evidence: IcmEvidence, measured: Profile) -> list[Finding]:
    """Compare what people handed in with what the instance itself shows."""
    profile, value = evidence.profile, evidence.value
    findings = []
    if profile and profile.smtp:
        findings += _not_active(profile.smtp[0], measured)
    pasted = list(evidence.listed.smtp) if evidence.listed else []
    if value and value.service and value.service.is_smtp:
        pasted.append(value.service)
    for service in pasted:
        findings += _differing(service, measured)
    return findings


def _not_active(profile: ServerPort, measured: Profile) -> list[Finding]:
    if any(service.index == profile.index for service in measured.services):
        return _changed_list(profile, measured)
    return [PROFILE_NOT_ACTIVE.at(profile.line, port=profile.port, running="nothing")]


def _differing(pasted: ServerPort, measured: Profile) -> list[Finding]:
    """Compare one parameter; a text without its name may be any SMTP service."""
    by_name = [s for s in measured.services if s.index == pasted.index]
    candidates = measured.smtp if pasted.index is None else tuple(by_name)
    number = _number(measured)
    if any(_options(one, number) == _options(pasted, number) for one in candidates):
        return []
    shows = candidates[0].line.text.strip() if candidates else "no such service"
    return [MEASURED_DIFFERS.at(pasted.line, shows=shows)]


def _options(service: ServerPort, number: str) -> dict[str, str]:
    """Return the options for comparison: case and the instance number do not count."""
    return {
        name: value.replace("$$", number or "$$").casefold()
        for name, value in service.options.items()
    }


def _service(
    service: IcmService,
    parameters: Sequence[ServerPort],
    number: str,
    evidence: IcmEvidence,
) -> list[Finding]:
    """Compare one row of SMICM with the parameters, `$$` being the instance number."""
    ports = [(p.port or "").replace("$$", number or "$$") for p in parameters]
    if not parameters:
        wholes = (evidence.profile, evidence.listed, evidence.measured)
        whole = any(one is not None for one in wholes)
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


def judge_arrangements(pasted: Form, measured: Form) -> list[Finding]:
    """Compare the form that was handed in with what the environment shows."""
    findings = []
    for name in _COMPARED:
        field, seen = pasted.get(name), measured.get(name)
        if field and seen and _bare(name, seen) != _bare(name, field):
            values = {"field": name, "one": field.value, "other": seen.value}
            findings.append(pasted.at(name, ARRANGEMENT_DIFFERS, **values))
    return findings


def _bare(name: str, field: Field) -> object:
    """Return a value for comparison: a checkbox by its state, others as text."""
    if name == "cloud_connector":
        return is_on(field)
    plain = " ".join(field.plain.split())
    return plain.removeprefix("https://") if name == "token_endpoint" else plain


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

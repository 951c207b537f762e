"""Instance profile and DEFAULT.PFL: is there an SMTP service, and is it right?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, failed, passed, warned
from runbook_lib.sap.parameter import (
    SERVER_PORT_NAME,
    Parameter,
    effective,
    profile_parameters,
    repeated,
    spelling,
)
from runbook_lib.sap.server_port import ServerPort, judge_server_port, read_server_port
from runbook_lib.sap.sources import QUICK_GUIDE, SERVER_PORT, SNOTE_510007

INSTANCE = "instance profile"
DEFAULT = "DEFAULT.PFL"

SMTP_SERVICE_DEFINED = passed(
    "SMTP_SERVICE_DEFINED", "ICM has an SMTP service, {name}.", SERVER_PORT
)
SMTP_SERVICE_ABSENT = failed(
    "SMTP_SERVICE_ABSENT",
    "No parameter icm/server_port_<n> defines an SMTP service.",
    "Add icm/server_port_{index} = PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1.",
    SERVER_PORT,
)
INDEX_GAP = warned(
    "INDEX_GAP",
    "{name} is used, and a lower index is not; kernels up to 7.3x want them "
    "without a gap.",
    "On such a kernel use the next free index.",
    SERVER_PORT,
)
PORT_CONFLICT = failed(
    "PORT_CONFLICT",
    "Port {port} is also the port of {other}; one of the services does not start.",
    "Give each service its own port.",
    SERVER_PORT,
)
ICM_NOT_STARTED = failed(
    "ICM_NOT_STARTED",
    "rdisp/start_icman is {value}: ICM is not started at all.",
    "Set rdisp/start_icman = true.",
    QUICK_GUIDE,
)
CIPHER_WEAK = warned(
    "CIPHER_WEAK",
    "{name} = {value} is not a value that offers TLS 1.2 with forward secrecy.",
    "Set 150:PFS:HIGH::EC_X25519:EC_P256:EC_HIGH, or as SAP Note 510007 says.",
    SNOTE_510007,
)
VIRT_HOST_PORT = warned(
    "VIRT_HOST_PORT",
    "{name} names the port {port}, which no SMTP service has. It concerns mail "
    "that comes in only.",
    "Name the port of the SMTP service, or drop the parameter.",
    QUICK_GUIDE,
)

_CIPHERS = re.compile(r"(?:150|562|1174)(?::.*)?|.*(?:PFS|eAES_GCM).*")
_CIPHER_NAMES = ("ssl/client_ciphersuites", "SAPSSL_CLIENT_CIPHERSUITES")


@dataclass(frozen=True)
class Profile:
    """What profiles say: the parameters that count, the services, the findings."""

    parameters: Mapping[str, Parameter]
    services: tuple[ServerPort, ...]
    findings: tuple[Finding, ...]

    @property
    def smtp(self) -> tuple[ServerPort, ...]:
        """Return the SMTP services."""
        return tuple(service for service in self.services if service.is_smtp)


def judge_profile(instance: str, default: str = "") -> Profile:
    """Judge an instance profile; what it does not say is taken from DEFAULT.PFL."""
    parameters = [
        *profile_parameters(default, DEFAULT),
        *profile_parameters(instance, INSTANCE),
    ]
    where = f"{INSTANCE} and {DEFAULT}" if default else INSTANCE
    return judge_parameters(parameters, where)


def judge_parameters(
    parameters: Sequence[Parameter], where: str, *, whole: bool = True
) -> Profile:
    """Judge parameters, from whatever artifact; `where` names it in findings.

    `whole` is false for a list that may be an excerpt: a gap means nothing there.
    """
    counting = effective(parameters)
    misspelt = [found for one in counting.values() if (found := spelling(one))]
    services = tuple(sorted(_services(counting), key=lambda s: s.index or 0))
    judged = [
        finding
        for service in services
        for finding in judge_server_port(_value(counting, service), service)
    ]
    stray = [finding for one in counting.values() for finding in _meant(one)]
    findings = [
        *repeated(parameters),
        *misspelt,
        *judged,
        *stray,
        *_presence(services, where),
        *(_gaps(services) if whole else []),
        *_conflicts(services, counting),
        *_surroundings(counting, services),
    ]
    return Profile(counting, services, tuple(findings))


def next_free_index(services: Sequence[ServerPort]) -> int:
    """Return the lowest index that no service uses; never one that is taken."""
    taken = {service.index for service in services}
    return next(n for n in range(len(taken) + 1) if n not in taken)


def _services(counting: Mapping[str, Parameter]) -> list[ServerPort]:
    found = []
    for name, parameter in counting.items():
        match = SERVER_PORT_NAME.fullmatch(name)
        if match and spelling(parameter) is None and parameter.value:
            index = int(match[1])
            found.append(read_server_port(parameter.value, parameter.line, index))
    return found


def _meant(parameter: Parameter) -> list[Finding]:
    """Judge the value of a misspelt parameter too, so that all is said at once."""
    if spelling(parameter) is None:
        return []
    service = read_server_port(parameter.value, parameter.line, None)
    return judge_server_port(parameter.value, service)


def _value(counting: Mapping[str, Parameter], service: ServerPort) -> str:
    return counting[f"icm/server_port_{service.index}"].value


def _presence(services: Sequence[ServerPort], where: str) -> list[Finding]:
    smtp = [service for service in services if service.is_smtp]
    if not smtp:
        index = next_free_index(services)
        return [
            SMTP_SERVICE_ABSENT.missing(
                "icm/server_port_<n> with PROT=SMTP", where, index=index
            )
        ]
    return [
        SMTP_SERVICE_DEFINED.at(s.line, name=f"icm/server_port_{s.index}")
        for s in smtp
        if s.port
    ]


def _gaps(services: Sequence[ServerPort]) -> list[Finding]:
    free = next_free_index(services)
    return [
        INDEX_GAP.at(s.line, name=f"icm/server_port_{s.index}")
        for s in services
        if s.is_smtp and s.index is not None and s.index > free
    ]


def _conflicts(
    services: Sequence[ServerPort], counting: Mapping[str, Parameter]
) -> list[Finding]:
    number = counting["SAPSYSTEM"].value if "SAPSYSTEM" in counting else "$$"
    findings = []
    for smtp in (s for s in services if s.is_smtp and _listens(s)):
        for other in services:
            if other is not smtp and _same_port(smtp, other, number):
                name = f"icm/server_port_{other.index}"
                findings.append(PORT_CONFLICT.at(smtp.line, port=smtp.port, other=name))
    return findings


def _listens(service: ServerPort) -> bool:
    return service.port not in {None, "", "0"}


def _same_port(one: ServerPort, other: ServerPort, number: str) -> bool:
    hosts = {one.options.get("HOST"), other.options.get("HOST")}
    ports = {(s.port or "").replace("$$", number) for s in (one, other)}
    return len(ports) == 1 and (None in hosts or len(hosts) == 1)


def _surroundings(
    counting: Mapping[str, Parameter], services: Sequence[ServerPort]
) -> list[Finding]:
    findings = []
    start = counting.get("rdisp/start_icman")
    if start and start.value.casefold() not in {"true", "1", "yes", "on"}:
        findings.append(ICM_NOT_STARTED.at(start.line, value=start.value or "empty"))
    for name in _CIPHER_NAMES:
        suites = counting.get(name)
        if suites and not _CIPHERS.fullmatch(suites.value):
            findings.append(CIPHER_WEAK.at(suites.line, name=name, value=suites.value))
    return [*findings, *_virtual_hosts(counting, services)]


def _virtual_hosts(
    counting: Mapping[str, Parameter], services: Sequence[ServerPort]
) -> list[Finding]:
    ports = {s.port for s in services if s.is_smtp and _listens(s)}
    findings = []
    for name, parameter in counting.items():
        named = set(re.findall(r"(?<=[:,])\d+", parameter.value))
        strange = sorted(named - ports) if name.startswith("is/SMTP/virt_host") else []
        if strange and ports:
            finding = VIRT_HOST_PORT.at(parameter.line, name=name, port=strange[0])
            findings.append(finding)
    return findings

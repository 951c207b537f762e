"""The effective value of one parameter: RZ11, sapcontrol, sappfpar."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, Line, failed, passed, unclear
from runbook_lib.sap.parameter import SERVER_PORT_NAME, Parameter, spelling
from runbook_lib.sap.pasted import filled, same_words
from runbook_lib.sap.server_port import ServerPort, judge_server_port, read_server_port
from runbook_lib.sap.sources import INFERENCE, KERNEL_VALUES, SERVER_PORT

RZ11 = "RZ11 or sapcontrol ParameterValue"

VALUE_RUNNING = passed(
    "VALUE_RUNNING", "The running instance has an SMTP service.", SERVER_PORT
)
RESTART_PENDING = failed(
    "RESTART_PENDING",
    "The profile says {profile}, the running instance {running}.",
    "Activate the profile in RZ10, restart ICM or the instance as your policy says, "
    "and show RZ11 again.",
    f"{SERVER_PORT} (not dynamically switchable); {INFERENCE}",
)
VALUE_NOT_SMTP = failed(
    "VALUE_NOT_SMTP",
    "The running value is {value}, which is no SMTP service.",
    "Show the parameter that has PROT=SMTP, or add it with the next free index.",
    SERVER_PORT,
)
PARAMETER_UNKNOWN = failed(
    "PARAMETER_UNKNOWN",
    "SAP does not know the parameter that was asked for.",
    "Ask for icm/server_port_<n>, with underscores; the guide prints a hyphen.",
    SERVER_PORT,
)
NO_PROFILE_READ = unclear(
    "NO_PROFILE_READ",
    "sappfpar read no profile, so its values say nothing about the instance.",
    "Give the full path: sappfpar icm/server_port_1 pf=/usr/sap/<SID>/SYS/profile/…",
    KERNEL_VALUES,
)
VALUE_NOT_SHOWN = unclear(
    "VALUE_NOT_SHOWN",
    "The text does not show the value of an icm/server_port parameter.",
    "Copy the whole screen of RZ11, or the whole output of sapcontrol.",
    INFERENCE,
)

_LABELS = {
    "name": ("parameter name", "parametername", "metadata for parameter"),
    "profile": ("instance profile", "instanzprofil"),
    "running": ("current value", "aktueller wert"),
}
_ANSWER = re.compile(r"(?:0\s*:\s*)?(PROT\s*=.*|NOT_EXIST)")


@dataclass(frozen=True)
class ParameterValue:
    """One parameter as it runs: its name where shown, the service, the findings."""

    name: str | None
    service: ServerPort | None
    findings: tuple[Finding, ...]


def judge_parameter_value(text: str) -> ParameterValue:
    """Judge pasted output that shows the value of one parameter."""
    found = filled(text, RZ11)
    for line in found:
        if "<no_profile>" in line.text:
            return ParameterValue(None, None, (NO_PROFILE_READ.at(line),))
        if re.match(r"\s*FAIL\b", line.text):
            return ParameterValue(None, None, (PARAMETER_UNKNOWN.at(line),))
    seen = _screen(found)
    if "running" in seen:
        return _rz11(seen)
    return _answer(found)


def _screen(found: Sequence[Line]) -> dict[str, tuple[str, Line]]:
    """Return the labelled values of RZ11, by our names."""
    seen: dict[str, tuple[str, Line]] = {}
    for line in found:
        for name, labels in _LABELS.items():
            value = _labelled(line.text, labels)
            if value is not None and not (name == "name" and name in seen):
                seen[name] = (value, line)
    return seen


def _labelled(text: str, labels: Sequence[str]) -> str | None:
    """Return what follows a label; None where the line begins with none."""
    words = text.split()
    for label in labels:
        length = len(label.split())
        if same_words(" ".join(words[:length])) == label:
            return " ".join(words[length:]).lstrip(": ")
    return None


def _rz11(seen: dict[str, tuple[str, Line]]) -> ParameterValue:
    running, line = seen["running"]
    name, name_line = seen.get("name", ("", line))
    findings = []
    if misspelt := spelling(Parameter(name, running, name_line)):
        findings.append(misspelt)
    profile, _ = seen.get("profile", (running, line))
    if _options(profile) != _options(running) and profile:
        says = {"profile": profile, "running": running or "nothing"}
        findings.append(RESTART_PENDING.at(line, **says))
    return _judged(name or None, running, line, findings)


def _answer(found: Sequence[Line]) -> ParameterValue:
    """Read the answer of sapcontrol or sappfpar: the line with the value."""
    for line in found:
        if match := _ANSWER.fullmatch(line.text.strip()):
            return _judged(None, match[1], line, [])
    finding = VALUE_NOT_SHOWN.missing("value such as PROT=SMTP,PORT=…", RZ11)
    return ParameterValue(None, None, (finding,))


def _judged(
    name: str | None, running: str, line: Line, findings: list[Finding]
) -> ParameterValue:
    match = SERVER_PORT_NAME.fullmatch(name or "")
    service = read_server_port(running, line, int(match[1]) if match else None)
    if not service.is_smtp:
        wrong = VALUE_NOT_SMTP.at(line, value=running or "empty")
        also = judge_server_port(running, service)
        return ParameterValue(name, service, (*findings, wrong, *also))
    judged = judge_server_port(running, service)
    return ParameterValue(name, service, (*findings, VALUE_RUNNING.at(line), *judged))


def _options(value: str) -> frozenset[str]:
    """Return the options of a value; order, spaces and case do not count."""
    return frozenset("".join(part.split()).upper() for part in value.split(","))

"""The value of `icm/server_port_<n>`: PROT=SMTP,PORT=…,TIMEOUT=…,TLS=…"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, Line, failed, passed, warned
from runbook_lib.sap.sources import GUIDE, INBOUND_TLS, QUICK_GUIDE, SERVER_PORT

KNOWN_OPTIONS = frozenset(
    {
        *("PROT", "PORT", "TIMEOUT", "PROCTIMEOUT", "EXTBIND", "HOST", "SSLCONFIG"),
        *("VCLIENT", "ACLFILE", "TLS", "AUTHMECHANISMS", "AUTHUSERS", "URL"),
        *("MIN_RECEIVE_RATE", "CHECK_RECEIVE_RATE_AFTER", "MAX_RECEIVE_TIMEOUT"),
    }
)
_PORT = re.compile(r"\d{1,5}(\$\$)?|[A-Za-z][\w-]*", re.ASCII)
TIMEOUTS = range(10, 32001)
TARGET_PORTS = ("25", "465", "587")

PROT_INVALID = failed(
    "PROT_INVALID",
    "PROT={prot} is not a protocol of ICM.",
    "Write PROT=SMTP; encryption to Exchange Online is set in the SMTP node.",
    SERVER_PORT,
)
PORT_MISSING = failed(
    "PORT_MISSING",
    "The SMTP service has no PORT, which is mandatory.",
    "Add PORT=25000, or PORT=0 where the system receives no mail.",
    SERVER_PORT,
)
PORT_INVALID = failed(
    "PORT_INVALID",
    "PORT={port} is neither a port number nor a service name.",
    "Write PORT=25000, or PORT=0 where the system receives no mail.",
    SERVER_PORT,
)
SEP_SEMICOLON = failed(
    "SEP_SEMICOLON",
    "The options are parted by semicolons.",
    "Part them by commas.",
    SERVER_PORT,
)
OPTION_SPACED = failed(
    "OPTION_SPACED",
    "There is a space beside an equals sign inside the value.",
    "Write {option} without spaces around the equals sign.",
    SERVER_PORT,
)
VALUE_QUOTED = failed(
    "VALUE_QUOTED",
    "The value stands in quotation marks.",
    "Write it without them.",
    SERVER_PORT,
)
OPTION_UNKNOWN = warned(
    "OPTION_UNKNOWN",
    "The option {option} is not one that SAP documents.",
    "Check its spelling.",
    SERVER_PORT,
)
TLS_INVALID = failed(
    "TLS_INVALID",
    "TLS={tls} is not one of 0, 1 and 2.",
    "Write TLS=1 as the guide does.",
    INBOUND_TLS,
)
TLS_0 = warned(
    "TLS_0",
    "TLS is {tls}, where the guide has 1. It concerns mail that comes in only; "
    "the way to Exchange Online is encrypted by the setting of the SMTP node.",
    "Write TLS=1, or TLS=2 where the listener is used.",
    f"{GUIDE}; {INBOUND_TLS}",
)
TIMEOUT_RANGE = warned(
    "TIMEOUT_RANGE",
    "TIMEOUT={timeout} is outside 10 to 32000 seconds.",
    "Write TIMEOUT=180 as the guide does.",
    SERVER_PORT,
)
TARGET_PORT = warned(
    "TARGET_PORT",
    "PORT={port} is SAP's own port for mail that comes in, not the port of "
    "Exchange Online.",
    "Write PORT=25000 (or 0) here; port 587 belongs into the SMTP node.",
    SERVER_PORT,
)
EXTBIND_NEEDED = warned(
    "EXTBIND_NEEDED",
    "On UNIX a port below 1024 needs EXTBIND=1.",
    "Use PORT=25000, or add EXTBIND=1.",
    SERVER_PORT,
)
SEND_ONLY = passed(
    "SEND_ONLY",
    "PORT=0: the system sends mail and opens no port for mail to come in.",
    QUICK_GUIDE,
)


@dataclass(frozen=True)
class ServerPort:
    """One service of ICM as a parameter defines it; option names in capitals."""

    index: int | None
    options: Mapping[str, str]
    line: Line

    @property
    def protocol(self) -> str:
        """Return PROT in capitals, or an empty text."""
        return self.options.get("PROT", "").upper()

    @property
    def port(self) -> str | None:
        """Return PORT as it is written, or None."""
        return self.options.get("PORT")

    @property
    def is_smtp(self) -> bool:
        """Tell whether this is meant to be the SMTP service, malformed or not."""
        return re.match(r"SMTP(?!S)", self.protocol) is not None


def read_server_port(value: str, line: Line, index: int | None) -> ServerPort:
    """Read a value; what has no equals sign is left out."""
    options = {}
    for part in value.strip().strip("\"'").split(","):
        name, equals, given = part.partition("=")
        if equals:
            options[name.strip().upper()] = given.strip()
    return ServerPort(index, options, line)


def judge_server_port(value: str, service: ServerPort) -> list[Finding]:
    """Judge the value of one SMTP service, or of what was meant to be one."""
    if not value.strip():
        return []
    wrong_protocol = "SMTP" in service.protocol and not service.is_smtp
    if not service.is_smtp and not wrong_protocol:
        return []
    findings = _form(value, service.line)
    if wrong_protocol:
        findings.append(PROT_INVALID.at(service.line, prot=service.protocol))
    return [*findings, *_port(service), *_tls(service), *_others(service)]


def _form(value: str, line: Line) -> list[Finding]:
    findings = []
    if value.strip()[:1] in {'"', "'"}:
        findings.append(VALUE_QUOTED.at(line))
    spaced = re.search(r"\w+(?: +=|= +)(?! *,)", value)
    if spaced:
        option = spaced[0].replace(" ", "")
        findings.append(OPTION_SPACED.at(line, option=option))
    if re.search(r"PROT *=[^,]*;", value, re.IGNORECASE):
        findings.append(SEP_SEMICOLON.at(line))
    return findings


def _port(service: ServerPort) -> list[Finding]:
    port, line = service.port, service.line
    if not port:
        return [PORT_MISSING.at(line)]
    if not _valid_port(port):
        return [PORT_INVALID.at(line, port=port)]
    if port == "0":
        return [SEND_ONLY.at(line)]
    if port in TARGET_PORTS:
        return [TARGET_PORT.at(line, port=port)]
    low = port.isdecimal() and int(port) < 1024
    if low and service.options.get("EXTBIND") != "1":
        return [EXTBIND_NEEDED.at(line)]
    return []


def _valid_port(port: str) -> bool:
    return bool(_PORT.fullmatch(port)) and (not port.isdecimal() or int(port) <= 65535)


def _tls(service: ServerPort) -> list[Finding]:
    tls = service.options.get("TLS")
    if ";" in service.protocol:
        return []
    if tls is not None and tls not in {"0", "1", "2"}:
        return [TLS_INVALID.at(service.line, tls=tls)]
    if tls in {None, "0"}:
        return [TLS_0.at(service.line, tls=tls or "not set")]
    return []


def _others(service: ServerPort) -> list[Finding]:
    unknown = [name for name in service.options if name not in KNOWN_OPTIONS]
    findings = [OPTION_UNKNOWN.at(service.line, option=name) for name in unknown]
    timeout = service.options.get("TIMEOUT")
    if timeout is not None and not _in_range(timeout):
        findings.append(TIMEOUT_RANGE.at(service.line, timeout=timeout))
    return findings


def _in_range(timeout: str) -> bool:
    digits = timeout.isascii() and timeout.isdecimal() and len(timeout) < 9
    return digits and int(timeout) in TIMEOUTS

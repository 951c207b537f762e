"""telnet, niping and openssl from the SAP host: the way to the mail host is open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from runbook_lib.sap.endpoint import pasted
from runbook_lib.sap.finding import Finding, Line, Rule, failed, passed, unclear, warned
from runbook_lib.sap.pasted import cleaned, filled
from runbook_lib.sap.sources import DIGICERT, GUIDE, INFERENCE, NI_ERRORS, SMTP_NODE

OUTPUT = "output of telnet, niping or openssl"

CONNECTED = passed("CONNECTED", "The SAP host reaches the mail host.", GUIDE)
NOT_CONNECTED = failed(
    "NOT_CONNECTED",
    "The SAP host does not reach the mail host.",
    "Open the TCP port in the firewall for every application server.",
    f"{GUIDE}; {NI_ERRORS}",
)
NOT_RESOLVED = failed(
    "NOT_RESOLVED",
    "The SAP host cannot resolve the name of the mail host.",
    "Let the SAP host resolve names of the internet; do not use an IP address.",
    GUIDE,
)
OTHER_TARGET = failed(
    "OTHER_TARGET",
    "The output is about {target}, not about {host} port {port}.",
    "Run the command for {host} and port {port}.",
    GUIDE,
)
PING_ONLY = unclear(
    "PING_ONLY",
    "An ICMP ping says nothing about a TCP port.",
    "Run telnet, niping or openssl s_client for the port.",
    INFERENCE,
)
CERTIFICATE_UNTRUSTED = warned(
    "CERTIFICATE_UNTRUSTED",
    "openssl on this host does not trust the certificate. SAP has its own list, in "
    "STRUST.",
    "Find out whether something on the way terminates TLS; compare the issuer.",
    DIGICERT,
)
STARTTLS_NOT_SHOWN = warned(
    "STARTTLS_NOT_SHOWN",
    "The output does not show that STARTTLS is offered.",
    "Type EHLO after the greeting, or use openssl s_client -starttls smtp.",
    SMTP_NODE,
)
CONNECTION_NOT_SHOWN = unclear(
    "CONNECTION_NOT_SHOWN",
    "The text does not show whether the connection was made.",
    "Copy command and output together.",
    INFERENCE,
)

_TARGET = re.compile(
    r"(?i)\b(?:telnet|nc(?: -\S+)*)\s+(?P<host>[\w.-]+)\s+(?P<port>\d+)"
    r"|-connect\s+(?P<host2>[\w.-]+):(?P<port2>\d+)"
    r"|-H\s+(?P<host3>[\w.-]+)(?:\s+-S\s+(?P<port3>\d+))?"
)
_CONNECTED = (
    r"(?i)^connected to |^220[ -]|CONNECTED\(|connect to server .*\bo\.?k\b|"
    r"TcpTestSucceeded *: *True"
)
_REFUSED = (
    r"(?i)refused|timed out|NIETIMEOUT|no route|unreachable|could not open|"
    r"TcpTestSucceeded *: *False"
)
_UNKNOWN = (
    r"(?i)NXDOMAIN|NIEHOST_UNKNOWN|not known|could not resolve|can't find|"
    r"failure in name resolution|no servers could"
)
_BAD_CERTIFICATE = r"Verify return code: [1-9]"
_PING = re.compile(r"(?i)\bicmp_seq=|\bbytes from\b|\bTTL=\d+")


def judge_connection(
    text: str, *, host: str, port: int = 587, starttls: bool = True
) -> tuple[Finding, ...]:
    """Judge pasted output about `host` and `port`."""
    found = filled(text, OUTPUT)
    wrong = _other_target(found, host, port)
    if wrong:
        return (wrong,)
    seen = pasted(cleaned(text)).properties
    if seen.get("resolves") is False:
        return (NOT_RESOLVED.at(_line(found, _UNKNOWN)),)
    if seen.get("connects") is False:
        return (NOT_CONNECTED.at(_line(found, _REFUSED)),)
    if seen.get("connects") is not True:
        return (_unclear(found),)
    return (CONNECTED.at(_line(found, _CONNECTED)), *_tls(found, seen, starttls))


def _other_target(found: Sequence[Line], host: str, port: int) -> Finding | None:
    for line in found:
        for match in _TARGET.finditer(line.text):
            groups: Mapping[str, str | None] = match.groupdict()
            name = groups["host"] or groups["host2"] or groups["host3"] or ""
            number = groups["port"] or groups["port2"] or groups["port3"]
            if name.casefold() != host or (number and number != str(port)):
                target = f"{name} port {number}" if number else name
                return OTHER_TARGET.at(line, target=target, host=host, port=port)
    return None


def _unclear(found: Sequence[Line]) -> Finding:
    for line in found:
        if _PING.search(line.text):
            return PING_ONLY.at(line)
    return CONNECTION_NOT_SHOWN.missing("sign of a connection", OUTPUT)


def _tls(
    found: Sequence[Line], seen: Mapping[str, object], starttls: bool
) -> list[Finding]:
    findings = []
    if seen.get("certificate") == "not trusted":
        line = _line(found, _BAD_CERTIFICATE)
        findings.append(CERTIFICATE_UNTRUSTED.at(line))
    if starttls and not seen.get("STARTTLS"):
        findings.append(_missing(STARTTLS_NOT_SHOWN))
    return findings


def _missing(rule: Rule) -> Finding:
    return rule.missing("250-STARTTLS", OUTPUT)


def _line(found: Sequence[Line], pattern: str) -> Line:
    """Return the line that shows it; the endpoint reader saw it in this text."""
    hits = [line for line in found if re.search(pattern, line.text)]
    return hits[0] if hits else found[0]

"""dev_icm: the errors of a connection to the mail host or to Entra ID."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import SequenceMatcher

from runbook_lib.sap.clock import SapClock
from runbook_lib.sap.finding import Finding, Line, Rule, Verdict, failed, unclear
from runbook_lib.sap.pasted import filled
from runbook_lib.sap.sources import INFERENCE, NI_ERRORS, SSL_ERRORS

DEV_ICM = "dev_icm"
OLDEST_ERROR = timedelta(days=1)

PEER_UNTRUSTED = failed(
    "PEER_UNTRUSTED",
    "SAP does not trust the certificate of {peer}; it is signed by {signer}.",
    "Import that CA in STRUST into the PSE of the SMTP node (SSL client Standard and "
    "Anonymous), save, restart ICM.",
    SSL_ERRORS,
)
HOST_UNKNOWN = failed(
    "HOST_UNKNOWN",
    "The name {host} cannot be resolved on the SAP host.{hint}",
    "Correct the mail host, or let the SAP host resolve names of the internet.",
    NI_ERRORS,
)
CONNECTION_REFUSED = failed(
    "CONNECTION_REFUSED",
    "The connection to {host}, port {port}, was refused.",
    "Open the port in the firewall for every application server.",
    NI_ERRORS,
)
CONNECTION_TIMED_OUT = failed(
    "CONNECTION_TIMED_OUT",
    "The connection to {host}, port {port}, timed out.",
    "Open the port in the firewall for every application server.",
    NI_ERRORS,
)
HTTP_CALL_FAILED = failed(
    "HTTP_CALL_FAILED",
    "The call for the token failed: {code}.",
    "Check host, proxy (SICF > Client > Proxy Settings) and STRUST for the call to "
    "Entra ID; mail itself never goes through an HTTP proxy.",
    "SAP KBA 3569644 (as quoted)",
)
TRACE_SILENT = unclear(
    "TRACE_SILENT",
    "The trace shows no error of a connection; that proves nothing.",
    "Send the message again and save the trace right after it "
    "(SMICM > Goto > Trace File > Save Locally).",
    INFERENCE,
)
OLD_ERROR = unclear(
    "OLD_ERROR",
    "The error is of {time}, more than a day before the person looked.",
    "Send the message again and save the trace right after it "
    "(SMICM > Goto > Trace File > Save Locally).",
    INFERENCE,
)

_REQUEST = re.compile(r"host:\s*(\S+?),\s*service:\s*(\S+)")
_PEER = re.compile(r"with (\S+?:\d+)")
_HTTP_CODE = re.compile(r"ICM_HTTP_(?!SSL_PEER_CERT)\w+")
# A line that says when: "[Thr 1401] Mon Nov 23 18:20:11:123 2026". From memory.
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_TIME = re.compile(
    r"\b[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) "
    r"(?P<clock>\d\d:\d\d:\d\d)(?:[:.]\d+)? (?P<year>\d{4})\b"
)


@dataclass(frozen=True)
class Looked:
    """When a person looked, and the clock that SAP's times are read by."""

    at: datetime
    clock: SapClock


def judge_trace(
    text: str, host: str = "", looked: Looked | None = None
) -> tuple[Finding, ...]:
    """Judge a trace; `host` is the mail host that SAP should connect to.

    With `looked` an error that is older than a day is not taken for today's.
    """
    found = filled(text, DEV_ICM)
    findings = []
    time: datetime | None = None
    for n, line in enumerate(found):
        time = trace_time(line.text) or time
        finding = _judged(line, found[n : n + 8], host)
        if finding and time and looked and _old(time, looked):
            finding = OLD_ERROR.at(line, time=time)
        findings += [finding] if finding else []
    if not findings:
        return (TRACE_SILENT.missing("error of a connection", DEV_ICM),)
    return tuple(findings)


def perhaps_old(finding: Finding) -> Finding:
    """Return an error of a trace that nobody chose as a warning.

    A person saves a trace after the attempt that matters; what a service shows
    begins anywhere, and not every release writes times.
    """
    says = f"The trace of ICM holds, from whenever: {finding.says}"
    return replace(finding, verdict=Verdict.WARNING, says=says)


def trace_time(text: str) -> datetime | None:
    """Return the time that a line of a trace states, without an offset, or None."""
    stated = _TIME.search(text)
    if stated is None or stated["month"] not in _MONTHS:
        return None
    month = _MONTHS.index(stated["month"]) // 3 + 1
    day = f"{stated['year']}-{month:02}-{int(stated['day']):02}"
    try:
        return datetime.fromisoformat(f"{day}T{stated['clock']}")
    except ValueError:
        return None


def _old(time: datetime, looked: Looked) -> bool:
    return looked.clock.before(time, looked.at - OLDEST_ERROR)


def _judged(line: Line, after: Sequence[Line], host: str) -> Finding | None:
    text = line.text
    if "PEER_CERT_UNTRUSTED" in text:
        peer = _PEER.search(text)
        values = {"peer": peer[1] if peer else "the server", "signer": _signer(after)}
        return PEER_UNTRUSTED.at(line, **values)
    request = _REQUEST.search(text)
    if request:
        return _of_request(line, request[1], request[2], host)
    if code := _HTTP_CODE.search(text):
        return HTTP_CALL_FAILED.at(line, code=code[0])
    return None


def _of_request(line: Line, found: str, port: str, host: str) -> Finding | None:
    if "NIEHOST_UNKNOWN" in line.text:
        return HOST_UNKNOWN.at(line, host=found, hint=_hint(found, host))
    rules: dict[str, Rule] = {
        "NIECONN_REFUSED": CONNECTION_REFUSED,
        "NIETIMEOUT": CONNECTION_TIMED_OUT,
    }
    for code, rule in rules.items():
        if code in line.text:
            return rule.at(line, host=found, port=port)
    return None


def _signer(after: Sequence[Line]) -> str:
    """Return the subject under `SignerCert`, which is the CA to import."""
    texts = [line.text for line in after]
    start = next((n for n, text in enumerate(texts) if "SignerCert" in text), None)
    for text in texts[start or 0 :]:
        if start is not None and "Subject:" in text:
            return text.partition("Subject:")[2].strip()
    return "a CA that the trace does not name"


def _hint(found: str, host: str) -> str:
    if not host or found.casefold() == host:
        return ""
    near = SequenceMatcher(None, found.casefold(), host).ratio() > 0.8
    return f" Was {host} meant?" if near else ""

"""Network facts from the sender's host: a probe file, or pasted tool output."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook_lib.errors import InputError

PROBE_SCHEMA = 1

PROPERTIES = ("resolves", "connects", "STARTTLS", "TLS", "certificate", "AUTH")


@dataclass(frozen=True)
class SenderView:
    """What was seen on the sender's host; `vantage` says how we know."""

    properties: Mapping[str, object]
    vantage: str
    host: str | None = None


def read_sender_view(path: Path, host: str) -> SenderView:
    """Read a file of `runbook probe`, or a text with pasted tool output.

    Raises:
        InputError: unreadable, of another schema, about another host, or a text
            in which no output of a known tool is recognised.
    """
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            f"probe: {path} cannot be read: {error.strerror}",
            remedy="Give the file that `runbook probe` wrote on the SAP host.",
        ) from None
    try:
        found = json.loads(text)
    except ValueError:
        view = pasted(text)
        if not view.properties:
            raise InputError(
                f"probe: {path} shows no output of telnet, niping or openssl",
                remedy="Paste the whole output, or give the file of `runbook probe`.",
            ) from None
        return view
    return _probed(path, found, host)


def _probed(path: Path, found: object, host: str) -> SenderView:
    if not isinstance(found, dict) or found.get("schema") != PROBE_SCHEMA:
        raise InputError(
            f"probe: {path} is not a file of `runbook probe`",
            remedy="Run `runbook probe` on the SAP host and give its file.",
        )
    if found.get("host") != host:
        raise InputError(
            f"probe: {path} is about {found.get('host')}, not about {host}",
            remedy=f"Run `runbook probe --host {host}` on the SAP host.",
        )
    properties, seen_from = found.get("properties"), found.get("seen_from")
    if not isinstance(properties, dict) or not seen_from or not found.get("time"):
        raise InputError(
            f"probe: {path} is not a whole file of `runbook probe`",
            remedy="Copy the file again, unchanged.",
        )
    vantage = f"runbook probe on {seen_from} at {found['time']}"
    known = {name: properties.get(name) for name in PROPERTIES}
    return SenderView(known, vantage, str(seen_from))


# What the tools print, by property; of several signs the last one in the text
# counts, because tools try one address after the other. `Timeout   : 7200 (sec)`
# of openssl is a lifetime, not a fault. What niping prints is from memory.
_SIGNS: tuple[tuple[str, str, object], ...] = (
    ("connects", r"(?im)^connected to |^220[ -]|CONNECTED\(", True),
    ("connects", r"(?i)connect to server .*\bo\.?k\b|TcpTestSucceeded *: *True", True),
    ("connects", r"(?i)connection refused|timed out|no route to host", False),
    ("connects", r"(?i)network is unreachable|could not open connection", False),
    ("connects", r"NIECONN_REFUSED|NIETIMEOUT|TcpTestSucceeded *: *False", False),
    (
        "resolves",
        r"(?im)^trying [\da-f]|^Address(?:es)?:|has address|CONNECTED\(",
        True,
    ),
    ("resolves", r"(?i)NXDOMAIN|NIEHOST_UNKNOWN|not known|could not resolve", False),
    ("resolves", r"(?i)can't find|failure in name resolution|no servers could", False),
    ("STARTTLS", r"(?m)^250[- ]STARTTLS", True),
    ("STARTTLS", r"(?i)didn't (?:find|found) STARTTLS", False),
    ("certificate", r"Verify return code: 0 \(ok\)", "trusted"),
    ("certificate", r"Verify return code: [1-9]", "not trusted"),
)
# `New, TLSv1.2` names the version of the cipher; the session names the protocol.
_TLS = (
    re.compile(r"(?m)^ *Protocol *: *(TLSv1(?:\.\d)?|SSLv\d)"),
    re.compile(r"(?m)^New, (TLSv1(?:\.\d)?|SSLv\d)"),
)
_AUTH = re.compile(r"(?m)^250[- ]AUTH (.+)$")
# openssl shows the last line of the answer to EHLO once TLS stands, and only where
# it said STARTTLS itself.
_STARTED = re.compile(r"(?s)SSL handshake has read [1-9].*\n---\n250 ")


def pasted(text: str) -> SenderView:
    """Read pasted output of telnet, niping or `openssl s_client -starttls smtp`.

    Only what the text shows is known; the rest is absent.
    """
    text = text.replace("\r\n", "\n")
    properties = _signs(text)
    for form in _TLS:
        if found := form.findall(text):
            properties["TLS"] = found[-1]
            break
    if _STARTED.search(text):
        properties.setdefault("STARTTLS", True)
    if found := _AUTH.findall(text):
        properties["AUTH"] = found[-1].split()
    return SenderView(properties, "pasted from the sender's host, as stated")


def _signs(text: str) -> dict[str, object]:
    """Return what the last sign of each property says."""
    seen = [
        (match.start(), name, value)
        for name, pattern, value in _SIGNS
        for match in re.finditer(pattern, text)
    ]
    return {name: value for _, name, value in sorted(seen, key=lambda sign: sign[0])}

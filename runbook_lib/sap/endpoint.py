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
        InputError: unreadable, of another schema, or about another host.
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
        return pasted(text)
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
    properties = {name: found["properties"].get(name) for name in PROPERTIES}
    vantage = f"runbook probe on {found['seen_from']} at {found['time']}"
    return SenderView(properties, vantage, str(found["seen_from"]))


_SIGNS: tuple[tuple[str, str, object], ...] = (
    (
        "connects",
        r"(?im)^connected to |^220 |CONNECTED\(|connect to server .* ok",
        True,
    ),
    ("connects", r"(?i)connection refused|timed? ?out|NIECONN_REFUSED", False),
    ("resolves", r"(?im)^trying \d|^Address(?:es)?:|has address|CONNECTED\(", True),
    ("resolves", r"(?i)NXDOMAIN|NIEHOST_UNKNOWN|name or service not known", False),
    ("STARTTLS", r"(?m)^250[- ]STARTTLS|-starttls smtp", True),
    ("certificate", r"Verify return code: 0 \(ok\)", "trusted"),
    ("certificate", r"Verify return code: [1-9]", "not trusted"),
)
_TLS = re.compile(r"(?m)(?:Protocol\s*:\s*|New, )(TLSv1(?:\.\d)?|SSLv\d)")
_AUTH = re.compile(r"(?m)^250[- ]AUTH (.+)$")


def pasted(text: str) -> SenderView:
    """Read pasted output of telnet, niping or `openssl s_client -starttls smtp`.

    Only what the text shows is known; the rest is absent.
    """
    properties: dict[str, object] = {}
    for name, pattern, value in _SIGNS:
        if re.search(pattern, text):
            properties[name] = value
    if found := _TLS.search(text):
        properties["TLS"] = found[1]
    if found := _AUTH.search(text):
        properties["AUTH"] = found[1].split()
    return SenderView(properties, "pasted from the sender's host, as stated")

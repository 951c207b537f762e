"""SICF: the SMTP node SAPconnect."""

from __future__ import annotations

import re

from runbook_lib.sap.finding import Finding, failed, passed, unclear, warned
from runbook_lib.sap.pasted import filled, same_words
from runbook_lib.sap.sources import GUIDE, INFERENCE, QUICK_GUIDE
from runbook_lib.sap.sources import SICF as SICF_SOURCE

SICF = "SICF, node SAPconnect"
HANDLER = "CL_SMTP_EXT_SAPCONNECT"

NODE_ACTIVE = passed("NODE_ACTIVE", "The node SAPconnect is active.", GUIDE)
NODE_INACTIVE = failed(
    "NODE_INACTIVE",
    "The node SAPconnect is not active.",
    "SICF: select the SMTP node SAPconnect, Service/Host > Activate. Reports for "
    "mass activation leave it out.",
    f"{GUIDE}; {SICF_SOURCE}",
)
NODE_NOT_SHOWN = unclear(
    "NODE_NOT_SHOWN",
    "The text does not show the node SAPconnect with its status.",
    "Write its name and status on one line, and attach the screenshot.",
    INFERENCE,
)
HANDLER_OTHER = warned(
    "HANDLER_OTHER",
    "The first handler of the node is {handler}, not " + HANDLER + ".",
    "Compare with the handler list of a standard system; it matters for mail that "
    "comes in.",
    QUICK_GUIDE,
)

_INACTIVE = re.compile(
    r"\b(inactive|not active|deactivated|inaktiv|nicht aktiv|greyed|grayed)\b"
)
_ACTIVE = re.compile(r"\b(active|activated|aktiv|aktiviert)\b")
_DENIED = re.compile(r"\b(?:active|aktiv|activated)\W+(?:no|nein|false|0|-)(?!\w)")
_HANDLER = re.compile(r"\b[CZY][\w/]*_SMTP_\w+")


def judge_service_tree(text: str) -> tuple[Finding, ...]:
    """Judge a text about the node: its name and its status on one line, or two."""
    found = filled(text, SICF)
    named = [n for n, line in enumerate(found) if "sapconnect" in _words(line.text)]
    findings: list[Finding] = []
    for n in named:
        for line in found[n : n + 2]:
            says = line.text.casefold()
            if _INACTIVE.search(says) or _DENIED.search(says):
                return (NODE_INACTIVE.at(line),)
            if _ACTIVE.search(says):
                findings.append(NODE_ACTIVE.at(line))
                break
    if not findings:
        return (NODE_NOT_SHOWN.missing("SAPconnect with a status", SICF),)
    for line in found:
        handler = _HANDLER.search(line.text)
        if handler and handler[0] != HANDLER:
            findings.append(HANDLER_OTHER.at(line, handler=handler[0]))
    return tuple(findings)


def _words(text: str) -> list[str]:
    return same_words(text).split()

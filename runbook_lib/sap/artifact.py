"""What a pasted text is: recognised by its own signs, one or several in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from runbook_lib.sap.arrangement import LABELS as ARRANGEMENT_LABELS
from runbook_lib.sap.form import Labels, read_form
from runbook_lib.sap.mail_node import LABELS as NODE_LABELS
from runbook_lib.sap.oauth_client import LABELS as CLIENT_LABELS
from runbook_lib.sap.parameter_list import HEADINGS as PARAMETER_HEADINGS
from runbook_lib.sap.pasted import cleaned
from runbook_lib.sap.send_requests import HEADINGS as SOST_HEADINGS
from runbook_lib.sap.services import HEADINGS as SERVICE_HEADINGS
from runbook_lib.sap.table import Headings, read_table


class Kind(StrEnum):
    """The artifacts that validators read."""

    PROFILE = "profile"
    DEFAULT_PROFILE = "default profile"
    PARAMETER_VALUE = "parameter value"
    PARAMETER_LIST = "parameter list"
    SERVICES = "smicm"
    SERVICE_TREE = "sicf"
    TRUST_LIST = "strust"
    SEND_REQUESTS = "sost"
    TRACE = "dev_icm"
    CONNECTION = "connection"
    COMPONENTS = "components"
    NOTE = "snote"
    OAUTH_CLIENT = "soauth2_client"
    SBCS = "sbcs_mail_configsmtp"
    SCOT = "scot"
    ARRANGEMENT = "sap_com_0548"
    DEFAULT_DOMAIN = "default domain"
    HEADER = "received header"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Artifact:
    """One artifact: what it is, its text, and whether a service showed it."""

    kind: Kind
    text: str
    measured: bool = False


_HEADING = re.compile(r"(?m)^[ \t]*(?:---+|===+|###?)[ \t]*(?P<name>[^\n]*?)[ \t=#-]*$")
_NAMES = {
    "rz11": Kind.PARAMETER_VALUE,
    "sapcontrol": Kind.PARAMETER_VALUE,
    "sappfpar": Kind.PARAMETER_VALUE,
    "rspfpar": Kind.PARAMETER_LIST,
    "default.pfl": Kind.DEFAULT_PROFILE,
    "instance profile": Kind.PROFILE,
    "rz10": Kind.PROFILE,
    "telnet": Kind.CONNECTION,
    "niping": Kind.CONNECTION,
    "openssl": Kind.CONNECTION,
    "cvers": Kind.COMPONENTS,
    "sbcs": Kind.SBCS,
    "internet headers": Kind.HEADER,
    **{str(kind): kind for kind in Kind if kind is not Kind.UNKNOWN},
}


def artifacts(texts: Iterable[str]) -> list[Artifact]:
    """Return the artifacts in some texts.

    A text may hold several: a line such as `--- SMICM ---` begins the next one
    and says what it is. Without such a line the text is recognised by its signs.
    """
    return [artifact for text in texts for artifact in _parts(cleaned(text))]


def _parts(text: str) -> list[Artifact]:
    headings = [
        (match, kind)
        for match in _HEADING.finditer(text)
        if (kind := _NAMES.get(match["name"].strip().casefold()))
    ]
    ends = [*(match.start() for match, _ in headings), len(text)]
    first = text[: ends[0]]
    found = [Artifact(recognized(first), first)] if first.strip() else []
    for (match, kind), end in zip(headings, ends[1:], strict=True):
        found.append(Artifact(kind, text[match.end() : end]))
    return found


def recognized(text: str) -> Kind:
    """Return what a text is, by its signs; the surest signs are looked for first."""
    return next((kind for kind, sign in _SIGNS if sign(text)), Kind.UNKNOWN)


def _having(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text) is not None


def _listing(headings: Headings, *needed: str) -> Callable[[str], bool]:
    columns = frozenset(needed)
    return lambda text: read_table(text, headings, columns, "") is not None


def _filling(labels: Labels, *needed: str) -> Callable[[str], bool]:
    return lambda text: all(name in read_form(text, labels, "") for name in needed)


_SIGNS: tuple[tuple[Kind, Callable[[str], bool]], ...] = (
    (Kind.HEADER, _having(r"(?im)^(?:received|authentication-results): ")),
    (Kind.SEND_REQUESTS, _listing(SOST_HEADINGS, "status", "title")),
    (Kind.SERVICES, _listing(SERVICE_HEADINGS, "protocol", "port")),
    (Kind.PARAMETER_LIST, _listing(PARAMETER_HEADINGS, "name", "value")),
    (Kind.PARAMETER_VALUE, _having(r"(?m)^\s*(?:Current Value|Aktueller Wert)\b")),
    (Kind.PARAMETER_VALUE, _having(r"(?m)^ParameterValue\s*$|== Checking profile")),
    (Kind.ARRANGEMENT, _filling(ARRANGEMENT_LABELS, "oauth_user")),
    (Kind.ARRANGEMENT, _filling(ARRANGEMENT_LABELS, "additional_scope")),
    (Kind.OAUTH_CLIENT, _filling(CLIENT_LABELS, "token_endpoint")),
    (Kind.OAUTH_CLIENT, _filling(CLIENT_LABELS, "grant_type")),
    (Kind.SBCS, _filling(NODE_LABELS, "mail_host", "modify_legacy_node")),
    (Kind.SCOT, _filling(NODE_LABELS, "mail_host")),
    (Kind.DEFAULT_DOMAIN, _having(r"(?im)^\s*default[ _]domain\s*[:=]")),
    (Kind.TRACE, _having(r"\[Thr \d+\]")),
    (Kind.CONNECTION, _having(r"(?im)^(?:connected to|trying \d|220 )|CONNECTED\(")),
    (Kind.CONNECTION, _having(r"(?i)\b(?:telnet|niping|s_client|nslookup|icmp_seq)\b")),
    (Kind.TRUST_LIST, _having(r"(?i)certificate list|\bCN=DigiCert|\bPSE\b.*\bSSL\b")),
    (Kind.PROFILE, _having(r"(?im)^\W*(?:icm|rdisp|ssl|is)[/\\]\S+\s*=")),
    (Kind.PARAMETER_VALUE, _having(r"\bPROT\s*=\s*\w+\s*[,;]")),
    (Kind.COMPONENTS, _having(r"\bSAP_BASIS\b(?!.*\b\d{7}\b)")),
    (Kind.NOTE, _having(r"\b0*\d{7}\b")),
    (Kind.SERVICE_TREE, _having(r"(?i)\bSAPconnect\b")),
)

"""Profile parameters, wherever they were read: name, value, line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, Line, failed, warned
from runbook_lib.sap.pasted import filled
from runbook_lib.sap.sources import GUIDE, INFERENCE, SERVER_PORT

SERVER_PORT_NAME = re.compile(r"icm/server_port_(\d{1,4})")
_RESEMBLING = re.compile(r"icm/+(?:smtp|server)_*ports?_*\d*")

PARAM_MISSPELT = failed(
    "PARAM_MISSPELT",
    "{name} is not a parameter of SAP; it has no effect.",
    "Write {right}, with underscores (the guide prints a hyphen by mistake).",
    f"{SERVER_PORT}; {GUIDE} (misprint)",
)
INDEX_LEADING_ZERO = failed(
    "INDEX_LEADING_ZERO",
    "{name} has an index with a leading zero; it has no effect.",
    "Write {right}.",
    SERVER_PORT,
)
PARAM_DUP = warned(
    "PARAM_DUP",
    "{name} stands here again; the last line counts.",
    "Delete the line that is not meant.",
    INFERENCE,
)


@dataclass(frozen=True)
class Parameter:
    """One parameter with its value, as a profile or a list shows it."""

    name: str
    value: str
    line: Line


def profile_parameters(text: str, artifact: str) -> list[Parameter]:
    """Return the assignments of a profile; comments and blank lines are absent."""
    found = []
    for line in filled(text, artifact):
        name, equals, value = line.text.partition("=")
        if equals and not line.text.lstrip().startswith("#"):
            found.append(Parameter(name.strip(), value.strip(), line))
    return found


def effective(parameters: Sequence[Parameter]) -> dict[str, Parameter]:
    """Return the parameters that count: of two with one name the later."""
    return {parameter.name: parameter for parameter in parameters}


def repeated(parameters: Sequence[Parameter]) -> list[Finding]:
    """Return a finding for each parameter that stands twice in one artifact."""
    seen: set[tuple[str, str]] = set()
    findings = []
    for parameter in parameters:
        key = (parameter.line.artifact, parameter.name)
        if key in seen:
            findings.append(PARAM_DUP.at(parameter.line, name=parameter.name))
        seen.add(key)
    return findings


def spelling(parameter: Parameter) -> Finding | None:
    """Return a finding where a name is meant to be `icm/server_port_<n>`, but is not.

    A hyphen, another case, a backslash, full-width characters, a missing or an
    extra letter: all were seen in the field, and none has an effect in SAP.
    """
    name = parameter.name
    exact = SERVER_PORT_NAME.fullmatch(name)
    if exact and exact[1].isascii():
        number = exact[1]
        if number == str(int(number)):
            return None
        right = f"icm/server_port_{int(number)}"
        return INDEX_LEADING_ZERO.at(parameter.line, name=name, right=right)
    if not _RESEMBLING.fullmatch(_folded(name)):
        return None
    number = "".join(re.findall(r"\d", _folded(name))) or "<n>"
    right = f"icm/server_port_{number.lstrip('0') or '0'}"
    return PARAM_MISSPELT.at(parameter.line, name=name, right=right)


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s-]+", "_", plain.replace("\\", "/"))

"""System > Status > Components, table CVERS, ABAPGetComponentList: SAP_BASIS."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, failed, passed
from runbook_lib.sap.pasted import filled
from runbook_lib.sap.release import KERNELS, LEAST_BASIS
from runbook_lib.sap.sources import GUIDE, INFERENCE

CVERS = "component list"

BASIS_SUFFICES = passed(
    "BASIS_SUFFICES", "SAP_BASIS {release} can use a {credential}.", GUIDE
)
BASIS_TOO_OLD = failed(
    "BASIS_TOO_OLD",
    "SAP_BASIS {release} cannot use a {credential}; that needs {least}.",
    "Use a client secret on 7.50, or another option below 7.50.",
    GUIDE,
)
BASIS_ROW_MISSING = failed(
    "BASIS_ROW_MISSING",
    "The text has no row SAP_BASIS; the release of another component does not count.",
    "System > Status > Component information: copy the row SAP_BASIS.",
    INFERENCE,
)
KERNEL_RELEASE = failed(
    "KERNEL_RELEASE",
    "{release} is a kernel release, not a release of SAP_BASIS.",
    "System > Status > Component information: copy the row SAP_BASIS.",
    INFERENCE,
)

_ROW = re.compile(r"\bSAP_BASIS\b[\s|;,:]*(\d{2,3}|\d{1,2}\.\d{2})(?!\w)")


@dataclass(frozen=True)
class Components:
    """The release of SAP_BASIS as an integer, or None, and the findings."""

    basis: int | None
    findings: tuple[Finding, ...]


def judge_components(text: str, credential: str = "secret") -> Components:
    """Judge a component list for a kind of credential, `secret` or `certificate`."""
    for line in filled(text, CVERS):
        if match := _ROW.search(line.text):
            release = int(match[1].replace(".", ""))
            values = {"release": release, "credential": credential}
            if release in KERNELS:
                return Components(None, (KERNEL_RELEASE.at(line, **values),))
            least = LEAST_BASIS[credential]
            if release >= least:
                return Components(release, (BASIS_SUFFICES.at(line, **values),))
            old = BASIS_TOO_OLD.at(line, **values, least=least)
            return Components(release, (old,))
    return Components(None, (BASIS_ROW_MISSING.missing("row SAP_BASIS", CVERS),))

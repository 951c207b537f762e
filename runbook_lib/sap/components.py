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


_LEVEL = re.compile(r"\bSAP_BASIS\b\W*(?P<release>\d{3})\W+(?P<level>\d{1,4})\b")
# SAPK-75027INSAPBASIS: release 750, support package 27.
_PACKAGE = re.compile(r"SAPK-?(?P<release>\d{3})(?P<level>\d{2})INSAPBASIS")


@dataclass(frozen=True)
class BasisLevel:
    """SAP_BASIS with its release and the level of its support package."""

    release: int
    level: int

    def __str__(self) -> str:
        """Return both in one phrase."""
        return f"SAP_BASIS {self.release}, support package {self.level:02}"


def basis_level(text: str) -> BasisLevel | None:
    """Return release and level from a component list; None where it has none."""
    match = _LEVEL.search(text)
    return match and BasisLevel(int(match["release"]), int(match["level"]))


def package_level(package: str) -> BasisLevel | None:
    """Return what a support package of SAP_BASIS brings; None for any other."""
    match = _PACKAGE.fullmatch(package)
    return match and BasisLevel(int(match["release"]), int(match["level"]))


def brings(package: str, system: BasisLevel) -> bool | None:
    """Tell whether a system has a support package; None where it cannot be told.

    A newer release counts its packages anew, and may hold the same correction.
    """
    needed = package_level(package)
    if needed is None:
        return None
    if needed.release != system.release:
        return None if system.release > needed.release else False
    return system.level >= needed.level


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

"""Which indexes of icm/server_port_<n> pasted evidence shows as taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook_lib.sap.artifact import Artifact, Kind, artifacts
from runbook_lib.sap.parameter_list import judge_parameter_list
from runbook_lib.sap.profile import judge_profile, next_free_index
from runbook_lib.sap.server_port import ServerPort


@dataclass(frozen=True)
class IcmLines:
    """The next free index, and the line of an SMTP service; None if not shown."""

    free: int | None = None
    smtp: str | None = None


def icm_lines(texts: Sequence[str]) -> IcmLines:
    """Read profiles and parameter lists; without any nothing is known.

    An index counts as taken where any of them shows it, on whichever server.
    """
    found = artifacts(texts)
    profiles = [a for a in found if a.kind in {Kind.PROFILE, Kind.PARAMETER_LIST}]
    if not profiles:
        return IcmLines()
    default = "\n".join(a.text for a in found if a.kind is Kind.DEFAULT_PROFILE)
    services = [s for artifact in profiles for s in _services(artifact, default)]
    smtp = next((service for service in services if service.is_smtp), None)
    return IcmLines(next_free_index(services), _line(smtp) if smtp else None)


def _services(artifact: Artifact, default: str) -> tuple[ServerPort, ...]:
    if artifact.kind is Kind.PARAMETER_LIST:
        return judge_parameter_list(artifact.text).services
    return judge_profile(artifact.text, default).services


def _line(service: ServerPort) -> str:
    options = ",".join(f"{name}={value}" for name, value in service.options.items())
    return f"icm/server_port_{service.index} = {options}"

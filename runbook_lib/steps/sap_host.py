"""Attestations about the SAP host and its ICM: network, SMTP service, SAPconnect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

from runbook_lib.engine.step import Evidence, Measured
from runbook_lib.sap.artifact import Artifact, Kind
from runbook_lib.sap.connection import judge_connection
from runbook_lib.sap.contradiction import IcmEvidence, judge_icm
from runbook_lib.sap.finding import Finding, passed
from runbook_lib.sap.measured import judge_measured_parameters
from runbook_lib.sap.parameter_list import judge_parameter_list
from runbook_lib.sap.parameter_value import judge_parameter_value
from runbook_lib.sap.profile import judge_profile
from runbook_lib.sap.service_tree import judge_service_tree
from runbook_lib.sap.services import Services, judge_services
from runbook_lib.sap.sources import INFERENCE
from runbook_lib.sap.trace import (
    TRACE_SILENT,
    Looked,
    judge_trace,
    perhaps_old,
    trace_time,
)
from runbook_lib.sap.trust_list import judge_trust_list
from runbook_lib.session import Session
from runbook_lib.steps.sap_clock import looked_at, sap_clock
from runbook_lib.steps.sap_evidence import Judged, SapAttestation, of_kind
from runbook_lib.steps.sap_measured import ASKED, measured_parameters, measured_trace

SAP = "sap-s4hana-on-premises-and-sap-s4hana-cloud-private-edition"

Found = TypeVar("Found")
AGREEING = passed(
    "AGREEING", "What was handed in does not contradict itself.", INFERENCE
)


@dataclass(frozen=True)
class NetworkFromSapHost(SapAttestation):
    """The SAP host reaches the SMTP host: output of telnet, niping or openssl.

    A certificate list of STRUST and a trace (dev_icm) are judged where they were
    handed in too. A trace that the start service shows is advice only: its errors
    may be old.

    Source: guide, "SAP S/4HANA on-premises …", step 1; Exchange Team Blog on
    DigiCert Global Root G2.
    """

    title: ClassVar[str] = "SAP host reaches the SMTP host"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("connection",)
    optional: ClassVar[tuple[str, ...]] = ("STRUST", "dev_icm")
    measured_counts: ClassVar[bool] = False
    host: str
    port: str = "587"

    def measure(self, session: Session) -> Measured | None:
        """Read the end of the trace from the start service."""
        return measured_trace(session, partial(self.redact, session))

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the output of the tools, and what else is there."""
        port = int(self.port)
        judged: dict[str, list[Finding]] = {}
        for text in of_kind(found, Kind.CONNECTION):
            findings = judge_connection(text, host=self.host, port=port)
            judged.setdefault("connection", []).extend(findings)
        for text in of_kind(found, Kind.TRUST_LIST):
            judged.setdefault("STRUST", []).extend(judge_trust_list(text))
        for text in of_kind(found, Kind.TRACE):
            looked = self._looked(session, text, evidence)
            found_errors = judge_trace(text, self.host, looked)
            errors = [f for f in found_errors if not _silent(f)]
            judged.setdefault("dev_icm", []).extend(errors)
        for text in of_kind(found, Kind.TRACE, measured=True):
            errors = [f for f in judge_trace(text, self.host) if not _silent(f)]
            judged.setdefault("connection", []).extend(map(perhaps_old, errors))
        return judged

    def _looked(
        self, session: Session, trace: str, evidence: Evidence
    ) -> Looked | None:
        """Return when the person looked, where the trace states times at all."""
        if not any(trace_time(line) for line in trace.splitlines()):
            return None
        at = looked_at(evidence.when)
        return Looked(at, sap_clock(session, self.id)) if at else None


def _silent(finding: Finding) -> bool:
    return finding.rule == TRACE_SILENT.id


@dataclass(frozen=True)
class IcmServiceActive(SapAttestation):
    """A profile parameter defines an SMTP service, and ICM runs it.

    The parameter is shown by the profile, RZ11, sapcontrol or RSPFPAR, or read
    from the start service; the service is shown by SMICM. `app_servers` are the
    hosts on which the send job may run, parted by commas; each has to be in the
    list of services.

    Source: guide, "SAP S/4HANA on-premises …", steps 2 and 3.
    """

    title: ClassVar[str] = "SMTP service of ICM is active"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("ICM parameter", "SMICM", "agreement")
    app_servers: str = ""

    def measure(self, session: Session) -> Measured | None:
        """Read the parameters of the running instance."""
        return measured_parameters(session)

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge parameter and service, and whether they agree."""
        profiles = of_kind(found, Kind.PROFILE)
        default = "\n".join(of_kind(found, Kind.DEFAULT_PROFILE))
        icm = IcmEvidence(
            profile=judge_profile(profiles[0], default) if profiles else None,
            value=_first(of_kind(found, Kind.PARAMETER_VALUE), judge_parameter_value),
            listed=_first(of_kind(found, Kind.PARAMETER_LIST), judge_parameter_list),
            services=self._services(of_kind(found, Kind.SERVICES)),
            measured=_first(
                of_kind(found, Kind.PARAMETER_LIST, measured=True),
                partial(judge_measured_parameters, where=ASKED),
            ),
        )
        shown = (icm.profile, icm.value, icm.listed, icm.measured)
        parameters = [f for part in shown if part is not None for f in part.findings]
        services = icm.services.findings if icm.services else ()
        contradictions = judge_icm(icm)
        agreeing = AGREEING.missing("contradiction", "everything handed in")
        return {
            "ICM parameter": parameters,
            "SMICM": services,
            "agreement": contradictions or [agreeing],
        }

    def _services(self, lists: Sequence[str]) -> Services | None:
        """Judge the lists of all application servers together."""
        if not lists:
            return None
        judged = [judge_services(text) for text in lists]
        smtp = tuple(service for one in judged for service in one.smtp)
        findings = tuple(finding for one in judged for finding in one.findings)
        hosts = [h.strip() for h in self.app_servers.split(",") if h.strip()]
        return Services(smtp, findings).covering(hosts)


def _first(texts: Sequence[str], judge: Callable[[str], Found]) -> Found | None:
    return judge(texts[0]) if texts else None


@dataclass(frozen=True)
class SapConnectServiceActive(SapAttestation):
    """The SMTP node SAPconnect is active in SICF.

    Source: guide, "SAP S/4HANA on-premises …", step 4.
    """

    title: ClassVar[str] = "Service SAPconnect is active"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("SICF",)

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the node's line."""
        texts = of_kind(found, Kind.SERVICE_TREE)
        return {"SICF": [f for text in texts for f in judge_service_tree(text)]}

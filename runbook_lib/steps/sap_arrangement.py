"""The attestation about the BTP ABAP environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.step import Evidence
from runbook_lib.sap.arrangement import judge_arrangement, read_arrangement
from runbook_lib.sap.artifact import Artifact, Kind
from runbook_lib.sap.wanted import WantedNode
from runbook_lib.session import Session
from runbook_lib.steps.sap_evidence import BTP, Judged, SapAttestation, of_kind
from runbook_lib.steps.sap_mail import wanted_client


@dataclass(frozen=True)
class CommunicationArrangementConfigured(SapAttestation):
    """Communication system and arrangement SAP_COM_0548 have the values.

    The evidence is the typed form with OAuth User and Additional Scope.

    Source: guide, "SAP BTP ABAP Environment"; SAP Help, E-Mail Integration.
    """

    title: ClassVar[str] = "Communication arrangement SAP_COM_0548"
    guide: ClassVar[str] = "sap-btp-abap-environment"
    topics: ClassVar[tuple[str, ...]] = ("SAP_COM_0548",)
    products: ClassVar[frozenset[str]] = BTP
    app_id: str
    mailbox: str
    host: str

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the form against mailbox, host and application."""
        node = WantedNode.of_submission(self.host, self.mailbox)
        client = wanted_client(session, self.app_id, "certificate")
        findings = [
            finding
            for text in of_kind(found, Kind.ARRANGEMENT)
            for finding in judge_arrangement(read_arrangement(text), node, client)
        ]
        return {"SAP_COM_0548": findings}

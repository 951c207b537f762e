"""The attestation about the BTP ABAP environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.step import Evidence, Measured
from runbook_lib.sap.arrangement import (
    judge_arrangement,
    judge_measured,
    read_arrangement,
)
from runbook_lib.sap.artifact import Artifact, Kind
from runbook_lib.sap.contradiction import judge_arrangements
from runbook_lib.sap.measured import ARRANGEMENT_READ
from runbook_lib.sap.wanted import WantedNode
from runbook_lib.session import Session
from runbook_lib.steps.sap_evidence import BTP, Judged, SapAttestation, of_kind
from runbook_lib.steps.sap_mail import wanted_client
from runbook_lib.steps.sap_measured import measured_arrangements


@dataclass(frozen=True)
class CommunicationArrangementConfigured(SapAttestation):
    """Communication system and arrangement SAP_COM_0548 have the values.

    The evidence is the typed form with OAuth User and Additional Scope, or what
    communication management of the environment shows, completed by the form.

    Source: guide, "SAP BTP ABAP Environment"; SAP Help, E-Mail Integration.
    """

    title: ClassVar[str] = "Communication arrangement SAP_COM_0548"
    guide: ClassVar[str] = "sap-btp-abap-environment"
    topics: ClassVar[tuple[str, ...]] = ("SAP_COM_0548",)
    products: ClassVar[frozenset[str]] = BTP
    app_id: str
    mailbox: str
    host: str

    def measure(self, session: Session) -> Measured | None:
        """Read the arrangement from the environment."""
        return measured_arrangements(session)

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the form against mailbox, host and application."""
        node = WantedNode.of_submission(self.host, self.mailbox)
        client = wanted_client(session, self.app_id, "certificate")
        pasted = [read_arrangement(text) for text in of_kind(found, Kind.ARRANGEMENT)]
        shown = of_kind(found, Kind.ARRANGEMENT, measured=True)
        if not shown:
            judged = [
                f for form in pasted for f in judge_arrangement(form, node, client)
            ]
            return {"SAP_COM_0548": judged}
        measured = read_arrangement(shown[0], ARRANGEMENT_READ)
        first = pasted[0] if pasted else None
        judged = judge_measured(measured, first, node, client)
        if first:
            judged += judge_arrangements(first, measured)
        return {"SAP_COM_0548": judged}

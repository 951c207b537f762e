"""The attestation that SAP itself sent a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from runbook_lib.engine.step import Evidence, Observation
from runbook_lib.sap.artifact import Artifact, Kind
from runbook_lib.sap.send_requests import Asked, judge_send_requests
from runbook_lib.session import Session
from runbook_lib.steps.sap_evidence import Judged, SapAttestation, of_kind
from runbook_lib.steps.sap_host import SAP

CLOCK_SKEW = timedelta(minutes=5)
HANDED_OVER = (
    "SOST shows that SAP handed the message over, not that it was delivered: look at "
    "the message trace and at the received message."
)


@dataclass(frozen=True)
class TestMailSent(SapAttestation):
    """SAP sent a message with the run's id in its title (SBWP), and SOST says so.

    The title tells our row from all others. `run_id` is the run whose id the
    title carries, where it is not this one. `time_zone` is that of the SAP
    system, as Europe/Berlin; without it times are not compared.

    Source: guide, "Steps in SAP Application server", step 5 (missing for
    option 1); SAP Community on SOST.
    """

    __test__: ClassVar[bool] = False  # no test class of pytest, despite its name

    title: ClassVar[str] = "Test message from SAP"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("SOST",)
    recipient: str
    run_id: str = ""
    time_zone: str = ""

    def marker(self, session: Session) -> str:
        """Return the run id that the title has to carry."""
        return self.run_id or session.run

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Judge the row; even a good one is advice to look further."""
        seen = super().validate(session, evidence)
        return replace(seen, advice=seen.advice or HANDED_OVER)

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the row whose title carries the run id."""
        asked = Asked(
            marker=self.marker(session),
            recipient=self.recipient,
            end=self._now(session),
            looked_at=self._looked_at(evidence.when),
        )
        texts = of_kind(found, Kind.SEND_REQUESTS)
        findings = [f for text in texts for f in judge_send_requests(text, asked)]
        return {"SOST": findings}

    def _now(self, session: Session) -> datetime | None:
        """Return the latest time that a row may have, as the SAP system shows it."""
        if not self.time_zone:
            return None
        zone = ZoneInfo(self.time_zone)
        return session.now().astimezone(zone).replace(tzinfo=None) + CLOCK_SKEW

    def _looked_at(self, when: str) -> datetime | None:
        """Return when the person looked, as the SAP system shows times, or None."""
        try:
            stated = datetime.fromisoformat(f"{when.strip()}+00:00")
        except ValueError:
            return None
        if not self.time_zone:
            return None
        return stated.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)

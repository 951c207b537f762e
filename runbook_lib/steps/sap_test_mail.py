"""The attestation that SAP itself sent a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from runbook_lib.engine.step import Evidence, Observation
from runbook_lib.sap.artifact import Artifact, Kind, artifacts
from runbook_lib.sap.send_requests import Asked, judge_send_requests, marked_rows
from runbook_lib.session import Session
from runbook_lib.steps.sap_clock import began, looked_at, sap_clock
from runbook_lib.steps.sap_evidence import (
    Judged,
    SapAttestation,
    kept,
    of_kind,
    own_senders,
    texts,
)
from runbook_lib.steps.sap_host import SAP

CLOCK_SKEW = timedelta(minutes=5)
HANDED_OVER = (
    "SOST shows that SAP handed the message over, not that it was delivered: look at "
    "the message trace and at the received message."
)

NOT_HANDED_IN = "The row of SOST was not handed in; the proof of delivery lacks it."


@dataclass(frozen=True)
class TestMailSent(SapAttestation):
    """SAP sent a message with the run's id in its title (SBWP), and SOST says so.

    The title tells our row from all others. `completes` is the run whose id the
    title carries, where it is not this one. Times of the list are read in the
    time zone that the tenant file names, and compared with the run. Where the
    message trace proves the delivery already, `needed` is no.

    Source: guide, "Steps in SAP Application server", step 5 (missing for
    option 1); SAP Community on SOST.
    """

    __test__: ClassVar[bool] = False  # no test class of pytest, despite its name

    title: ClassVar[str] = "Test message from SAP"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("SOST",)
    recipient: str
    completes: str = ""
    needed: str = "yes"

    def left_out(self) -> str | None:
        """Say what is missing where the row is not needed."""
        return None if self.needed == "yes" else NOT_HANDED_IN

    def marker(self, session: Session) -> str:
        """Return the run id that the title has to carry."""
        return self.completes or session.run

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Judge the row; even a good one is advice to look further."""
        seen = super().validate(session, evidence)
        lists = of_kind(artifacts(texts(evidence)), Kind.SEND_REQUESTS)
        marker = self.marker(session)
        rows = [row for text in lists for row in marked_rows(text, marker)]
        context = {**seen.context, "rows": rows}
        return replace(seen, context=context, advice=seen.advice or HANDED_OVER)

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the row whose title carries the run id."""
        begin = began(self.marker(session))
        asked = Asked(
            marker=self.marker(session),
            recipient=self.recipient,
            begin=begin - CLOCK_SKEW if begin else None,
            end=session.now() + CLOCK_SKEW,
            looked_at=looked_at(evidence.when),
            clock=sap_clock(session, self.id),
            others=frozenset(kept(session)) - {self.recipient},
            senders=frozenset(address.lower() for address in own_senders(session)),
        )
        lists = of_kind(found, Kind.SEND_REQUESTS)
        findings = [f for text in lists for f in judge_send_requests(text, asked)]
        return {"SOST": findings}

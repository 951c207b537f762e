"""The attestation that the test message was received: its pasted header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from runbook_lib.engine.step import Evidence, Observation
from runbook_lib.sap.artifact import Artifact, Kind, artifacts
from runbook_lib.sap.received_header import AskedHeader, header_facts, judge_header
from runbook_lib.sap.release import Product
from runbook_lib.session import Session
from runbook_lib.steps.delivery import mark_of, traced
from runbook_lib.steps.message import OWN_SUBJECT
from runbook_lib.steps.sap_evidence import Judged, SapAttestation, of_kind, texts

TOPIC = "received header"


@dataclass(frozen=True)
class MessageReceived(SapAttestation):
    """The header of the received test message belongs to it, and says how it came.

    The recipient pastes the whole header. Subject, addressee and Message-ID have
    to fit the message that the trace has; what the receiver says of SPF, DKIM and
    DMARC is shown as its word. `completes` is the run whose id the subject
    carries, where it is not this one. A run without the header is not held up.

    Source: RFC 5322, RFC 8601; guide, "Steps in SAP Application server", step 5
    (no look at the received message).
    """

    title: ClassVar[str] = "Test message as the {key} recipient received it"
    guide: ClassVar[str] = "steps-in-sap-application-server"
    key: ClassVar[str | None] = "audience"
    topics: ClassVar[tuple[str, ...]] = (TOPIC,)
    products: ClassVar[frozenset[str]] = frozenset(map(str, Product))
    audience: str
    recipient: str
    completes: str = ""

    def left_out(self) -> str | None:
        """Say what the proof lacks without the header."""
        return "The received header was not handed in; the proof of delivery lacks it."

    def marker(self, session: Session) -> str:
        """Return the run id that the subject has to carry."""
        return self.completes or session.run

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Judge the header, and keep what it says for the proof of delivery."""
        seen = super().validate(session, evidence)
        headers = of_kind(artifacts(texts(evidence)), Kind.HEADER)
        said = header_facts(headers[-1]) if headers else {}
        return replace(seen, context={**seen.context, **said})

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge it against the mark, the addressee and the message trace."""
        rows = traced(session, self.recipient, mark_of(session, self.completes))
        asked = AskedHeader(
            marker=self.marker(session),
            own=OWN_SUBJECT,
            recipient=self.recipient,
            domains=(session.tenant.domain, session.tenant.initial_domain),
            traced=tuple(str(row["MessageId"]) for row in rows if row.get("MessageId")),
        )
        headers = of_kind(found, Kind.HEADER)
        return {TOPIC: [f for text in headers for f in judge_header(text, asked)]}

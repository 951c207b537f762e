"""What SAP attestations share: artifacts read, judged by topic, one verdict each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.attestations import readable
from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import (
    Attestation,
    Evidence,
    NothingToDo,
    Observation,
    Waits,
)
from runbook_lib.sap.artifact import Artifact, Kind, artifacts
from runbook_lib.sap.finding import Finding, Verdict, overall
from runbook_lib.sap.masking import masked
from runbook_lib.session import Session

Judged = Mapping[str, Sequence[Finding]]

ON_PREMISES = frozenset({"s4-onprem", "s4-private", "netweaver", "ecc"})
BTP = frozenset({"btp-abap"})
STATED = "as stated by a person"
# What a refusal of the SAP system itself leads to, by its code.
UNREAD = {"NotPermitted": "sap-system-unread", "NotOffered": "sap-system-unread"}
# Optional topics: what was not handed in is not asked for.
NOT_NEEDED = "not handed in"


@dataclass(frozen=True)
class SapAttestation(Attestation):
    """An attestation whose evidence is judged by rules, topic by topic.

    `topics` have to pass, `optional` ones where they were handed in; `products`
    are those for which there is something to configure; what a service shows may
    be advice only (`measured_counts`). Evidence that shows too little leaves the
    step waiting; evidence that contradicts fails it, whatever a person states.
    """

    topics: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    products: ClassVar[frozenset[str]] = ON_PREMISES
    measured_counts: ClassVar[bool] = True
    remedies: ClassVar[Mapping[str, str]] = UNREAD
    product: str

    def applicable(self) -> None:
        """Leave it out for products that have no such transaction."""
        if self.product not in self.products:
            raise NothingToDo("not_applicable", f"{self.product} has nothing of it.")

    def expect(self) -> State:
        """Return that every topic passes."""
        good = str(Verdict.PASS)
        return {
            **dict.fromkeys(self.topics, good),
            **dict.fromkeys(self.optional, OneOf((good, NOT_NEEDED))),
        }

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Return the findings by topic; a topic without an artifact is left out.

        `evidence` says who stated what and when.
        """
        raise NotImplementedError

    def redact(self, session: Session, text: str) -> str:
        """Mask people and credentials; addresses of the tenant file stay."""
        return masked(text, keep=kept(session), marker=self.marker(session))

    def marker(self, session: Session) -> str:
        """Return the text that marks our own row of a list, or an empty one."""
        return ""

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Judge what was handed in.

        Raises:
            Waits: nothing contradicts, and something is not shown yet.
        """
        found = [*artifacts(texts(evidence)), *self._measured(session, evidence)]
        judged = self.judge(session, found, evidence)
        findings = [finding for topic in judged.values() for finding in topic]
        self._wait_for_more(judged)
        topics = (*self.topics, *self.optional)
        properties = {topic: shown(judged.get(topic)) for topic in topics}
        counts = self.measured_counts
        return Observation(
            properties,
            context={"findings": [str(finding) for finding in findings]},
            vantage=vantage(evidence, counts=counts),
            service=service(evidence) if counts else None,
            advice=" ".join([*advice(evidence), *warnings(findings)]) or None,
        )

    def _measured(self, session: Session, evidence: Evidence) -> list[Artifact]:
        """Return what a service showed, masked as what people hand in."""
        shown_texts = evidence.measured.texts if evidence.measured else {}
        return [
            Artifact(Kind(name), self.redact(session, text), measured=True)
            for name, text in shown_texts.items()
        ]

    def _wait_for_more(self, judged: Judged) -> None:
        topics = [*self.topics, *(t for t in self.optional if judged.get(t))]
        verdicts = {topic: overall(judged.get(topic, ())) for topic in topics}
        if Verdict.FAIL in verdicts.values():
            return
        for topic, verdict in verdicts.items():
            if verdict is Verdict.UNDETERMINED:
                raise self._waits(topic, judged.get(topic))

    def _waits(self, topic: str, findings: Sequence[Finding] | None) -> Waits:
        unclear = [f for f in findings or () if f.verdict is Verdict.UNDETERMINED]
        said = f"{unclear[0].says} ({unclear[0].evidence})" if unclear else NOT_YET
        return Waits(
            f"Waiting for evidence of {topic}: {said}",
            remedy=unclear[0].fix if unclear else "Hand it in with the other texts.",
            remedy_id=self.id,
        )


NOT_YET = "it was not handed in."


def texts(evidence: Evidence) -> list[str]:
    """Return the pasted text and the attachments that are text."""
    attached = [readable(path.read_bytes(), path.suffix) for path in evidence.files]
    return [evidence.text, *(text for text in attached if text is not None)]


def of_kind(
    found: Sequence[Artifact], *kinds: Kind, measured: bool = False
) -> list[str]:
    """Return the texts of some kinds: those handed in, or those that were measured."""
    return [a.text for a in found if a.kind in kinds and a.measured is measured]


def service(evidence: Evidence) -> str | None:
    """Return the interface that showed something, or None."""
    measured = evidence.measured
    return measured.by if measured and not measured.problem else None


def vantage(evidence: Evidence, *, counts: bool = True) -> str:
    """Return whose eyes saw it: a service's, a person's, or both.

    `counts` is false where what the service shows is no part of the verdict.
    """
    measured = evidence.measured
    if measured is None or measured.problem or not counts:
        return STATED
    seen = f"this computer, by {measured.by} ({measured.where})"
    return f"{seen}; the rest {STATED}" if evidence.by_person else seen


def advice(evidence: Evidence) -> list[str]:
    """Return what to say of the service: not asked with success, or asked weakly."""
    measured = evidence.measured
    if measured is None:
        return []
    if measured.problem:
        return [f"Judged by what was handed in alone: {measured.problem.message}"]
    return [measured.weakness] if measured.weakness else []


def warnings(findings: Sequence[Finding]) -> list[str]:
    """Return what works, or may work, and should be looked at."""
    found = [f for f in findings if f.verdict is Verdict.WARNING]
    return [f"{f.says} {f.fix}" for f in found]


def shown(findings: Sequence[Finding] | None) -> str:
    """Return `pass`, or the first finding that decides, in one line."""
    verdict = overall(findings or ())
    if verdict is Verdict.PASS:
        return str(verdict)
    deciding = [f for f in findings or () if f.verdict is verdict]
    return str(deciding[0]) if deciding else NOT_NEEDED


def kept(session: Session) -> tuple[str, ...]:
    """Return the addresses that the tenant file names: they are in the record."""
    recipients = session.tenant.recipients
    return (*own_senders(session), recipients.internal, recipients.external)


def own_senders(session: Session) -> tuple[str, ...]:
    """Return the mailbox, and the senders that the tenant file names beside it."""
    return (session.tenant.mailbox, *session.tenant.sap_mail.senders)

"""The attestation that SAP's signing certificate was exported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Evidence, NothingToDo, Observation, Waits
from runbook_lib.sap.artifact import Artifact
from runbook_lib.sap.finding import Finding, Verdict
from runbook_lib.sap.signing_certificate import ExportedCertificate, judge_certificate
from runbook_lib.session import Session
from runbook_lib.steps.certificate import JWT, only_with_certificate
from runbook_lib.steps.sap_evidence import (
    BTP,
    ON_PREMISES,
    STATED,
    Judged,
    SapAttestation,
    shown,
)

TOPIC = "certificate"


@dataclass(frozen=True)
class JwtCertificateExported(SapAttestation):
    """SAP's JWT signing certificate was exported, and Entra ID can use it.

    It comes from SOAUTH2_CLIENT, Global Settings, else from STRUST, SSF OA2CJC,
    with the format Base64; in the BTP ABAP environment from the outbound user.
    The first file, or the pasted text, is read. A private key in it fails the
    step and is not stored.

    Source: guide, "JWT bearer", steps 1 and 2.
    """

    title: ClassVar[str] = "Export the JWT signing certificate"
    guide: ClassVar[str] = JWT
    topics: ClassVar[tuple[str, ...]] = (TOPIC,)
    products: ClassVar[frozenset[str]] = ON_PREMISES | BTP
    credential: str
    certificate: str = ""
    sid: str = ""

    def applicable(self) -> None:
        """Leave it out where a secret was chosen, or the file was given already.

        Raises:
            NothingToDo: so it is.
        """
        only_with_certificate(self.credential)
        super().applicable()
        if self.certificate:
            raise NothingToDo(
                "not_applicable", "The exported file was given as certificate."
            )

    def expect(self) -> State:
        """Return a usable certificate with its thumbprint."""
        return {**super().expect(), "customKeyIdentifier": Present()}

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Return nothing: a certificate is read as bytes, by `validate`."""
        return {}

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the first export that was handed in.

        Raises:
            Waits: there is neither a file nor a text with a certificate.
        """
        exported = self._exported(session, evidence)
        found, findings = exported.certificate, exported.findings
        return Observation(
            {
                TOPIC: shown(findings),
                "customKeyIdentifier": found.thumbprint if found else None,
                "base64": found.base64 if found else None,
                "endDateTime": found.not_after.isoformat() if found else None,
            },
            context={"findings": [str(finding) for finding in findings]},
            vantage=STATED,
            advice=_advice(findings),
        )

    def _exported(self, session: Session, evidence: Evidence) -> ExportedCertificate:
        exports = [path.read_bytes() for path in evidence.files]
        if re.search("MII|PRIVATE KEY", evidence.text):
            exports.append(evidence.text.encode())
        if not exports:
            raise Waits(
                "Waiting for SAP's signing certificate.",
                remedy="Attach the exported file, or paste its Base64 text.",
                remedy_id=self.id,
            )
        return judge_certificate(exports[0], now=session.now(), sid=self.sid)


def _advice(findings: Sequence[Finding]) -> str | None:
    warnings = [f for f in findings if f.verdict is Verdict.WARNING]
    return " ".join(f"{f.says} {f.fix}" for f in warnings) or None

"""The SMTP node of SAP for a way without sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Attestation, Evidence, Observation
from runbook_lib.sap.finding import Verdict, overall
from runbook_lib.sap.mail_node import SCOT, judge_node, read_node
from runbook_lib.sap.wanted import WantedNode
from runbook_lib.session import Session


@dataclass(frozen=True)
class MailNodeWithoutLogon(Attestation):
    """SCOT names the MX endpoint and port 25, and holds no SMTP AUTH logon data.

    The evidence is the node's form, one field a line. Logon data that is left
    from an earlier setting fails the step: SAP would try to sign in where
    nobody can.

    Source: guide, "Steps in SAP Application server", steps 2 to 4.
    """

    title: ClassVar[str] = "SMTP node of SAP"
    guide: ClassVar[str] = "steps-in-sap-application-server"
    host: str

    def expect(self) -> State:
        """Return that the form was judged good."""
        return {"SMTP node": str(Verdict.PASS)}

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the form and judge it against host, port, TLS and no logon data."""
        form = read_node(evidence.text, SCOT)
        findings = judge_node(form, WantedNode.of_relay(self.host))
        bad = [str(one) for one in findings if one.verdict is not Verdict.PASS]
        return Observation(
            {"SMTP node": str(overall(findings))},
            context={"findings": bad, "mail host": self.host},
            vantage="as stated by a person",
            advice=" ".join(bad) or None,
        )

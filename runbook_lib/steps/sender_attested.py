"""What only people know of SAP's address or certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Attestation, Evidence, Observation
from runbook_lib.sap.form import Form, is_on, read_form
from runbook_lib.session import Session
from runbook_lib.steps.public_address import identification, written

PLACE = "statement about the sender"

LABELS: Mapping[str, tuple[str, ...]] = {
    "address": ("public address", "IP address"),
    "static": ("static address", "fixed"),
    "shared": ("shared outside the organization", "shared with others"),
    "ours": ("belongs to us", "owned by us"),
    "outbound": ("outbound by", "SNAT", "SNAT reference", "NAT"),
    "certificate": ("certificate name", "subject"),
    "issuer": ("issued by", "certification authority"),
}


@dataclass(frozen=True)
class SenderAttested(Attestation):
    """The address is static, unshared and ours; or the certificate is a public one.

    Microsoft trusts everything that comes from a connector's address, so a
    shared or changing address lets strangers relay. The evidence is a text with
    one field a line: address, static, shared, ours, and the reference of the
    outbound rule (SNAT); or certificate and issuer.

    Source: guide, "Step-by-step configuration instructions for SMTP relay in
    Microsoft 365", step 1; "Use Source Network Address Translation (SNAT) for
    outbound connections".
    """

    title: ClassVar[str] = "Address is static, unshared and ours"
    guide: ClassVar[str] = "requirements-for-smtp-relay"
    address: str
    certificate: str = ""

    def expect(self) -> State:
        """Return what has to be stated of the one or the other."""
        known = identification(self.address, self.certificate, examples=True)
        if known.network is None:
            return {"certificate": known.certificate, "issuer": Present()}
        return {
            "address": written(known.network),
            "static": True,
            "shared": False,
            "ours": True,
            "outbound": Present(),
        }

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the fields; what is not stated is not taken for granted."""
        form = read_form(evidence.text, LABELS, PLACE)
        switches = {"static", "shared", "ours"}
        return Observation(
            {
                name: is_on(form.get(name)) if name in switches else _said(form, name)
                for name in self.expect()
            },
            vantage="as stated by a person",
            context={"read in": PLACE},
        )


def _said(form: Form, name: str) -> str | None:
    field = form.get(name)
    if field is None or not field.plain:
        return None
    return field.plain if name in {"address", "certificate"} else field.value.strip()

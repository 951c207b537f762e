"""What the SAP system must be for the kind of credential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import AtLeast, State
from runbook_lib.engine.step import (
    Check,
    Evidence,
    Measured,
    NotAsExpected,
    Observation,
)
from runbook_lib.sap.artifact import Kind
from runbook_lib.sap.components import judge_components
from runbook_lib.sap.release import (
    LEAST_BASIS,
    Product,
    parse_basis,
    parse_credential,
    parse_product,
)
from runbook_lib.session import Session
from runbook_lib.steps.sap_evidence import vantage
from runbook_lib.steps.sap_measured import kernel, measured_components


@dataclass(frozen=True)
class SapReleaseSupportsCredential(Check):
    """SAP_BASIS is new enough for the kind of credential.

    A client secret needs SAP_BASIS 7.50, a certificate 7.51. The BTP ABAP
    environment is judged by product. In S/4HANA Cloud Public Edition SAP
    manages the integration, so there is nothing for this runbook to do. The release
    is read from the start service where the tenant file names one, and has to be
    the declared one.

    Source: guide, "Prerequisites" and the warning about Basic authentication.
    """

    title: ClassVar[str] = "SAP release supports the credential"
    guide: ClassVar[str] = "prerequisites"
    product: str
    sap_basis: str
    credential: str

    def expect(self) -> State:
        """Return the least release, or the product where that decides."""
        kind = parse_credential(self.credential)
        if parse_product(self.product) is Product.BTP_ABAP:
            return {"product": str(Product.BTP_ABAP)}
        return {"SAP_BASIS": AtLeast(LEAST_BASIS[kind])}

    def observe(self, session: Session) -> Observation:
        """Read the parameters, and ask the start service where there is one."""
        product = parse_product(self.product)
        if product is Product.S4_PUBLIC:
            raise NotAsExpected(
                "SAP manages mail of S/4HANA Cloud Public Edition.",
                remedy="There is nothing to set up in this tenant; ask SAP.",
                remedy_id="sap-release-supports-credential",
            )
        if product is Product.BTP_ABAP:
            return Observation(
                {"product": str(product)}, advice=_btp_advice(self.credential)
            )
        declared = parse_basis(self.sap_basis)
        context = {"product": str(product), "credential": self.credential}
        measured = measured_components(session)
        if measured is None or measured.problem:
            problem = measured and measured.problem
            return Observation(
                {"SAP_BASIS": declared},
                context=context,
                vantage="as declared in the parameters",
                advice=f"Not measured: {problem.message}" if problem else None,
            )
        release = _released(measured, declared)
        return Observation(
            {"SAP_BASIS": release},
            context={**context, "kernel": kernel(session) or "not shown"},
            vantage=vantage(Evidence("", "", "", "", measured=measured)),
            service=measured.by,
            advice=measured.weakness,
        )


def _released(measured: Measured, declared: int) -> int:
    """Return the measured release, if it is the declared one.

    Raises:
        NotAsExpected: it is another one, or there is no ABAP system at all.
    """
    found = judge_components(measured.texts.get(Kind.COMPONENTS, ""))
    if found.basis != declared:
        shows = f"SAP_BASIS {found.basis}" if found.basis else "no SAP_BASIS"
        raise NotAsExpected(
            f"The parameter sap_basis says {declared}, {measured.by} "
            f"({measured.where}) shows {shows}.",
            remedy="Name the release of this system, or the right system in the "
            "tenant file.",
            remedy_id="sap-release-supports-credential",
        )
    return found.basis


def _btp_advice(credential: str) -> str | None:
    if parse_credential(credential) == "certificate":
        return None
    return (
        "The guide allows only a certificate (JWT) in the BTP ABAP environment; "
        "SAP's documentation lists a client secret as well."
    )

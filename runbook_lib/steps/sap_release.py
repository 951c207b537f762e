"""What the SAP system must be for the kind of credential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import AtLeast, State
from runbook_lib.engine.step import Check, NotAsExpected, Observation
from runbook_lib.sap.release import (
    LEAST_BASIS,
    Product,
    parse_basis,
    parse_credential,
    parse_product,
)
from runbook_lib.session import Session


@dataclass(frozen=True)
class SapReleaseSupportsCredential(Check):
    """SAP_BASIS is new enough for the kind of credential.

    A client secret needs SAP_BASIS 7.50, a certificate 7.51. The BTP ABAP
    environment is judged by product. In S/4HANA Cloud Public Edition SAP
    manages the integration, so there is nothing for this runbook to do.

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
        """Read the parameters; the SAP system itself is not asked."""
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
        release = parse_basis(self.sap_basis)
        return Observation(
            {"SAP_BASIS": release},
            context={"product": str(product), "credential": self.credential},
            vantage="as declared in the parameters",
        )


def _btp_advice(credential: str) -> str | None:
    if parse_credential(credential) == "certificate":
        return None
    return (
        "The guide allows only a certificate (JWT) in the BTP ABAP environment; "
        "SAP's documentation lists a client secret as well."
    )

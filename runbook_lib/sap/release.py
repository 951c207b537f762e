"""SAP products and SAP_BASIS releases, and the credentials they can use."""

from __future__ import annotations

import re
from enum import StrEnum

from runbook_lib.errors import InputError


class Product(StrEnum):
    """ABAP Platform-based products, as the guide names them."""

    S4_ON_PREMISES = "s4-onprem"
    S4_PRIVATE = "s4-private"
    S4_PUBLIC = "s4-public"
    BTP_ABAP = "btp-abap"
    NETWEAVER = "netweaver"
    ECC = "ecc"


LEAST_BASIS = {"secret": 750, "certificate": 751}

# Kernel releases that people give for SAP_BASIS. 753 is both and is accepted.
KERNELS = frozenset({721, 722, 741, 742, 745, 749, 773, 777, 781, 785, 789, 793, 916})

# After 4.6 came 6.10: 7.5 and 75 are no releases, though 7.50 and 750 are one.
OLDEST, FIRST_OF_THREE_DIGITS = 46, 610

_RELEASE = re.compile(r"(?:SAP_BASIS\s+)?(\d{2,3}|\d{1,2}\.\d{1,2})(?:\s+.*)?")


def parse_product(text: str) -> Product:
    """Read a product.

    Raises:
        InputError: not one of the products.
    """
    try:
        return Product(text.strip().lower())
    except ValueError:
        raise InputError(
            f"product: {text!r} is not known",
            remedy=f"Use one of {', '.join(Product)}.",
        ) from None


def parse_basis(text: str) -> int:
    """Read a SAP_BASIS release as 750, 7.50, or a line of System > Status.

    Returns the release as an integer without the dot; a plain comparison of
    those is right (816 is newer than 758).

    Raises:
        InputError: no release, or a kernel release.
    """
    match = _RELEASE.fullmatch(text.strip())
    release = int(match[1].replace(".", "")) if match else 0
    if release != OLDEST and release < FIRST_OF_THREE_DIGITS:
        raise InputError(
            f"sap_basis: {text!r} is not a SAP_BASIS release",
            remedy="Give it as 758 or 7.58 (System > Status > Components).",
        )
    if release in KERNELS:
        raise InputError(
            f"sap_basis: {release} looks like a kernel release",
            remedy="Give the release of component SAP_BASIS, as 758.",
        )
    return release


def parse_credential(text: str) -> str:
    """Read the kind of credential.

    Raises:
        InputError: neither secret nor certificate.
    """
    kind = text.strip().lower()
    if kind not in LEAST_BASIS:
        raise InputError(
            f"credential: {text!r} is not known",
            remedy=f"Use one of {', '.join(LEAST_BASIS)}.",
        )
    return kind

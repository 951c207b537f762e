"""What a person declares about a system, read into a profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runbook_lib.errors import InputError
from runbook_lib.sap.release import parse_basis, parse_credential, parse_product
from runbook_lib.steps.choice.limits import TLS_CRYPTO_LIBRARY, TLS_KERNEL
from runbook_lib.steps.choice.profile import Profile, conjunction

# From this SAP_BASIS on every kernel is newer than the one that TLS needs.
NEWER_KERNELS = 740

YES_NO = (
    "external",
    "hub_network",
    "static_address",
    "tls_certificate",
    "smtp_auth",
    "relay_server",
    "notes",
    "port_587",
    "port_25",
)
NUMBERS = (
    "recipients_per_day",
    "external_per_day",
    "messages_per_minute",
    "senders",
    "application_servers",
)

_KERNEL = re.compile(r"(\d)\.?(\d{2})\D*(\d*)")
_LIBRARY = re.compile(r"\D*(\d+)\.(\d+)\.(\d+)\b.*")


def read_profile(
    declared: Mapping[str, str], *, direct_send_rejected: bool | None
) -> Profile:
    """Return the profile of what was declared; an empty text is unknown.

    Raises:
        InputError: a text that cannot be read; the message names the parameter.
    """
    product = declared["product"] and parse_product(declared["product"])
    basis = parse_basis(declared["sap_basis"]) if declared["sap_basis"] else None
    credential = declared["credential"] and parse_credential(declared["credential"])
    facts: dict[str, Any] = {name: yes_no(name, declared[name]) for name in YES_NO}
    facts |= {name: number(name, declared[name]) for name in NUMBERS}
    return Profile(
        product=product or None,
        sap_basis=basis,
        credential=credential or None,
        tls12=reads_tls12(basis, declared["kernel"], declared["crypto_library"]),
        licenses=_licenses(declared["licenses"]),
        direct_send_rejected=direct_send_rejected,
        **facts,
    )


def yes_no(name: str, text: str) -> bool | None:
    """Read yes, no, or nothing, which is unknown.

    Raises:
        InputError: anything else.
    """
    known = {"": None, "yes": True, "no": False}
    plain = text.strip().lower()
    if plain not in known:
        raise InputError(
            f"{name}: {text!r} is neither yes nor no",
            remedy="Use yes or no, or leave it empty if it is not known.",
        )
    return known[plain]


def number(name: str, text: str) -> int | None:
    """Read a whole number; nothing is unknown. Thousands may have commas.

    Raises:
        InputError: anything else.
    """
    plain = text.strip().replace(",", "")
    if not plain:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", plain):
        raise InputError(
            f"{name}: {text!r} is not a whole number",
            remedy="Give it as 2500, or leave it empty if it is not known.",
        )
    return int(plain)


def _licenses(text: str) -> int | None:
    return 0 if text.strip().lower() == "trial" else number("licenses", text)


def reads_tls12(basis: int | None, kernel: str, library: str) -> bool | None:
    """Tell whether kernel and CommonCryptoLib can use TLS 1.2 for outgoing mail.

    `kernel` is release and patch level, as 7.53 PL 1100; it matters below
    SAP_BASIS 7.40 only. `library` is the version of CommonCryptoLib, as 8.5.48.

    Raises:
        InputError: a version that cannot be read.

    Source: SAP Note 1747180 (kernel 7.21 patch level 33); SAP Note 510007
    (CommonCryptoLib 8.4.38).
    """
    return conjunction(_kernel_suffices(basis, kernel), _library_suffices(library))


def _kernel_suffices(basis: int | None, text: str) -> bool | None:
    if basis is not None and basis >= NEWER_KERNELS:
        return True
    if not text.strip():
        return None
    match = _KERNEL.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"kernel: {text!r} is no kernel release",
            remedy="Give release and patch level, as 7.21 PL 33.",
        )
    release, level = int(match[1] + match[2]), match[3]
    if release != TLS_KERNEL[0]:
        return release > TLS_KERNEL[0]
    return int(level) >= TLS_KERNEL[1] if level else None


def _library_suffices(text: str) -> bool | None:
    if not text.strip():
        return None
    match = _LIBRARY.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"crypto_library: {text!r} is no version of CommonCryptoLib",
            remedy="Give it as 8.5.48 (STRUST > Environment > Display SSF Version).",
        )
    return tuple(int(part) for part in match.groups()) >= TLS_CRYPTO_LIBRARY

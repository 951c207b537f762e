"""The values that a Basis administrator enters in SAP for options 2 and 3."""

from __future__ import annotations

from runbook_lib.sap.values import SapValue

NODE = "SCOT (SMTP node)"
DEFAULTS = "SCOT > Settings > Default Domain"


def relay_node(host: str, domain: str) -> list[SapValue]:
    """Return the fields of an SMTP node that signs in as nobody.

    `host` is the MX endpoint, `domain` the sender's domain.
    """
    return [
        SapValue(NODE, "Mail host", host),
        SapValue(NODE, "Mail port", "25"),
        SapValue(
            NODE,
            "TLS",
            "mandatory",
            "The guide says “if possible”; mandatory keeps mail from leaving in the "
            "clear, where kernel and CommonCryptoLib can use TLS 1.2.",
        ),
        SapValue(NODE, "Logon data of SMTP AUTH", "none: delete what is there"),
        SapValue(NODE, "Address area", "*"),
        SapValue(DEFAULTS, "Default domain", domain),
    ]

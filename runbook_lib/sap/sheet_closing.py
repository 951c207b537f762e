"""How the sheet ends: the test plan, and the dates to watch."""

from __future__ import annotations

from runbook_lib.deadlines import DIGICERT_G2, of_option
from runbook_lib.sap.sheet import Expiry, SheetFacts
from runbook_lib.sap.sheet_host import trusted


def on_premises_tests(facts: SheetFacts) -> list[str]:
    """Return the order of proof, each with its evidence."""
    marker, to = facts.marker, facts.recipient
    first = [
        f"V1  From each application server: telnet {facts.mail_host} {facts.port} "
        "answers "
        "220. Keep command and answer.",
        "V2  SMICM › Services: SMTP is active on each application server. Save the "
        "list.",
        "V3  SICF: SAPconnect is active. Write name and status on one line.",
        f"V4  STRUST: both client PSEs list {trusted(facts)}. Copy the lists.",
    ]
    if facts.option == 1:
        first.append(
            "V5  SOAUTH2_CLIENT › Token › Request Token: Valid, expires in … It proves "
            "Entra ID, TLS and proxy, apart from mail."
        )
    return [
        *first,
        "V6  The SMTP node shows the values of this sheet. Type them into the form.",
        "V7  The default domain is set; the sender has its address in SU01.",
        "V8  The send job is scheduled (SM37).",
        f"V9  SBWP: send a message to {to} whose title holds {marker}.",
        f"V10 SOST: the row with {marker} is Sent. Green means handed over, not "
        "delivered. Save the row with its headings.",
        "V11 The message arrives: keep its whole header (Internet headers).",
        *_negative(facts),
    ]


def _negative(facts: SheetFacts) -> list[str]:
    if facts.option != 1:
        return [
            "V12 If TLS is not mandatory, look in the received headers that TLS was "
            "used."
        ]
    return [
        "V12 Negative control: a message of a user without Send As, with another "
        "address, is refused (550 5.7.60)."
    ]


def btp_tests(facts: SheetFacts) -> list[str]:
    """Return the order of proof in the BTP ABAP environment."""
    return [
        "V1  The communication arrangement is active.",
        "V2  Monitor Email Transmissions › Send Testmail, as a user whose email "
        "address "
        f"is {facts.mailbox}: subject and text are fixed, and the sender is that user.",
        f"V3  Or send with CL_BCS_MAIL_MESSAGE, set_sender {facts.mailbox}, and a "
        f"subject that holds {facts.marker}, to {facts.recipient}.",
        "V4  The row shows the answer of the SMTP server; rows vanish after 30 days.",
        "V5  The message arrives: keep its whole header (Internet headers). A test "
        "mail with a fixed subject cannot be found by this run: use V3 for it.",
    ]


def public_tests(facts: SheetFacts) -> list[str]:
    """Return what a customer of the Public Edition can prove."""
    return [
        f"V1  Send a message to {facts.recipient}, if you can with {facts.marker} in "
        "its subject; Monitor Email Transmissions shows it.",
        "V2  The message arrives: keep its whole header (Internet headers).",
    ]


def expiries(facts: SheetFacts) -> list[Expiry]:
    """Return the dates to watch."""
    found: list[Expiry] = [
        Expiry(
            "Certificate of DigiCert Global Root G2",
            "2038-01-15",
            "Import its successor into STRUST before.",
        )
    ]
    if facts.in_sap_cloud:
        found = []  # SAP keeps the trust of its cloud
    if facts.option == 4:
        found = [Expiry("TLS certificate of the relay", "see the relay", _RENEW)]
    credential = [_credential(facts)] if facts.option == 1 else []
    return [*credential, *found, *_announced(facts)]


_RENEW = "Renew it there; if its CA changes, let SAP trust the new one before."


def _credential(facts: SheetFacts) -> Expiry:
    if facts.credential == "certificate" or facts.in_sap_cloud:
        return Expiry(
            "SAP's signing certificate",
            facts.certificate_until,
            "Upload the new certificate to Entra ID before SAP switches: the key "
            "serves "
            "every OAuth 2.0 client.",
        )
    return Expiry(
        f"Client secret, key ID {facts.key_id}",
        facts.secret_until,
        "Run apply a month before: it makes a new secret; enter it in SAP; then the "
        "old one is removed.",
    )


def _announced(facts: SheetFacts) -> list[Expiry]:
    """Return Microsoft's dates for the option, each as of the day it was read."""
    found = of_option(facts.option)
    if facts.in_sap_cloud:
        found = tuple(known for known in found if known is not DIGICERT_G2)
    return [
        Expiry(
            f"{known.topic} (as of {known.as_of.isoformat()})",
            "; ".join(known.sentences()) or "no date announced",
            known.note,
        )
        for known in found
    ]

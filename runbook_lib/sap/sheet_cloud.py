"""What the sheet says of products in SAP's cloud: BTP and the Public Edition."""

from __future__ import annotations

from functools import partial

from runbook_lib.sap.sheet import BTP_ADMIN, KEY_USER, SAP_SUPPORT, Action, SheetFacts
from runbook_lib.sap.sheet_mail import judged
from runbook_lib.sap.values import SapValue

SYSTEM = "Communication Systems › New"
USER = "Communication Systems › Users for Outbound Communication › New"
ARRANGEMENT = "Communication Arrangements › New › SAP_COM_0548"

# What these two actions say whichever way mail goes from here.
communication_system = partial(
    Action,
    id="communication-system",
    executor=BTP_ADMIN,
    place=SYSTEM,
    proof="The system is active.",
    back_out="Delete the communication system.",
)
communication_arrangement = partial(
    Action,
    id="communication-arrangement",
    title="Create the communication arrangement SAP_COM_0548",
    executor=BTP_ADMIN,
    place=ARRANGEMENT,
    back_out="Delete the communication arrangement.",
)


def btp_actions(facts: SheetFacts) -> list[Action]:
    """Return the actions in the BTP ABAP environment, in their order."""
    return [system(facts), outbound_user(facts), arrangement(facts), allow_list(facts)]


def system(facts: SheetFacts) -> Action:
    """Return the communication system."""
    return communication_system(
        title="Create the communication system",
        steps=("Enter the values below, and keep Cloud Connector off.",),
        reason="It says where mail goes, and where tokens come from.",
        values=(
            SapValue(SYSTEM, "System ID and name (free; an example)", "EXO_SMTP"),
            SapValue(SYSTEM, "Host Name", facts.mail_host),
            SapValue(SYSTEM, "Port", "587", "The label of the field may differ."),
            SapValue(SYSTEM, "Cloud Connector", "off"),
            SapValue(
                SYSTEM,
                "Token Endpoint (without https://)",
                f"{facts.login}/{facts.tenant_id}/oauth2/v2.0/token",
            ),
        ),
        evidence="communication-arrangement-configured",
    )


def outbound_user(facts: SheetFacts) -> Action:
    """Return the outbound user, whose certificate Entra ID has to know."""
    return Action(
        id="outbound-user",
        title="Create the outbound user, and download its certificate",
        executor=BTP_ADMIN,
        place=USER,
        steps=(
            "Enter the values below.",
            "Download Certificate, and give the file to whoever runs the runbook.",
            "Compare the thumbprint below once Entra ID has it.",
        ),
        reason="SAP signs its token requests with this user's key.",
        proof="The thumbprint in Entra ID is that of the downloaded file.",
        back_out="Delete the outbound user; the runbook's rollback removes the "
        "certificate.",
        values=(
            SapValue(USER, "Authentication Method", "OAuth 2.0"),
            SapValue(USER, "OAuth 2.0 Client ID", facts.app_id),
            SapValue(USER, "Client Authentication", "JWT"),
            SapValue("Entra ID", "Thumbprint (SHA-1)", facts.certificate_sha1),
            SapValue("Entra ID", "Valid until", facts.certificate_until),
        ),
        evidence="jwt-certificate-exported",
        corrections=(
            "The guide says that JWT is the only way here; SAP's own page lists Basic, "
            "mTLS, JWT and None. JWT is recommended.",
        ),
    )


def arrangement(facts: SheetFacts) -> Action:
    """Return the communication arrangement SAP_COM_0548."""
    return communication_arrangement(
        steps=(
            "Choose the communication system and the outbound user from above.",
            "Enter the values below.",
        ),
        reason="It joins mailbox, scope and system; without the scope Entra ID gives "
        "no "
        "token for Exchange Online.",
        proof="The arrangement is active and shows both values.",
        values=(
            SapValue(ARRANGEMENT, "Scenario", "SAP_COM_0548"),
            SapValue(
                ARRANGEMENT,
                "OAuth User",
                facts.mailbox,
                "SAP added the property in May 2026; older systems may lack it.",
            ),
            SapValue(ARRANGEMENT, "Additional Scope", facts.scope),
        ),
        evidence="communication-arrangement-configured",
    )


def allow_list(facts: SheetFacts) -> Action:
    """Return the mail settings inside the system."""
    return Action(
        id="mail-settings",
        title="Check senders and allow lists",
        executor=KEY_USER,
        place="Upload Business Configuration; class CL_BCS_MAIL_SYSTEM_CONFIG",
        steps=(
            f"If the check of domains is active, allow {facts.domain} as sender "
            "domain.",
            f"Set the default sender to {facts.mailbox}.",
            "send_async( ) needs COMMIT WORK; without it a message stays Waiting.",
            *judged(facts),
        ),
        reason="The sender has to be the mailbox, or covered by Send As."
        if facts.option == 1
        else "The relay takes the senders that it was told, and no others.",
        proof="A test message arrives (test plan).",
        back_out="Put the former default sender back.",
        values=(
            SapValue("Business Configuration", "SMAIL_VM_DF_ADDR", facts.mailbox),
            SapValue("Business Configuration", "SMAIL_VM_SND_DOM", facts.domain),
        ),
    )


def public_actions(facts: SheetFacts) -> list[Action]:
    """Return what a customer of the Public Edition asks SAP, and checks."""
    return [
        Action(
            id="support-case",
            title="Ask SAP to configure Exchange Online",
            executor=SAP_SUPPORT,
            place="SAP support case",
            steps=(
                "Ask how SMTP with OAuth 2.0 to Exchange Online is requested for your "
                "tenant; component and form are not documented.",
                "Ask which application ID, certificate and tenant ID SAP needs or "
                "gives.",
                "Ask which sender SAP will use, and whether it can be "
                f"{facts.mailbox}.",
                "Ask how SAP tells you before its certificate ends.",
            ),
            reason="SAP manages this configuration; there is nothing to set yourself.",
            proof="SAP's answer in the case.",
            back_out="Ask SAP to take it back, in the same case.",
        ),
        Action(
            id="sender-domain",
            title="Define the sender domain",
            executor=KEY_USER,
            place="Configure Your Solution › Define Email Sender Domain",
            steps=(
                f"Enter {facts.domain} and a default sender.",
                "Publish SPF and DKIM for that domain.",
            ),
            reason="“Sent” in SAP is not “delivered”.",
            proof="Monitor Email Transmissions shows the message; it arrives.",
            back_out="Enter the former domain.",
        ),
    ]

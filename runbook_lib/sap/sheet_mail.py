"""What the sheet says of mail in SAP: note, OAuth 2.0, SMTP node, senders, send job."""

from __future__ import annotations

from runbook_lib.sap.note import CERTIFICATE_NOTE, OAUTH_NOTE
from runbook_lib.sap.release import Product
from runbook_lib.sap.sheet import BASIS, KEY_USER, Action, SheetFacts
from runbook_lib.sap.values import CLIENT, MAIL, SapValue, mail_node, oauth_client


def notes(facts: SheetFacts) -> Action:
    """Return the SAP Notes that option 1 needs."""
    numbers = [OAUTH_NOTE, *([CERTIFICATE_NOTE] if _certificate(facts) else [])]
    return Action(
        id="notes",
        title=f"SAP Note {' and '.join(numbers)}",
        executor=BASIS,
        place="SNOTE",
        steps=(
            "Read the note: releases, support packages, kernel and manual steps stand "
            "there, and were not available to this sheet.",
            "Implement it, unless a support package contains it already.",
        ),
        reason="Without it SAP offers no OAuth 2.0 for SMTP.",
        proof="SNOTE: Completely implemented; or the support package that contains it.",
        back_out="Leave the note in the system.",
        values=tuple(SapValue("SNOTE", "Note", number) for number in numbers),
        evidence="sap-notes-implemented",
        corrections=_ecc(facts),
    )


def _ecc(facts: SheetFacts) -> tuple[str, ...]:
    if facts.product not in (Product.ECC, Product.NETWEAVER):
        return ()
    return (
        "The guide names the note for S/4HANA only, and speaks of ECC with a client "
        "secret: SAP_BASIS 7.50 is needed, which ECC has from EHP8 on. Let the note "
        "confirm it.",
    )


def _certificate(facts: SheetFacts) -> bool:
    return facts.credential == "certificate"


def export(facts: SheetFacts) -> Action:
    """Return the export of SAP's signing certificate, which Entra ID has to know."""
    return Action(
        id="certificate",
        title="Export the JWT signing certificate",
        executor=BASIS,
        place="SOAUTH2_CLIENT › Global Settings › Settings for JWT Client "
        "Authentication; "
        "else STRUST › SSF OA2CJC › Own Certificate › Export, Base64",
        steps=(
            "Download the certificate; only the certificate, never the private key.",
            "Give the file to whoever runs the runbook: it goes to Entra ID.",
            "Compare the thumbprint below with the one that STRUST shows.",
        ),
        reason="SAP signs its token requests; Entra ID checks the signature with it. "
        "The "
        "key is shared by all OAuth 2.0 clients of the SAP client.",
        proof="The thumbprint in Entra ID is that of the exported file.",
        back_out="The runbook's rollback removes it from the application.",
        values=(
            SapValue("Entra ID", "Thumbprint (SHA-1)", facts.certificate_sha1),
            SapValue("Entra ID", "Valid until", facts.certificate_until),
        ),
        evidence="jwt-certificate-exported",
    )


def client(facts: SheetFacts) -> Action:
    """Return the OAuth 2.0 client of option 1."""
    secret = f"from the secret sink, key ID {facts.key_id}; handed over out of band"
    fields = oauth_client(
        facts.login,
        facts.tenant_id,
        facts.app_id,
        facts.scope,
        secret,
        facts.credential,
    )
    name = SapValue(CLIENT, "Configuration name (free; an example)", "BCS_MAIL_EXO")
    return Action(
        id="oauth-client",
        title="Create the OAuth 2.0 client",
        executor=BASIS,
        place=f"{CLIENT} › Create",
        steps=(
            "Create the configuration with the profile BCS_MAIL, or with your own.",
            "Look at the tab Scopes: it has exactly the scope below, and no other.",
            "Save; then Token › Request Token in display mode.",
        ),
        reason="SAP asks Entra ID for a token with it before each connection.",
        proof="Request Token answers Valid, expires in …",
        back_out="Delete the configuration.",
        values=(fields[0], name, *fields[1:]),
        evidence="oauth-client-configured",
        corrections=(
            "Enter the Application (client) ID; neither the object ID of the "
            "application "
            "nor that of the service principal works.",
        ),
    )


def authorizations(facts: SheetFacts) -> Action:
    """Return who may configure and who may use the OAuth 2.0 client."""
    place = "PFCG"
    return Action(
        id="authorizations",
        title="Grant the authorizations for OAuth 2.0",
        executor=BASIS,
        place=place,
        steps=(
            "Give S_OA2C_ADM to whoever configures the OAuth 2.0 client.",
            "Give S_OA2C_USE to every user under whom mail is sent: the step user of "
            "the send job, and users who send at once.",
        ),
        reason="Without S_OA2C_USE the send job gets no token, although the test by an "
        "administrator works.",
        proof="SU53 of the step user of the send job shows no missing authorization.",
        back_out="Take the authorizations back.",
        values=(
            SapValue(place, "S_OA2C_ADM, ACTVT", "01, 02, 03", _FIELD_REPORT),
            SapValue(place, "S_OA2C_USE, ACTVT", "16", _FIELD_REPORT),
            SapValue(place, "S_OA2C_USE, profile", "BCS_MAIL", _FIELD_REPORT),
        ),
    )


_FIELD_REPORT = "From field reports; compare with SU21."


def smtp(facts: SheetFacts) -> Action:
    """Return the SMTP node with OAuth 2.0."""
    fields = mail_node(facts.mail_host, facts.mailbox)
    others = (
        SapValue(MAIL, "OAuth 2.0 Client Profile", "BCS_MAIL"),
        SapValue(MAIL, "OAuth 2.0 Client Configuration", "BCS_MAIL_EXO", _SAME_NAME),
        SapValue(MAIL, "Modify legacy SMTP node", "on"),
        SapValue("SCOT › node › Internet › Set", "Address area", "*"),
    )
    return Action(
        id="smtp",
        title="Enter the SMTP configuration",
        executor=BASIS,
        place="SBCS_MAIL_CONFIGSMTP; where it does not exist, SCOT › SMTP node",
        steps=(
            "Enter the values below.",
            "Switch on Modify legacy SMTP node, so that SCOT gets the same values; or "
            "enter them in SCOT, security settings included.",
            "Delete logon data (user and password) of an earlier SMTP AUTH setting.",
        ),
        reason="TLS has to be mandatory: where it is not negotiated the node would "
        "send "
        "without signing in (530 5.7.57).",
        proof="Both transactions show the same values.",
        back_out="Enter the values that were kept at the beginning.",
        values=(*fields[:4], *others[:2], fields[4], *others[2:]),
        evidence="smtp-configured",
        corrections=(
            "The guide shows host, port and TLS on a picture only; port 465 is not "
            "offered, and an IP address is not supported.",
        ),
    )


_SAME_NAME = "The name of the configuration that was created above."


def relay(facts: SheetFacts) -> Action:
    """Return the SMTP node of options 2 to 4, which signs in as nobody."""
    place = "SCOT › SMTP node"
    return Action(
        id="smtp",
        title="Enter mail host and port in the SMTP node",
        executor=BASIS,
        place=place,
        steps=(
            "Enter the values below.",
            "Settings, next to Security: delete the logon data of SMTP AUTH with the "
            "button underneath, if there is any.",
            "Internet › Set: address area *.",
        ),
        reason="The receiving side knows SAP by its address or certificate, not by a "
        "user; logon data that is left makes SAP try to sign in.",
        proof="SCOT shows the values, and no logon user.",
        back_out="Enter the values that were kept at the beginning.",
        values=(
            SapValue(place, "Mail host", facts.mail_host),
            SapValue(place, "Mail port", "25"),
            SapValue(place, "TLS", "mandatory", _TLS_DOUBT),
            SapValue(place, "Logon data", "none"),
            SapValue("SCOT › node › Internet › Set", "Address area", "*"),
        ),
        evidence="mail-node-without-logon",
        corrections=_relay_corrections(facts),
    )


_TLS_DOUBT = (
    "The guide says “if possible”; mandatory keeps mail from leaving in the clear."
)


def _relay_corrections(facts: SheetFacts) -> tuple[str, ...]:
    if facts.option == 2:
        return ("Direct Send reaches recipients of your own organization only.",)
    return (
        "The guide refers to a section “Configure SMTP Auth with SCOT”, which no "
        "longer "
        "exists; steps 2 to 4 of option 1 are meant, and stand above.",
    )


def default_domain(facts: SheetFacts) -> Action:
    """Return the default domain and the addresses of senders."""
    place = "SCOT › Settings › Default Domain"
    return Action(
        id="default-domain",
        title="Set the default domain",
        executor=BASIS,
        place=place,
        steps=("Enter the domain below.",),
        reason="It is SAP's name in the greeting and in Message-IDs, and makes the "
        "address of users who have none.",
        proof="SCOT shows the domain.",
        back_out="Enter the domain that was there before.",
        values=(SapValue(place, "Default domain", facts.domain),),
        evidence="default-domain-set",
        corrections=("The guide does not mention it; without it no mail leaves.",),
    )


def senders(facts: SheetFacts) -> Action:
    """Return which From addresses Exchange Online will take."""
    own = f"Give each user or job that sends the address {facts.mailbox} in SU01, or"
    steps = {
        1: (
            f"{own} let the runbook's operator grant Send As for its address.",
            "Mind programs that set a sender themselves.",
        )
    }
    others = (
        f"Any address of {facts.domain} will do; it needs no mailbox.",
        "Mind programs that set a sender themselves, and users without an address.",
    )
    refusal = {1: "Exchange Online refuses other senders (550 5.7.60)."}
    return Action(
        id="senders",
        title="Check the senders",
        executor=KEY_USER,
        place="SU01 › Address › E-Mail Address",
        steps=(*steps.get(facts.option, others), *judged(facts)),
        reason="SAP chooses From itself: the address in SU01, else user and default "
        f"domain. {refusal.get(facts.option, _OTHER_DOMAINS)}",
        proof="A message of each sending user arrives.",
        back_out="",
    )


def judged(facts: SheetFacts) -> tuple[str, ...]:
    """Return a line for each From address that the run judged."""
    return tuple(
        f"Judged in this run: {address} – {covered}."
        for address, covered in facts.senders
    )


_OTHER_DOMAINS = "Mail from a domain that is not the organization's is refused."


def _pace(facts: SheetFacts) -> str:
    every = "Let it run every few minutes"
    paces = {
        1: f"{every}: 30 messages a minute are allowed for a mailbox.",
        4: f"{every}: the relay keeps to the limits of Exchange Online.",
    }
    return paces.get(facts.option, f"{every}; no limit a minute is published here.")


def send_job(facts: SheetFacts) -> Action:
    """Return the job that sends what waits."""
    return Action(
        id="send-job",
        title="Schedule the send job",
        executor=BASIS,
        place="SCOT › Send Jobs",
        steps=(
            "Schedule the job for Internet mail (report RSCONN01, MODE = INT).",
            _pace(facts),
        ),
        reason="Messages wait in SOST until the job runs.",
        proof="SM37 shows the job finished; SOST has no row that waits.",
        back_out="Leave the job, or stop it if it was not there before.",
    )

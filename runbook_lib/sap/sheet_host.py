"""What the sheet says of the SAP host: network, profile, trust, ICM, SICF."""

from __future__ import annotations

from runbook_lib.sap.sheet import BASIS, ECS, NETWORK, Action, SheetFacts
from runbook_lib.sap.trust_list import G2_NAME, G2_SERIAL, G2_SHA1, G2_SHA256
from runbook_lib.sap.values import SapValue

SMTP_SERVICE = "PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1"
CIPHERS = "150:PFS:HIGH::EC_X25519:EC_P256:EC_HIGH"


def administrator(facts: SheetFacts) -> str:
    """Return who works below the ABAP level."""
    return ECS if facts.operated_by_sap else BASIS


def host_actions(facts: SheetFacts) -> list[Action]:
    """Return the actions on the SAP host, in their order."""
    kinds = (previous, network, profile, trust, icm, sicf)
    return [kind(facts) for kind in kinds]


def previous(facts: SheetFacts) -> Action:
    """Return the first action: keep what is there now."""
    return Action(
        id="previous-values",
        title="Keep the present values",
        executor=BASIS,
        place="SCOT › SMTP node; SBCS_MAIL_CONFIGSMTP; RZ10; STRUST",
        steps=(
            "Write down, or take a screenshot of, the SMTP node with its settings: "
            "mail "
            "host, port, security, logon user, address areas.",
            "Keep a copy of the instance profile of each application server.",
            "Note which certificates the PSEs SSL client (Standard) and (Anonymous) "
            "list.",
        ),
        reason="The back-out at the end of this sheet puts these values back.",
        proof="The copies are attached to the change.",
        back_out="",
    )


def network(facts: SheetFacts) -> Action:
    """Return what has to be open on every application server."""
    host, port = facts.mail_host, str(facts.port)
    place = "operating system of each application server"
    values = [SapValue(place, f"TCP {port} to", host)]
    corrections = ["The guide says ping or telnet; in fact ping shows no port."]
    if facts.option == 1:
        values.append(SapValue(place, "TCP 443 to", facts.login))
        corrections.append(
            "An HTTP proxy (SICF › Client › Proxy Settings) serves the token call on "
            "443 only; SMTP never goes through it."
        )
    return Action(
        id="network",
        title="Open the way to the mail host",
        executor=NETWORK,
        place=place,
        steps=(
            f"Let each application server resolve {host}; never use an IP address.",
            f"Open the ports below. Test: telnet {host} {port}",
        ),
        reason="The message goes from the application server straight to the mail "
        "host.",
        proof=f"telnet answers “Connected to {host}” and a line that begins with 220.",
        back_out="Close the ports again.",
        values=tuple(values),
        evidence="network-from-sap-host",
        corrections=tuple(corrections),
    )


def profile(facts: SheetFacts) -> Action:
    """Return the profile lines; an index that is taken is never given."""
    place = "RZ10 › instance profile of each application server › Extended maintenance"
    return Action(
        id="profile",
        title="Define the SMTP service of ICM",
        executor=administrator(facts),
        place=place,
        steps=(
            _index(facts),
            "Where the system receives no mail, write PORT=0: no port is opened.",
            "Do it on every application server on which the send job may run.",
            "Save, and activate the profile.",
        ),
        reason="SAPconnect sends through the SMTP service of ICM.",
        proof="RZ11 shows the value as Current Value, after the restart below.",
        back_out="Remove the lines that were added; put the copied profile back.",
        values=(
            _port_value(facts, place),
            SapValue(place, "ssl/client_ciphersuites", CIPHERS, _CIPHER_DOUBT),
            SapValue(place, "icm/HTTPS/client_sni_enabled", "TRUE", _CIPHER_DOUBT),
            SapValue(place, "ssl/client_sni_enabled", "TRUE", _CIPHER_DOUBT),
        ),
        evidence="icm-service-active",
        corrections=(
            "The guide prints icm/server-port-1; in fact the name has underscores, "
            "icm/server_port_1, and the number 1 is often taken by HTTPS.",
            "The guide's TLS=1 concerns mail that comes in; the way to Exchange Online "
            "is encrypted by the setting of the SMTP node.",
        ),
    )


_CIPHER_DOUBT = (
    "As third parties quote SAP Note 510007; leave a value that already offers TLS 1.2."
)


def _index(facts: SheetFacts) -> str:
    if facts.port_line:
        return (
            f"The evidence shows an SMTP service already: {facts.port_line}. Change "
            "nothing there unless its values differ."
        )
    if facts.free_index is not None:
        return (
            f"The next free index in the evidence is {facts.free_index}; compare it "
            "with the profile before you save, and never overwrite a line."
        )
    return (
        "Take the next free index <n>: the lowest number that no line "
        "icm/server_port_<n> has, in the instance profile and in DEFAULT.PFL. Never "
        "overwrite a line."
    )


def _port_value(facts: SheetFacts, place: str) -> SapValue:
    if facts.port_line:
        name, _, value = facts.port_line.partition("=")
        return SapValue(place, name.strip(), value.strip())
    index = "<n>" if facts.free_index is None else str(facts.free_index)
    return SapValue(place, f"icm/server_port_{index}", SMTP_SERVICE)


def trust(facts: SheetFacts) -> Action:
    """Return the CA that SAP has to trust, with its thumbprints."""
    place = "STRUST › SSL client SSL Client (Standard), and again for (Anonymous)"
    if facts.option == 4:
        return _trust_relay(facts, place)
    return Action(
        id="trust",
        title=f"Trust {G2_NAME}",
        executor=administrator(facts),
        place=place,
        steps=(
            f"Get {G2_NAME} from DigiCert's own page, and compare both thumbprints.",
            "Certificate › Import › Add to Certificate List › Save, in both PSEs.",
            "If dev_icm names another missing CA (SignerCert), import that one as "
            "well.",
        ),
        reason="Exchange Online's certificates need it since 22 March 2026; STRUST has "
        "a "
        "list of its own, which no operating system update fills.",
        proof=f"The certificate lists of both PSEs show CN={G2_NAME}.",
        back_out="Remove it only if it was not there before and nothing else needs it.",
        values=(
            SapValue(place, "SHA-1", G2_SHA1),
            SapValue(place, "SHA-256", G2_SHA256),
            SapValue(place, "Serial number", G2_SERIAL),
        ),
        evidence="network-from-sap-host",
    )


def trusted(facts: SheetFacts) -> str:
    """Return whose certificate the client PSEs have to list."""
    return "the CA of the relay" if facts.option == 4 else G2_NAME


def _trust_relay(facts: SheetFacts, place: str) -> Action:
    """Return the CA of the relay: Exchange Online's is the relay's business."""
    return Action(
        id="trust",
        title="Trust the CA of the relay's certificate",
        executor=administrator(facts),
        place=place,
        steps=(
            "Get the CA certificate from whoever runs the relay, with its thumbprint.",
            "Certificate › Import › Add to Certificate List › Save, in both PSEs.",
            "If dev_icm names another missing CA (SignerCert), import that one as "
            "well.",
        ),
        reason="SAP speaks TLS with the relay, not with Exchange Online.",
        proof="The certificate lists of both PSEs show that CA.",
        back_out="Remove it only if it was not there before and nothing else needs it.",
        values=(SapValue(place, "CA of", facts.mail_host),),
        evidence="network-from-sap-host",
    )


def icm(facts: SheetFacts) -> Action:
    """Return the restart that makes profile and trust effective."""
    return Action(
        id="icm",
        title="Restart ICM, and see the SMTP service active",
        executor=administrator(facts),
        place="SMICM › Administration › ICM › Exit Soft; then Goto › Services",
        steps=(
            "Restart ICM, or the instance, as your policy says.",
            "Look at the row SMTP in the list of services, on each application server.",
        ),
        reason="The parameter is not dynamic, and a changed PSE is read at the start. "
        "Whether a restart of ICM alone reads the profile is not documented.",
        proof="SMICM › Services shows SMTP with its port, active.",
        back_out="Restart again after the profile was put back.",
        evidence="icm-service-active",
    )


def sicf(facts: SheetFacts) -> Action:
    """Return the SMTP node of the service tree."""
    return Action(
        id="sicf",
        title="Activate the service SAPconnect",
        executor=BASIS,
        place="SICF › SMTP node SAPconnect › Service/Host › Activate",
        steps=(
            "Activate the node by hand: reports for mass activation leave it out.",
            "Leave its handler list as it is (CL_SMTP_EXT_SAPCONNECT at position 1).",
        ),
        reason="The guide asks for it. The node serves mail and status that come in.",
        proof="SICF shows SAPconnect as active.",
        back_out="Deactivate it, if it was not active before.",
        evidence="sap-connect-service-active",
    )

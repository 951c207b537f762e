"""What people hand in and publish for options 2 and 3, and the server that is SAP.

The sandbox takes 127.0.0.N for 203.0.113.N.
"""

from __future__ import annotations

from pathlib import Path

from runbook_lib.cli import demo_people
from runbook_lib.sandbox.sap import Sap
from tests.integration.world import World

SAP, STRANGER = "127.0.0.10", "127.0.0.11"
SAP_PUBLIC, STRANGER_PUBLIC = "203.0.113.10", "203.0.113.11"
SENDER = "noreply@contoso.com"
INSIDE = "inbox@contoso.com"
OUTSIDE = "postmaster@fabrikam.example"

REASONS = {"why_not_oauth": "SAP_BASIS 7.40", "external": "yes"}

SPF = f'"v=spf1 ip4:{SAP_PUBLIC} include:spf.protection.outlook.com -all"'
MX = "contoso-com.mail.protection.outlook.com"

ATTESTED = f"""\
who: N. Network
when: "2026-01-01"
reference: CHG0001
text: |
  address: {SAP_PUBLIC}
  static: yes
  shared: no
  ours: yes
  outbound: NAT gateway natgw-sap
"""
NODE = f"""\
who: A. Basis
when: "2026-01-01"
reference: CHG0001
text: |
  mail_host: {MX}
  mail_port: 25
  tls: mandatory
  logon_user:
  address_area: "*"
"""


class Sender:
    """A mail server at a loopback address, with or without a certificate."""

    def __init__(
        self, world: World, address: str = SAP, certificate: Path | None = None
    ) -> None:
        """Send to the MX side of a world."""
        ready = world.ready
        self.sap = Sap(ready["mx"], Path(ready["ca_file"]), address, certificate)

    def send(self, recipient: str, subject: str) -> str:
        """Send one mail; return the reply that decided."""
        return self.sap.send(SENDER, recipient, subject)


def publish_spf(world: World, record: str = SPF) -> None:
    """Publish an SPF record for the domain, beside its MX record."""
    records = {"MX": [f"0 {MX}."], "TXT": [record]}
    world.break_tenant("set_dns", name="contoso.com", records=records)


def evidence(world: World, **texts: str) -> str:
    """Write what people hand in, all good unless given; return the folder."""
    folder = world.folder / "handed-in"
    folder.mkdir(exist_ok=True)
    known = {"sender-attested": ATTESTED, "mail-node-without-logon": NODE}
    given = {name.replace("_", "-"): text for name, text in texts.items()}
    for name, text in (known | given).items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return str(folder)


def issued_certificate(world: World, name: str) -> Path:
    """Have the sandbox's authority issue a certificate; return its PEM file."""
    answer = world.break_tenant("issue_certificate", names=[name])
    path = world.folder / "sap.pem"
    path.write_text(answer["private_key"] + answer["certificate"], "utf-8")
    return path


def hand_in_header(world: World, folder: str, run: str) -> None:
    """Write the header of a run's test mail as the internal recipient has it."""
    asked = {"recipient": INSIDE, "subject": f"runbook:{run}"}
    header = world.break_tenant("received_header", **asked)["header"]
    demo_people.hand_in_header(Path(folder), header)

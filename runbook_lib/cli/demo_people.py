"""What people do in the demo of options 2 and 3: attest, publish, and send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runbook_lib.sandbox.control_client import operate
from runbook_lib.sandbox.sap import Sap
from runbook_lib.sandbox.zone import publish
from runbook_lib.session import MARK
from runbook_lib.tenant import Tenant

# The sandbox takes 127.0.0.10 for this address.
ADDRESS = "203.0.113.10"
SENDER = "noreply"
NOTICE = "Demonstration text, not a real attestation."

# A system that nothing keeps from option 1.
FACTS = {
    "product": "s4-onprem",
    "sap_basis": "758",
    "crypto_library": "8.5.48",
    "external": "yes",
    "recipients_per_day": "2000",
    "external_per_day": "500",
    "messages_per_minute": "10",
    "senders": "1",
    "port_submission": "yes",
    "smtp_auth": "yes",
}
# Why option 3 is demonstrated all the same.
REASONS = {"why_not_oauth": "the demo of option 3", "external": "yes"}

STATEMENT = """\
who: Demo
when: "2026-01-01"
reference: DEMO
text: |
  {notice}
  {lines}
"""


def hand_in(folder: Path, tenant: Tenant) -> str:
    """Write the evidence of options 2 and 3; return its folder."""
    folder.mkdir(mode=0o700)
    forms = {
        "sender-attested": (
            f"address: {ADDRESS}",
            "static: yes",
            "shared: no",
            "ours: yes",
            "outbound: NAT gateway of the demo",
        ),
        "mail-node-without-logon": (
            f"mail_host: {tenant.endpoints.mx}",
            "mail_port: 25",
            "tls: mandatory",
            "logon_user:",
            "address_area: *",
        ),
    }
    for step, lines in forms.items():
        text = STATEMENT.format(notice=NOTICE, lines="\n  ".join(lines))
        (folder / f"{step}.yaml").write_text(text, "utf-8")
    return str(folder)


def publish_spf(ready: dict[str, Any], tenant: Tenant) -> None:
    """Publish an SPF record that names SAP's address."""
    include = tenant.profile.spf_include.value
    policy = f'"v=spf1 ip4:{ADDRESS} include:{include} -all"'
    records = {"MX": [f"0 {tenant.endpoints.mx}."], "TXT": [policy]}
    publish(ready, tenant.domain, records)


def send_from_sap(
    ready: dict[str, Any], tenant: Tenant, run: str, *, outside: bool
) -> dict[str, str]:
    """Send the test mails of a run from SAP's address; return the replies."""
    sap = Sap(ready["mx"], Path(ready["ca_file"]))
    recipients = [tenant.recipients.internal]
    recipients += [tenant.recipients.external] if outside else []
    sender, subject = f"{SENDER}@{tenant.domain}", f"Test from SAP ({MARK}{run})"
    return {to: sap.send(sender, to, subject) for to in recipients}


def submitted_by_sap(ready: dict[str, Any], tenant: Tenant, run: str) -> str:
    """Play SAP, which sent option 1's test message; return the received header."""
    to, subject = tenant.recipients.internal, f"Test {MARK}{run}"
    known, asked = str(tenant.tenant_id), {"recipient": to, "subject": subject}
    operate(ready, known, "submit_mail", mailbox=tenant.mailbox, **asked)
    return received_by_inbox(ready, tenant, run)


def received_by_inbox(ready: dict[str, Any], tenant: Tenant, run: str) -> str:
    """Return the header of a run's test message as the internal recipient has it."""
    asked = {"recipient": tenant.recipients.internal, "subject": f"{MARK}{run}"}
    known = str(tenant.tenant_id)
    return str(operate(ready, known, "received_header", **asked)["header"])


def hand_in_header(folder: Path, header: str) -> None:
    """Write the evidence that the internal recipient has the test message."""
    stated = {"who": "Demo", "when": "2026-01-01", "reference": "DEMO"}
    path = folder / "message-received-internal.yaml"
    path.write_text(json.dumps({**stated, "text": header}), "utf-8")

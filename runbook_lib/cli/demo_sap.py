"""What people in SAP hand back in the demo of option 1; nothing of it is real."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from runbook_lib.tenant import Tenant

HOST = "s4dapp01.corp.contoso.com"
PROFILE = f"""\
--- instance profile ---
SAPSYSTEM = 00
rdisp/start_icman = true
icm/server_port_0 = PROT=HTTPS,PORT=44300,TIMEOUT=60
icm/server_port_1 = PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1
--- SMICM ---
| Active | Protocol | Service Name/Port | Host Name | Keep Alive |
| X      | HTTPS    | 44300             | {HOST}    | 60         |
| X      | SMTP     | 25000             | {HOST}    | 180        |
"""
NETWORK = """\
--- telnet ---
telnet {host} 587
Trying 203.0.113.25...
Connected to {host}.
220 contoso.outlook.office365.com Microsoft ESMTP MAIL Service ready
250-STARTTLS
--- STRUST ---
SSL client SSL Client (Standard)
CN=DigiCert Global Root G2, OU=www.digicert.com, O=DigiCert Inc, C=US
SSL client SSL Client (Anonymous)
CN=DigiCert Global Root G2, OU=www.digicert.com, O=DigiCert Inc, C=US
"""
NODE = """\
mail_host: {host}
mail_port: 587
tls: mandatory
auth_method: OAuth2
client_profile: BCS_MAIL
client_configuration: BCS_MAIL_EXO
client_user: {mailbox}
modify_legacy_node: on
address_area: *
"""
CLIENT = """\
client_profile: BCS_MAIL
configuration: BCS_MAIL_EXO
client_id: {app_id}
token_endpoint: {login}/{tenant_id}/oauth2/v2.0/token
scope: {scope}
grant_type: Client Credentials
client_authentication: {method}
token_test: Valid, expires in 3599 seconds
"""
ARRANGEMENT = """\
scenario: SAP_COM_0548
host_name: {host}
port: 587
cloud_connector: off
token_endpoint: {login}/{tenant_id}/oauth2/v2.0/token
authentication_method: OAuth 2.0
client_id: {app_id}
client_authentication: JWT
oauth_user: {mailbox}
additional_scope: {scope}
"""
SENT = """\
Status\tSend Method\tDocument Title\tSender\tRecipient\tSend Date\tSend Time\tMessage
Sent\tINT\tTest runbook:{run}\tSAPMAIL\t{recipient}\t{sent}\tDocument sent
"""
NOTES = """\
3581654  SMTP OAuth 2.0  Completely implemented
3592080  JWT client authentication  Completely implemented
"""
METHODS = {"secret": "Form Fields", "certificate": "JWT"}

# What can be handed in at any time, and what only after apply: the application
# ID and the run's id are not known before.
ANY_TIME: Mapping[str, str] = {
    "sap-notes-implemented": NOTES,
    "network-from-sap-host": NETWORK,
    "icm-service-active": PROFILE,
    "sap-connect-service-active": "SAPconnect   SMTP server node   active\n",
    "smtp-configured": NODE,
    "default-domain-set": "default_domain: {domain}\n",
}
AFTER_APPLY: Mapping[str, str] = {
    "oauth-client-configured": CLIENT,
    "communication-arrangement-configured": ARRANGEMENT,
    "test-mail-sent": SENT,
}


@dataclass(frozen=True)
class Applied:
    """What people in SAP know after apply: the application's ID, and the run."""

    app_id: str
    run: str


def hand_in_sap(
    folder: Path,
    tenant: Tenant,
    applied: Applied | None = None,
    credential: str = "secret",
) -> str:
    """Write the evidence of option 1; return its folder.

    Without `applied` what depends on it is left out, as it is in life.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    values = {
        "host": tenant.endpoints.smtp,
        "login": tenant.endpoints.login,
        "scope": tenant.endpoints.exchange_scope,
        "tenant_id": tenant.tenant_id,
        "mailbox": tenant.mailbox,
        "domain": tenant.domain,
        "recipient": tenant.recipients.internal,
        "method": METHODS[credential],
        "app_id": applied.app_id if applied else "",
        "run": applied.run if applied else "",
        "sent": _sap_time(tenant),
    }
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    for step, text in {**ANY_TIME, **(AFTER_APPLY if applied else {})}.items():
        stated = {"who": "Demo", "when": when, "reference": "DEMO"}
        evidence = {**stated, "text": text.format(**values)}
        path = folder / f"{step}.yaml"
        path.write_text(json.dumps(evidence), "utf-8")
    return str(folder)


def _sap_time(tenant: Tenant) -> str:
    """Return date and time of this moment as SOST shows them, parted by a tab."""
    now = datetime.now(ZoneInfo(tenant.sap_time_zone))
    return now.strftime("%d.%m.%Y\t%H:%M:%S")

"""Good and bad artifacts of an SAP system, all invented."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from runbook_lib.sap.clock import SapClock
from runbook_lib.sap.wanted import WantedClient, WantedNode

FOLDER = Path(__file__).resolve().parents[1] / "data" / "sap-samples"
HOST = "smtp.office365.com"
MAILBOX = "sap-s4d@contoso.com"
TENANT = "11111111-2222-4333-8444-555555555555"
APPLICATION = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SCOPE = "https://outlook.office365.com/.default"
MARKER = "Runbook test"
NOW = LOOKED_AT = datetime(2026, 11, 23, 17, 50, tzinfo=UTC)  # 18:50 in Berlin
CLOCK = SapClock.named("Europe/Berlin")

NODE = WantedNode.of_submission(HOST, MAILBOX)
CLIENT = WantedClient("login.microsoftonline.com", TENANT, APPLICATION, SCOPE)

SBCS_GOOD = f"""\
mail_host: {HOST}
mail_port: 587
tls: mandatory
auth_method: OAuth2
client_profile: BCS_MAIL
client_configuration: BCS_MAIL_EXO
client_user: {MAILBOX}
modify_legacy_node: yes
address_area: *
"""

SCOT_GOOD = SBCS_GOOD.replace("modify_legacy_node: yes", "node_in_use: yes")

SCOT_BAD_1 = """\
mail_host: 52.97.133.2
mail_port: 465
tls: if possible
auth_method: User/Password
client_profile:
client_user: SAPMAIL
address_area:
"""

SCOT_BAD_2 = f"""\
mail_host: outlook.office365.com
mail_port: 25
tls: none
auth_method: OAuth2
client_profile: BCS_MAIL
client_user: {APPLICATION}
address_area: *@contoso.com only
"""

CLIENT_GOOD = f"""\
client_profile: BCS_MAIL
configuration: BCS_MAIL_EXO
client_id: {APPLICATION}
token_endpoint: login.microsoftonline.com/{TENANT}/oauth2/v2.0/token
scope: {SCOPE}
grant_type: Client Credentials
client_authentication: Form Fields
client_secret: ********
token_test: Valid, expires in 3599 seconds
"""

CLIENT_BAD_1 = CLIENT_GOOD.replace("/oauth2/v2.0/token", "/oauth2/token").replace(
    SCOPE, "https://graph.microsoft.com/.default"
)

CLIENT_BAD_2 = CLIENT_GOOD.replace(
    f"login.microsoftonline.com/{TENANT}", "https://login.microsoftonline.com/common"
).replace(SCOPE, "https://outlook.office.com/SMTP.Send")

ARRANGEMENT_GOOD = f"""\
scenario: SAP_COM_0548
host_name: {HOST}
port: 587
cloud_connector: off
token_endpoint: login.microsoftonline.com/{TENANT}/oauth2/v2.0/token
authentication_method: OAuth 2.0
client_id: {APPLICATION}
client_authentication: JWT
oauth_user: {MAILBOX}
additional_scope: {SCOPE}
"""

SICF_GOOD = """\
Virtual Hosts / Services
SAPconnect   SMTP server node   active
Handler List: 1  CL_SMTP_EXT_SAPCONNECT
"""

TELNET_GOOD = f"""\
s4dapp01:s4dadm> telnet {HOST} 587
Trying 203.0.113.25...
Connected to {HOST}.
Escape character is '^]'.
220 FR0P281CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready
EHLO s4dapp01.corp.example.com
250-FR0P281CA0001.outlook.office365.com Hello
250-SIZE 157286400
250-STARTTLS
250 SMTPUTF8
"""

COMPONENTS_GOOD = "SAP_BASIS|758|0002\nS4CORE|108|0002\n"

NOTE_GOOD = "0003581654  SMTP OAuth 2.0 for SAPconnect  Completely implemented\n"


def sample(name: str) -> str:
    """Return a sample file's text by the first part of its name, as `A1`."""
    (path,) = FOLDER.glob(f"{name}_*")
    return path.read_text("utf-8")

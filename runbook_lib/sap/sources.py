"""Where the rules about SAP artifacts come from, in the words of a reader."""

from __future__ import annotations

GUIDE = (
    "Microsoft Learn, Exchange Online Integration for Email-Outbound from SAP ABAP "
    "Platform"
)
SERVER_PORT = "SAP Help, icm/server_port_<xx>"
INBOUND_TLS = "SAP Help, SMTP Authentication and SMTP Using TLS/SSL for Inbound Mails"
SMTP_NODE = "SAP Help, The SMTP Node"
DEFAULT_DOMAIN = "SAP Help, Default Domain"
QUICK_GUIDE = "SAP Quick Guide to SMTP Configuration (SAP Community copy)"
SMICM = "SAP Help, ICM Monitor: Services"
SICF = "SAP Community, activation of the SMTP node SAPconnect"
SNOTE_510007 = "SAP Note 510007 (as quoted by the abapGit documentation)"
OAUTH_CLIENT = "SAP Help, Configuring the OAuth 2.0 Client"
TOKEN_ENDPOINT = "SAP tutorial, OAuth 2.0 client for SAP BTP"  # noqa: S105 - a title
BTP_MAIL = "SAP Help, SAP BTP ABAP environment: E-Mail Integration (SAP_COM_0548)"
BTP_USERS = "SAP Help, Authentication Methods for Outbound Users"
BTP_COMMUNICATION = (
    "SAP Help, SAP BTP ABAP environment: Communication Management Integration"
)
DIGICERT = "Exchange Team Blog, DigiCert Global Root G2 (4488311)"
SMTP_AUTH_BLOG = "Exchange Team Blog, timeline of SMTP AUTH (4489835)"
MESSAGES = "SAP message class XS"
NI_ERRORS = "SAP network interface error codes"
SSL_ERRORS = "SAP Help, errors of the SAP cryptographic library"
REPLIES = "field reports of SMTP replies of Exchange Online"
KERNEL_VALUES = "SAP KBA 2733511 (as quoted)"
EXPERIENCE = "field report"
INFERENCE = "concluded from the sources above"

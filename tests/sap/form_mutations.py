"""Changes to typed forms, each labelled: what keeps the verdict, what breaks it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.sap import samples
from tests.sap.mutations import (
    COPYING,
    LISTS,
    SHUFFLED,
    TRAILING,
    Case,
    keeping,
    replacing,
    without,
)
from tests.sap.samples import APPLICATION, MAILBOX, SCOPE, TENANT

NODE_KEEP = (
    *COPYING,
    TRAILING,
    SHUFFLED,
    keeping("screen's label", "mail_host:", "Mail Host:", "Mail host ="),
    keeping("screen's labels", "client_user:", "OAuth 2.0 Client User:"),
    keeping("own profile", "client_profile: BCS_MAIL", "client_profile: Z_MAIL"),
    keeping("case", MAILBOX, MAILBOX.upper()),
    keeping("words for TLS", "tls: mandatory", "tls: TLS mandatory", "TLS: Mandatory"),
)
NODE_BREAK = (
    replacing("IP address", "smtp.office365.com", "52.97.133.2", "2001:db8::1"),
    replacing("another host", "smtp.office365.com", "outlook.office365.com", ""),
    replacing("another port", "mail_port: 587", "mail_port: 25", "mail_port: 465"),
    replacing("TLS not mandatory", "tls: mandatory", "tls: if possible", "tls: none"),
    replacing("password", "auth_method: OAuth2", "auth_method: User/Password"),
    replacing("no profile", "client_profile: BCS_MAIL", "client_profile:"),
    replacing("SAP user", f"client_user: {MAILBOX}", "client_user: SAPMAIL"),
    replacing("an ID", f"client_user: {MAILBOX}", f"client_user: {APPLICATION}"),
    replacing("no user", f"client_user: {MAILBOX}", "client_user:"),
    replacing("another mailbox", MAILBOX, "other@contoso.com"),
    replacing("no area", r"address_area: \*", "address_area:"),
    replacing("narrow area", r"address_area: \*", "address_area: *@contoso.com"),
    replacing("logon data", r"\Z", "\nlogon_user: SAPMAIL\n"),
    *(without(f"no {name}", name) for name in ("mail_host", "mail_port", "tls:")),
    *(without(f"no {name}", name) for name in ("auth_method", "client_user")),
)

SCOT = Case(
    "scot",
    (samples.SCOT_GOOD,),
    NODE_KEEP,
    (*NODE_BREAK, replacing("not in use", "node_in_use: yes", "node_in_use: no")),
)

SBCS = Case(
    "sbcs",
    (samples.SBCS_GOOD,),
    NODE_KEEP,
    (
        *NODE_BREAK,
        replacing("not copied", "legacy_node: yes", "legacy_node: no", "legacy_node:"),
        without("copy not shown", "modify_legacy_node"),
    ),
)

CLIENT_BREAK = (
    replacing("object ID", APPLICATION, "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
    replacing("v1", "oauth2/v2.0/token", "oauth2/token"),
    replacing("common", TENANT, "common", "organizations"),
    replacing("another tenant", TENANT, APPLICATION),
    replacing("authorize", "v2.0/token", "v2.0/authorize"),
    replacing("Graph", SCOPE, "https://graph.microsoft.com/.default"),
    replacing("delegated", SCOPE, "https://outlook.office.com/SMTP.Send"),
    replacing("two scopes", SCOPE, f"{SCOPE} offline_access"),
    replacing("no scope", SCOPE, ""),
    without("ID not shown", "client_id"),
)

CLIENT = Case(
    "oauth client",
    (samples.CLIENT_GOOD,),
    (
        *COPYING,
        TRAILING,
        SHUFFLED,
        keeping("screen's label", "client_id:", "OAuth 2.0 Client ID:"),
        keeping("scheme", "token_endpoint: ", "token_endpoint: https://"),
        keeping("own profile", "client_profile: BCS_MAIL", "client_profile: Z_MAIL"),
        keeping("upper case", APPLICATION, APPLICATION.upper()),
        keeping("no secret", r"client_secret[^\r\n]*", "", "client_secret: (hidden)"),
    ),
    (
        *CLIENT_BREAK,
        replacing("grant", "Client Credentials", "Authorization Code", ""),
        replacing("certificate", "Form Fields", "JWT", ""),
        replacing("secret", r"\*{8}", "hunter2-hunter2"),
        replacing("token refused", "Valid, expires", "AADSTS7000215: Invalid, expires"),
        without("not tested", "token_test"),
    ),
)

ARRANGEMENT = Case(
    "arrangement",
    (samples.ARRANGEMENT_GOOD,),
    (
        *COPYING,
        TRAILING,
        SHUFFLED,
        keeping("screen's label", "additional_scope:", "Additional Scope(s):"),
        keeping("secret", "client_authentication: JWT", "client_authentication: Basic"),
    ),
    (
        *CLIENT_BREAK,
        replacing("Cloud Connector", "cloud_connector: off", "cloud_connector: on"),
        replacing("scenario", "SAP_COM_0548", "SAP_COM_0008"),
        replacing("password", "OAuth 2.0", "User and Password"),
        replacing("an ID", f"oauth_user: {MAILBOX}", f"oauth_user: {APPLICATION}"),
        without("no user", "oauth_user"),
    ),
)

CASES: Sequence[Case] = (*LISTS, SCOT, SBCS, CLIENT, ARRANGEMENT)

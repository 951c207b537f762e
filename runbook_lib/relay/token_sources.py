"""What gets the tokens: the proxy's configuration, or that of relay-token."""

from __future__ import annotations

from runbook_lib.relay.design import Application, RelayDesign
from runbook_lib.relay.settings import comment

CLIENT_SECRET = "@CLIENT_SECRET@"  # noqa: S105 - a placeholder
# Where systemd shows a unit the secret that is lent to it.
LENT = "/run/credentials/relay-token.service/application"
SETTINGS_SCHEMA = 1


def application_of(design: RelayDesign) -> Application:
    """Return the application.

    Raises:
        ValueError: there is none; guards refuse that design.
    """
    if design.application is None:
        raise ValueError("no application")
    return design.application


def emailproxy_config(design: RelayDesign) -> str:
    """Return the configuration of email-oauth2-proxy.

    Source: its own documentation (package emailproxy 2026.7.3).
    """
    known = application_of(design)
    lines = [
        comment(
            "email-oauth2-proxy between Postfix and Exchange Online. The program "
            "writes into this file: a token, encrypted with the password that "
            "Postfix uses, and the client secret likewise. Mode 0600, owner "
            "emailproxy. Stop the service before you edit."
        ),
        "[emailproxy]",
        comment(
            "After the first use the client secret is held encrypted, so that no "
            "other password than Postfix's is good for a sign-in."
        ),
        "encrypt_client_secret_on_first_use = True",
        "delete_account_token_on_password_error = False",
        "allow_catch_all_accounts = False",
        "",
        comment("Listens on loopback; encrypts and verifies on the way out."),
        f"[SMTP-{design.proxy_port}]",
        "local_address = 127.0.0.1",
        f"server_address = {design.submission}",
        f"server_port = {design.submission_port}",
        "server_starttls = True",
        "",
        f"[{design.mailbox}]",
        f"token_url = {known.token_url}",
        f"oauth2_scope = {known.scope}",
        "oauth2_flow = client_credentials",
        f"client_id = {known.client_id}",
        *_credential(design, known),
        "",
    ]
    return "\n".join(lines)


def _credential(design: RelayDesign, known: Application) -> list[str]:
    if known.credential == "secret":
        return [f"client_secret = {CLIENT_SECRET}"]
    return [
        f"jwt_certificate_path = {design.places.proxy_certificate}",
        f"jwt_key_path = {design.places.proxy_key}",
    ]


def relay_token_config(design: RelayDesign) -> str:
    """Return the settings of `runbook relay-token`."""
    known = application_of(design)
    what = "client secret" if known.credential == "secret" else "key and certificate"
    lines = [
        comment(
            "runbook relay-token keeps the token file good. The credential is a "
            f"reference to the {what}; the unit lends it from "
            "/etc/relay-token/application (root, 0600)."
        ),
        f"schema: {SETTINGS_SCHEMA}",
        f"tenant_id: {known.tenant_id}",
        f"client_id: {known.client_id}",
        f"credential: file:{LENT}",
        f"login: {known.login}",
        f"scope: {known.scope}",
        f"token_file: {design.places.token}",
        comment("Renewed when fewer seconds are left of it."),
        "renew_before: 900",
        comment("A refused sign-in (535 5.7.3) in this log renews it at once."),
        f"log: {design.places.log}",
        "",
    ]
    return "\n".join(lines)


def emailproxy_unit(design: RelayDesign) -> str:
    """Return the systemd unit of the proxy."""
    config = design.places.proxy_config
    folder = config.rpartition("/")[0]
    return f"""\
# The proxy that gives Postfix's sign-in a token. Started again whenever it ends.
[Unit]
Description=OAuth 2.0 for the mail relay
Wants=network-online.target
After=network-online.target
Before=postfix.service

[Service]
User=emailproxy
Environment=SSL_CERT_FILE={design.places.trust}
ExecStart=/opt/emailproxy/bin/emailproxy --no-gui --config-file {config}
Restart=always
RestartSec=5
UMask=0077
NoNewPrivileges=true
ProtectSystem=strict
ReadWritePaths={folder}
ProtectHome=true
PrivateTmp=true

[Install]
WantedBy=multi-user.target
"""


def relay_token_unit(design: RelayDesign) -> str:
    """Return the systemd unit of relay-token."""
    folder = design.places.token.rpartition("/")[2]
    state = design.places.token.removesuffix(f"/{folder}").rpartition("/")[2]
    return f"""\
# Keeps the token file good. Runs as the user whose smtp process reads the file.
[Unit]
Description=Access token of the mail relay
Wants=network-online.target
After=network-online.target
Before=postfix.service

[Service]
User=postfix
LoadCredential=application:/etc/relay-token/application
ExecStart=/opt/runbook/bin/runbook relay-token --watch 30 {design.places.token_config}
Restart=always
RestartSec=5
StateDirectory={state}
StateDirectoryMode=0700
UMask=0077
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true

[Install]
WantedBy=multi-user.target
"""

"""The values that a Basis administrator enters in SAP for option 1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SapValue:
    """One field: where it is entered, what goes in, and how sure that is.

    `doubt` is None where the guide or SAP's documentation states it.
    """

    place: str
    field: str
    value: str
    doubt: str | None = None


CLIENT = "SOAUTH2_CLIENT (or OA2C_CONFIG)"
MAIL = "SBCS_MAIL_CONFIGSMTP (or SCOT)"


def oauth_client(
    login: str,
    tenant_id: str,
    app_id: str,
    scope: str,
    secret: str,
    credential: str = "secret",
) -> list[SapValue]:
    """Return the fields of the OAuth 2.0 client; `secret` says where it is."""
    return [
        SapValue(CLIENT, "OAuth 2.0 Client Profile", "BCS_MAIL"),
        SapValue(CLIENT, "OAuth 2.0 Client ID", app_id),
        SapValue(
            CLIENT,
            "Token endpoint (without https://)",
            f"{login}/{tenant_id}/oauth2/v2.0/token",
        ),
        SapValue(
            CLIENT,
            "Scope",
            scope,
            "Whether the delivered profile BCS_MAIL already holds this scope is "
            "unknown: look at the Scopes tab.",
        ),
        SapValue(CLIENT, "Grant type", "Client Credentials"),
        *_authentication(credential, secret),
        SapValue(
            CLIENT,
            "SSL Client PSE",
            "DFAULT",
            "The PSE that trusts DigiCert Global Root G2; some systems use ANONYM.",
        ),
    ]


def _authentication(credential: str, secret: str) -> list[SapValue]:
    if credential == "certificate":
        doubt = "The label on premises is taken from field reports."
        return [SapValue(CLIENT, "Client authentication", "JWT", doubt)]
    return [
        SapValue(CLIENT, "Client authentication", "Form Fields"),
        SapValue(CLIENT, "Client secret (the value, not its ID)", secret),
    ]


def mail_node(host: str, mailbox: str) -> list[SapValue]:
    """Return the fields of the SMTP node."""
    return [
        SapValue(MAIL, "Mail host", host),
        SapValue(MAIL, "Mail port", "587"),
        SapValue(MAIL, "TLS", "mandatory"),
        SapValue(MAIL, "Authentication method", "OAuth2"),
        SapValue(
            MAIL,
            "OAuth 2.0 Client User",
            mailbox,
            "Documented for the BTP ABAP environment; taken to be the mailbox "
            "address on premises as well.",
        ),
    ]

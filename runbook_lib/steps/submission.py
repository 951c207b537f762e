"""Proof: a token that carries the role, and an SMTP sign-in with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.clients.entra import AccessToken
from runbook_lib.cloud import PROFILES
from runbook_lib.engine.expect import Including, OneOf, State
from runbook_lib.engine.remedies import TOKEN
from runbook_lib.engine.step import (
    NothingToDo,
    Observation,
    Probe,
)
from runbook_lib.errors import SmtpRefused
from runbook_lib.secret import Secret
from runbook_lib.session import Session, scope
from runbook_lib.steps.authorization import APP_RBAC, FULL_ACCESS
from runbook_lib.steps.permission import SEND_AS_APP
from runbook_lib.steps.reading import texts

TEST = (
    "optional-test-the-configuration-in-entra-and-exchange-online"
    "-with-the-smtp-oauth-test-client"
)
PORT = 587

AUDIENCES = (
    *(p.exchange_scope.value.removesuffix("/.default") for p in PROFILES.values()),
    "https://outlook.office.com",
)

TOKEN_REMEDIES = {**TOKEN, "roles": "token-roles-missing"}

SMTP_REMEDIES = {
    "535 5.7.139 Tenant": "smtp-auth-disabled-tenant",
    "535 5.7.139 Mailbox": "smtp-auth-disabled-mailbox",
    "535 5.7.3": "smtp-authentication-unsuccessful",
    "430 4.2.0": "replication",
    "554 5.2.252": "smtp-send-as-denied",
    "550 5.7.60": "smtp-send-as-denied",
}


def sap_token(session: Session, app_id: str, key_id: str) -> AccessToken:
    """Ask for a new token as the SAP application, with the secret from the sink.

    Raises:
        NothingToDo: the sink cannot be read back, as a sealed file.
        TokenRefused: Entra ID issued none.
    """
    secret = session.sink.read(key_id)
    if secret is None:
        raise NothingToDo(
            "no_credential", "The sink gives the secret to its recipient only."
        )
    client = session.application_client(app_id, secret)
    return client.token(scope(session.tenant, "exchange"), fresh=True)


@dataclass(frozen=True)
class ObtainAccessToken(Probe):
    """Entra ID issues a token that carries the role for this service principal.

    A token is issued even where consent is missing; it then has no `roles`.

    Source: guide, "Optional: Test the configuration in Entra and Exchange
    Online"; OAuth 2.0 client credentials flow.
    """

    title: ClassVar[str] = "Obtain an access token"
    guide: ClassVar[str] = TEST
    remedies: ClassVar[Mapping[str, str]] = TOKEN_REMEDIES
    replication_symptoms: ClassVar[frozenset[str]] = frozenset(
        {"AADSTS7000215", "AADSTS7000229", "AADSTS700016", "roles"}
    )
    app_id: str
    principal: str
    key_id: str
    authorization: str = FULL_ACCESS

    def needs(self) -> tuple[str, ...]:
        """Return what must have gone well, which the authorization decides."""
        role = by_role(self.authorization)
        granted = "service-principal-authorization" if role else "grant-admin-consent"
        return (*super().needs(), granted)

    def expect(self) -> State:
        """Return the claims that Exchange Online looks at.

        With a role of Exchange Online the token must carry none of Entra ID:
        it would make Exchange look for full access instead.
        """
        role = by_role(self.authorization)
        return {
            "aud": OneOf(AUDIENCES),
            "appid": self.app_id,
            "oid": self.principal,
            "roles": [] if role else Including((SEND_AS_APP,)),
        }

    def observe(self, session: Session) -> Observation:
        """Get a token; show its claims, never the token."""
        token = sap_token(session, self.app_id, self.key_id)
        claims = token.claims
        return Observation(
            {
                "aud": claims.get("aud"),
                "appid": claims.get("appid"),
                "oid": claims.get("oid"),
                "roles": texts(claims, "roles"),
            },
            facts={
                "sha256": token.sha256,
                "kid": token.header.get("kid"),
                "tid": claims.get("tid"),
                "iat": claims.get("iat"),
                "exp": claims.get("exp"),
            },
        )


def by_role(authorization: object) -> bool:
    """Tell whether Exchange's own role was chosen; a reference is no choice."""
    return isinstance(authorization, str) and authorization == APP_RBAC


@dataclass(frozen=True)
class SignInToSmtp(Probe):
    """Exchange Online accepts the token for the mailbox; nothing is sent.

    Source: guide, "Optional: Test the configuration in Entra and Exchange
    Online"; SASL XOAUTH2 on smtp.office365.com.
    """

    title: ClassVar[str] = "Sign in to SMTP with OAuth 2.0"
    guide: ClassVar[str] = TEST
    requires: ClassVar[tuple[str, ...]] = (
        "submission-endpoint",
        "obtain-access-token",
        "enable-authenticated-smtp",
    )
    remedies: ClassVar[Mapping[str, str]] = {**TOKEN_REMEDIES, **SMTP_REMEDIES}
    replication_symptoms: ClassVar[frozenset[str]] = frozenset(
        {"535 5.7.3", "430 4.2.0"}
    )
    app_id: str
    key_id: str
    mailbox: str
    host: str
    authorization: str = FULL_ACCESS

    def needs(self) -> tuple[str, ...]:
        """Return what must have gone well, which the authorization decides."""
        role = by_role(self.authorization)
        return (*super().needs(), *([] if role else ["mailbox-delegation"]))

    def expect(self) -> State:
        """Return the reply to AUTH."""
        return {"reply": 235}

    def observe(self, session: Session) -> Observation:
        """Connect, STARTTLS, AUTH XOAUTH2, QUIT."""
        token = sap_token(session, self.app_id, self.key_id)
        return signed_in(session, self.host, self.mailbox, token.secret)


def signed_in(session: Session, host: str, mailbox: str, token: Secret) -> Observation:
    """Sign in to SMTP and say what was replied; nothing is sent.

    Raises:
        SmtpRefused: the server refused, with the reason in `code`.
    """
    try:
        dialogue = session.submission.sign_in(host, PORT, mailbox=mailbox, token=token)
    except SmtpRefused as refusal:
        raise precise(refusal) from None
    return Observation(
        {"reply": dialogue.reply},
        context={"mailbox": mailbox, "mechanism": "XOAUTH2"},
        vantage="this machine",
        facts={"dialogue": list(dialogue.lines)},
    )


def precise(refusal: SmtpRefused) -> SmtpRefused:
    """Tell the two reasons of 535 5.7.139 apart that need different remedies."""
    for word in ("Tenant", "Mailbox"):
        if refusal.code == "535 5.7.139" and f"for the {word}" in refusal.message:
            return SmtpRefused(
                refusal.message, code=f"{refusal.code} {word}", facts=refusal.facts
            )
    return refusal

"""Proof: a token, an SMTP sign-in, and messages followed to their delivery."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar

from runbook_lib.clients.entra import AccessToken
from runbook_lib.cloud import PROFILES
from runbook_lib.engine.expect import Including, OneOf, State
from runbook_lib.engine.remedies import TOKEN
from runbook_lib.engine.step import (
    MessageProbe,
    NotAsExpected,
    NothingToDo,
    Observation,
    Probe,
)
from runbook_lib.errors import SmtpRefused
from runbook_lib.session import Session, scope
from runbook_lib.steps.permission import SEND_AS_APP
from runbook_lib.steps.reading import text, texts

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
    requires: ClassVar[tuple[str, ...]] = ("grant-admin-consent",)
    remedies: ClassVar[Mapping[str, str]] = TOKEN_REMEDIES
    replication_symptoms: ClassVar[frozenset[str]] = frozenset(
        {"AADSTS7000215", "AADSTS7000229", "AADSTS700016", "roles"}
    )
    app_id: str
    principal: str
    key_id: str

    def expect(self) -> State:
        """Return the claims that Exchange Online looks at."""
        return {
            "aud": OneOf(AUDIENCES),
            "appid": self.app_id,
            "oid": self.principal,
            "roles": Including((SEND_AS_APP,)),
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
        "mailbox-delegation",
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

    def expect(self) -> State:
        """Return the reply to AUTH."""
        return {"reply": 235}

    def observe(self, session: Session) -> Observation:
        """Connect, STARTTLS, AUTH XOAUTH2, QUIT."""
        token = sap_token(session, self.app_id, self.key_id)
        try:
            dialogue = session.submission.sign_in(
                self.host, PORT, mailbox=self.mailbox, token=token.secret
            )
        except SmtpRefused as refusal:
            raise precise(refusal) from None
        return Observation(
            {"reply": dialogue.reply},
            context={"mailbox": self.mailbox, "mechanism": "XOAUTH2"},
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


LOST = frozenset({"Failed", "FilteredAsSpam", "Quarantined"})


@dataclass(frozen=True)
class SendTestMessage(MessageProbe):
    """One message reaches the trace status Delivered.

    `audience` is `internal` or `external`; the recipient stands in the tenant
    file. For an external recipient Delivered means that the next mail server
    accepted the message; what happens there is not seen.

    Source: guide, "Optional: Test the configuration in Entra and Exchange
    Online", step 3; Get-MessageTraceV2.
    """

    title: ClassVar[str] = "Send a test message to an {key} recipient"
    guide: ClassVar[str] = TEST
    key: ClassVar[str | None] = "audience"
    requires: ClassVar[tuple[str, ...]] = ("sign-in-to-smtp",)
    remedies: ClassVar[Mapping[str, str]] = {**TOKEN_REMEDIES, **SMTP_REMEDIES}
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({"Status"})
    audience: str
    recipient: str
    app_id: str
    key_id: str
    mailbox: str
    host: str

    def expect(self) -> State:
        """Return the status in the message trace."""
        return {"Status": "Delivered"}

    def message_id(self, session: Session) -> str:
        """Return the Message-ID given to the message: run and audience."""
        domain = self.mailbox.rpartition("@")[2]
        return f"<{session.run}.{self.audience}@{domain}>"

    def subject(self, session: Session) -> str:
        """Return the subject, by which a message is found if its ID is not known."""
        return f"Test of SAP outbound mail, {self.audience} ({session.mark})"

    def act(self, session: Session) -> State:
        """Send the message once."""
        token = sap_token(session, self.app_id, self.key_id)
        try:
            dialogue = session.submission.send(
                self.host,
                PORT,
                mailbox=self.mailbox,
                token=token.secret,
                message=self._message(session),
                recipients=[self.recipient],
            )
        except SmtpRefused as refusal:
            raise precise(refusal) from None
        return {
            "Message-ID": stated_message_id(dialogue.text) or self.message_id(session),
            "Message-ID as sent": self.message_id(session),
            "reply": dialogue.reply,
            "dialogue": list(dialogue.lines),
        }

    def _message(self, session: Session) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.mailbox
        message["To"] = self.recipient
        message["Subject"] = self.subject(session)
        message["Message-ID"] = self.message_id(session)
        message["Date"] = format_datetime(session.now())
        message.set_content(
            "This message proves that mail leaves through SMTP with OAuth 2.0.\n"
            f"Sent by run {session.run}. Nobody needs to answer it.\n"
        )
        return message

    def follow(self, session: Session, sent: State) -> Observation:
        """Look in the message trace: by Message-ID, or by subject if it is lost."""
        row = self._row(session, text(sent, "Message-ID"))
        status = text(row, "Status") if row else None
        if status in LOST:
            raise NotAsExpected(
                f"The message trace says {status} for {self.recipient}.",
                remedy="Read the trace's detail in the Exchange admin center.",
                remedy_id=f"send-test-message-{self.audience}",
                facts={"row": row},
            )
        return Observation(
            {"Status": status},
            context={"recipient": self.recipient},
            advice=self._advice(),
            facts={"row": row, **sent},
        )

    def _advice(self) -> str | None:
        if self.audience != "external":
            return None
        return "Accepted by the next mail server; delivery beyond it is not seen."

    def _row(
        self, session: Session, message_id: str | None
    ) -> Mapping[str, object] | None:
        now = session.now()
        rows = session.exchange.message_trace(
            message_id=message_id,
            subject=None if message_id else self.subject(session),
            recipient=self.recipient,
            start=_time(now - timedelta(days=2)),
            end=_time(now + timedelta(hours=1)),
        )
        return rows[0] if rows else None


def stated_message_id(reply: str) -> str | None:
    """Return the Message-ID that the final reply names, or None.

    Exchange Online gives a submitted message a Message-ID of its own and keeps
    the client's as X-Microsoft-Original-Message-ID.

    Source: transcripts of smtp.office365.com; git-send-email, outlook-id-fix.
    """
    found = re.search(r"<[^<>@\s]+@[^<>@\s]+>", reply)
    return found[0] if found else None


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

"""A client secret that lives for one sign-in, to prove all but SAP's own key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from runbook_lib.engine.effects import CredentialProbe
from runbook_lib.engine.expect import State
from runbook_lib.engine.step import NothingToDo, Observation
from runbook_lib.errors import ServiceRefused
from runbook_lib.secret import Secret
from runbook_lib.session import MARK, Session, scope
from runbook_lib.steps.certificate import only_with_certificate
from runbook_lib.steps.reading import objects, text
from runbook_lib.steps.submission import SMTP_REMEDIES, TOKEN_REMEDIES, signed_in

TEMPORARY = "temporary sign-in test"


@dataclass(frozen=True)
class SignInWithTemporarySecret(CredentialProbe):
    """A client secret of some seconds proves roles, service principal and mailbox.

    It proves nothing of SAP's own key. `temporary` is yes or no. The secret is
    removed whatever happens; one that an earlier attempt left is removed first.

    Source: guide, "Optional: Test the configuration …" (its note advises a
    secret for the test client and leaves it there).
    """

    title: ClassVar[str] = "Sign in to SMTP with a temporary secret"
    guide: ClassVar[str] = (
        "optional-test-the-configuration-in-entra-and-exchange-online"
        "-with-the-smtp-oauth-test-client"
    )
    requires: ClassVar[tuple[str, ...]] = (
        "upload-certificate",
        "submission-endpoint",
        "enable-authenticated-smtp",
    )
    remedies: ClassVar[Mapping[str, str]] = {**TOKEN_REMEDIES, **SMTP_REMEDIES}
    replication_symptoms: ClassVar[frozenset[str]] = frozenset(
        {"AADSTS7000215", "AADSTS7000229", "AADSTS700016", "535 5.7.3", "430 4.2.0"}
    )
    application: str
    app_id: str
    mailbox: str
    host: str
    credential: str
    temporary: str = "no"

    def applicable(self) -> None:
        """Leave it out unless it was asked for, with a certificate."""
        only_with_certificate(self.credential)
        if self.temporary != "yes":
            raise NothingToDo(
                "user_choice", "temporary_credential is not yes: nothing is borrowed."
            )

    def expect(self) -> State:
        """Return the reply to AUTH."""
        return {"reply": 235}

    def borrow(self, session: Session) -> tuple[str, Secret]:
        """Create a secret for one day."""
        created, secret = session.graph.add_password(
            self.application,
            display_name=f"{TEMPORARY} ({session.mark})",
            end=f"{session.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        )
        return str(created["keyId"]), secret

    def give_back(self, session: Session, key_id: str) -> None:
        """Remove the secret; a refusal counts only while the secret is there."""
        try:
            session.graph.remove_password(self.application, key_id)
        except ServiceRefused:
            if key_id in self._secrets(session):
                raise

    def left(self, session: Session, run: str) -> list[str]:
        """Find the run's mark in the names of the application's secrets."""
        mark = f"{TEMPORARY} ({MARK}{run})"
        return [key for key, name in self._secrets(session).items() if name == mark]

    def _secrets(self, session: Session) -> dict[str, str | None]:
        """Return the display names of the application's secrets, by keyId."""
        found = session.graph.application(self.application) or {}
        secrets = objects(found, "passwordCredentials")
        return {str(one["keyId"]): text(one, "displayName") for one in secrets}

    def observe_with(self, session: Session, secret: Secret) -> Observation:
        """Get a token with the secret and sign in; keep neither."""
        client = session.application_client(self.app_id, secret)
        token = client.token(scope(session.tenant, "exchange"), fresh=True)
        seen = signed_in(session, self.host, self.mailbox, token.secret)
        return Observation(
            seen.properties,
            {**seen.context, "proves": "roles, service principal and mailbox access"},
            vantage=seen.vantage,
            advice="SAP's own key is not proven by this.",
            facts=seen.facts,
        )

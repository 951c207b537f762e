"""The client secret: created once, straight into its sink."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Change, NothingToDo, Observation
from runbook_lib.errors import InputError
from runbook_lib.session import MARK, Session
from runbook_lib.steps.application import NOT_YET
from runbook_lib.steps.reading import objects, text

LONGEST_DAYS = 730
NEAR_EXPIRY = timedelta(days=30)
ADVICE = "A certificate is recommended before production; a secret is a password."


@dataclass(frozen=True)
class CreateClientSecret(Change):
    """The application has a client secret of ours, valid, and held by the sink.

    `days` is the lifetime, 1 to 730. The secret's display name carries the run
    id, so that a secret whose value was lost is recognised: one that this run
    made and could not store is removed by its keyId and made anew. Secrets of
    others are neither used nor touched.

    Source: guide, "Client id and secret"; application-addpassword.
    """

    title: ClassVar[str] = "Client id and secret"
    guide: ClassVar[str] = "client-id-and-secret"
    requires: ClassVar[tuple[str, ...]] = ("application-management-policy",)
    remedies: ClassVar[Mapping[str, str]] = {
        "expired": "token-expired-secret",
        "in sink": "secret-not-in-sink",
        "keyId": "create-client-secret",
        "CredentialTypeNotAllowedAsPerAppPolicy": "application-management-policy",
        "CredentialInvalidLifetimeAsPerAppPolicy": "application-management-policy",
    }
    replication_symptoms: ClassVar[frozenset[str]] = NOT_YET
    application: str
    name: str
    days: str
    credential: str = "secret"

    def applicable(self) -> None:
        """Leave out the secret where a certificate was chosen."""
        if self.credential != "secret":
            raise NothingToDo(
                "not_applicable", "The credential is a certificate, not a secret."
            )

    def expect(self) -> State:
        """Return a secret that is not expired and whose value the sink holds."""
        return {"keyId": Present(), "expired": False, "in sink": True}

    def observe(self, session: Session) -> Observation:
        """Read our secrets by display name, newest and best first."""
        lifetime(self.days)
        ours, others = self._credentials(session)
        context = {"other passwordCredentials": [_shown(c) for c in others]}
        if not ours:
            return Observation({}, context, exists=False, advice=ADVICE)
        best = max(ours, key=lambda c: _rank(session, c))
        expired, near = expiry(session, best)
        return Observation(
            {
                "keyId": best.get("keyId"),
                "displayName": best.get("displayName"),
                "endDateTime": best.get("endDateTime"),
                "expired": expired,
                "in sink": session.sink.holds(str(best.get("keyId"))),
            },
            context,
            advice=f"Expires {best.get('endDateTime')}. {ADVICE}" if near else ADVICE,
        )

    def apply(self, session: Session) -> None:
        """Create a secret and store it; what cannot be stored is removed at once."""
        session.sink.prove_writable()
        self.clear(session, session.run)
        created, secret = session.graph.add_password(
            self.application,
            display_name=self._made_by(session.run),
            end=_end(session.now(), lifetime(self.days)),
        )
        key_id = str(created["keyId"])
        try:
            session.sink.store(key_id, secret)
        except BaseException:
            session.graph.remove_password(self.application, key_id)
            raise

    def revert(self, session: Session, before: State, after: State) -> None:
        """Remove the secret that was created."""
        session.graph.remove_password(self.application, str(after["keyId"]))

    def tidy(self, session: Session, after: State) -> None:
        """Remove its value from the sink: it opens nothing any more."""
        session.sink.remove(str(after["keyId"]))

    def _credentials(
        self, session: Session
    ) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        found = session.graph.application(self.application)
        everything = objects(found or {}, "passwordCredentials")
        prefix = f"{self.name} ({MARK}"
        ours = [
            credential
            for credential in everything
            if (text(credential, "displayName") or "").startswith(prefix)
        ]
        return ours, [c for c in everything if c not in ours]

    def _made_by(self, run: str) -> str:
        """Return the display name of a secret that a run makes."""
        return f"{self.name} ({MARK}{run})"

    def clear(self, session: Session, run: str) -> list[str]:
        """Remove the secrets of a run whose value the sink does not hold."""
        ours, _ = self._credentials(session)
        made = [c for c in ours if text(c, "displayName") == self._made_by(run)]
        lost = [str(c["keyId"]) for c in made]
        lost = [key_id for key_id in lost if not session.sink.holds(key_id)]
        for key_id in lost:
            session.graph.remove_password(self.application, key_id)
        return lost


def lifetime(days: str) -> int:
    """Read the lifetime of a secret in days.

    Raises:
        InputError: not a number from 1 to 730.
    """
    if not days.isascii() or not days.isdigit() or not 1 <= int(days) <= LONGEST_DAYS:
        raise InputError(
            f"client_secret_days: {days!r} is not a number from 1 to {LONGEST_DAYS}",
            remedy="180 days or less is recommended.",
        )
    return int(days)


def _end(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rank(session: Session, credential: Mapping[str, object]) -> tuple[bool, bool, str]:
    expired, _ = expiry(session, credential)
    held = session.sink.holds(str(credential.get("keyId")))
    return (not expired, held, text(credential, "endDateTime") or "")


def expiry(session: Session, credential: Mapping[str, object]) -> tuple[bool, bool]:
    """Return whether it is expired, and whether it will be within 30 days."""
    end = datetime.fromisoformat(text(credential, "endDateTime") or "")
    left = end - session.now()
    return left <= timedelta(0), timedelta(0) < left <= NEAR_EXPIRY


def _shown(credential: Mapping[str, object]) -> dict[str, object]:
    return {n: credential.get(n) for n in ("keyId", "displayName", "endDateTime")}

"""The certificate with which SAP proves who it is, and SAP's own proof of its use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, Present, State
from runbook_lib.engine.remedies import TOKEN as TOKEN_CAUSES
from runbook_lib.engine.step import (
    Attestation,
    Change,
    Evidence,
    NotAsExpected,
    NothingToDo,
    Observation,
    Waits,
)
from runbook_lib.sap.certificate import stored_certificate
from runbook_lib.session import Session
from runbook_lib.steps.application import NOT_YET
from runbook_lib.steps.credential import expiry
from runbook_lib.steps.reading import objects, text

JWT = "jwt-bearer"
TYPE = "AsymmetricX509Cert"


def only_with_certificate(credential: str) -> None:
    """Say that a step has nothing to do where a client secret was chosen.

    Raises:
        NothingToDo: the credential is a secret.
    """
    if credential != "certificate":
        raise NothingToDo(
            "not_applicable", "The credential is a secret, not a certificate."
        )


@dataclass(frozen=True)
class UploadCertificate(Change):
    """The application trusts SAP's signing certificate, beside those it trusts.

    `certificate` is the base64 of its DER, empty while SAP has not given it:
    the step then waits. The collection is read with its keys, merged and
    written; the end date is the certificate's own.

    Source: guide, "JWT bearer"; application-update; keyCredential.
    """

    title: ClassVar[str] = "JWT bearer"
    guide: ClassVar[str] = JWT
    remedies: ClassVar[Mapping[str, str]] = {"expired": "certificate-expired"}
    replication_symptoms: ClassVar[frozenset[str]] = NOT_YET
    application: str
    certificate: str
    credential: str

    def applicable(self) -> None:
        """Leave it out where a secret was chosen."""
        only_with_certificate(self.credential)

    def expect(self) -> State:
        """Return thumbprint, end and state of the certificate."""
        if not self.certificate:
            return {"customKeyIdentifier": Present(), "expired": False}
        found = stored_certificate(self.certificate)
        return {
            "customKeyIdentifier": found.thumbprint,
            "endDateTime": _moment(found.not_after),
            "expired": False,
        }

    def observe(self, session: Session) -> Observation:
        """Read the certificates that the application trusts."""
        if not self.certificate:
            raise _no_certificate()
        wanted = stored_certificate(self.certificate)
        everything = _keys(session, self.application)
        ours = [k for k in everything if _thumbprint(k) == wanted.thumbprint]
        context = {
            "subject": wanted.subject,
            "SHA-1 as SAP and openssl show it": wanted.sha1_colons,
            "SHA-256": wanted.sha256,
            "RSA bits": wanted.bits,
            "other keyCredentials": [_shown(k) for k in everything if k not in ours],
        }
        if not ours:
            return Observation({}, context, exists=False)
        expired, near = expiry(session, ours[0])
        return Observation(
            {
                "customKeyIdentifier": _thumbprint(ours[0]),
                "endDateTime": _moment_of(ours[0]),
                "expired": expired,
                "keyId": ours[0].get("keyId"),
            },
            context,
            advice=f"Expires {_moment_of(ours[0])}." if near else None,
        )

    def apply(self, session: Session) -> None:
        """Write the collection with ours in it."""
        found = stored_certificate(self.certificate)
        kept = _complete(_keys(session, self.application))
        new = {
            "type": TYPE,
            "usage": "Verify",
            "key": found.base64,
            "displayName": f"{found.subject} ({session.mark})",
            "startDateTime": _moment(found.not_before),
            "endDateTime": _moment(found.not_after),
        }
        changes = {"keyCredentials": [*kept, new]}
        session.graph.update_application(self.application, changes)

    def revert(self, session: Session, before: State, after: State) -> None:
        """Write the collection without the one that was added."""
        kept = [
            key
            for key in _complete(_keys(session, self.application))
            if key.get("keyId") != after["keyId"]
        ]
        session.graph.update_application(self.application, {"keyCredentials": kept})


def _no_certificate() -> Waits:
    return Waits(
        "Waiting for SAP's signing certificate.",
        remedy="Export it (SOAUTH2_CLIENT, Global Settings; or STRUST, SSF OA2CJC; or "
        "the outbound user in BTP), and give its file as certificate.",
        remedy_id="upload-certificate",
    )


Keys = list[dict[str, object]]


def _keys(session: Session, application: str) -> Keys:
    return objects(session.graph.application(application) or {}, "keyCredentials")


def _complete(keys: Keys) -> Keys:
    """Return the keys, if each can be written back; a null key would drop it."""
    if any(not key.get("key") for key in keys):
        raise NotAsExpected(
            "Microsoft Graph does not show the key of a certificate that is there, "
            "so writing the collection would drop it.",
            remedy="Upload the certificate in the portal, then run verify.",
            remedy_id="upload-certificate",
        )
    return keys


def _thumbprint(key: Mapping[str, object]) -> str:
    return (text(key, "customKeyIdentifier") or "").upper()


def _moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment_of(key: Mapping[str, object]) -> str | None:
    end = text(key, "endDateTime")
    return _moment(datetime.fromisoformat(end)) if end else None


def _shown(key: Mapping[str, object]) -> dict[str, object]:
    names = ("keyId", "displayName", "customKeyIdentifier", "endDateTime")
    return {name: key.get(name) for name in names}


@dataclass(frozen=True)
class SapTokenTest(Attestation):
    """SAP got a token with its certificate: the test of SOAUTH2_CLIENT says so.

    Only SAP holds the key, so only SAP can prove it.

    Source: SAP tutorial on OAuth 2.0 clients, "Request Token".
    """

    title: ClassVar[str] = "SAP obtains a token with its certificate"
    guide: ClassVar[str] = JWT
    credential: str

    def applicable(self) -> None:
        """Leave it out where a secret was chosen."""
        only_with_certificate(self.credential)

    def expect(self) -> State:
        """Return that the token is valid."""
        return {"token": OneOf(("valid",))}

    def remedy(self, unmet: str, seen: Observation) -> str:
        """Go by the code that Entra ID gave SAP, where it is a known one."""
        return TOKEN_CAUSES.get(str(seen.context.get("said")), self.id)

    def validate(self, session: Session, evidence: Evidence) -> Observation:
        """Read the pasted result of Request Token."""
        refused = re.search(r"AADSTS\d+|CX_OA2C\w+", evidence.text)
        valid = re.search(r"(?i)\bvalid\b[^.\n]*expires in\s+\d", evidence.text)
        token = "refused" if refused else "valid" if valid else None
        return Observation(
            {"token": token},
            context={"said": refused[0] if refused else None},
            vantage="as stated by a person",
        )

"""Prerequisites of option 1: what must hold before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from runbook_lib.engine.expect import Including, OneOf, State
from runbook_lib.engine.step import Check, NotAsExpected, Observation
from runbook_lib.errors import CannotLook
from runbook_lib.sap.endpoint import read_sender_view
from runbook_lib.session import Session
from runbook_lib.steps.operator_roles import (
    ADMINISTRATORS,
    REMEDIES,
    expected_roles,
    held_roles,
)
from runbook_lib.steps.reading import text, texts
from runbook_lib.steps.smtp_endpoint import (
    endpoint_expected,
    endpoint_facts,
    endpoint_seen,
    overlaid,
)

PREREQUISITES = "prerequisites"


@dataclass(frozen=True)
class OperatorPermissions(Check):
    """The operator's tokens carry what the changes of this runbook need.

    Source: guide, "Prerequisites" (administrative access); Microsoft Graph
    permissions reference; app-only authentication of Exchange Online.
    """

    title: ClassVar[str] = "Operator holds the roles and permissions"
    guide: ClassVar[str] = PREREQUISITES
    remedies: ClassVar[Mapping[str, str]] = REMEDIES

    def expect(self) -> State:
        """Return the least app roles and a directory role that Exchange accepts."""
        return expected_roles(
            ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"),
            ADMINISTRATORS,
        )

    def observe(self, session: Session) -> Observation:
        """Read the operator's tokens and roles."""
        return held_roles(session, ADMINISTRATORS)


@dataclass(frozen=True)
class SenderMailbox(Check):
    """The mailbox exists, under this primary address, and is enabled.

    Source: guide, "Prerequisites" (a valid account and email address);
    Get-Mailbox.
    """

    title: ClassVar[str] = "Sender mailbox exists"
    guide: ClassVar[str] = PREREQUISITES
    mailbox: str

    def expect(self) -> State:
        """Return the primary address and the types that can send."""
        return {
            "PrimarySmtpAddress": self.mailbox.lower(),
            "RecipientTypeDetails": OneOf(("UserMailbox", "SharedMailbox")),
            "IsMailboxEnabled": True,
        }

    def observe(self, session: Session) -> Observation:
        """Read the mailbox."""
        found = existing_mailbox(session, self.mailbox)
        return Observation(
            {
                "PrimarySmtpAddress": (text(found, "PrimarySmtpAddress") or "").lower(),
                "RecipientTypeDetails": found.get("RecipientTypeDetails"),
                "IsMailboxEnabled": found.get("IsMailboxEnabled"),
            },
            context={
                "DisplayName": found.get("DisplayName"),
                "EmailAddresses": texts(found, "EmailAddresses"),
                "AccountDisabled": found.get("AccountDisabled"),
            },
        )


@dataclass(frozen=True)
class SenderDomain(Check):
    """The domain of the mailbox's address is an accepted domain of the tenant.

    Source: guide, "Prerequisites" (a valid account and email address);
    Get-AcceptedDomain.
    """

    title: ClassVar[str] = "Sender domain is accepted"
    guide: ClassVar[str] = PREREQUISITES
    mailbox: str

    def expect(self) -> State:
        """Return the types of domain for which this organization sends."""
        return {"DomainType": OneOf(("Authoritative", "InternalRelay"))}

    def observe(self, session: Session) -> Observation:
        """Read the accepted domains and pick the mailbox's."""
        wanted = self.mailbox.rpartition("@")[2].lower()
        domains = session.exchange.accepted_domains()
        ours = [d for d in domains if (text(d, "DomainName") or "").lower() == wanted]
        return Observation(
            {"DomainType": ours[0].get("DomainType") if ours else None},
            context={
                "domain": wanted,
                "other accepted domains": len(domains) - len(ours),
            },
        )


def existing_mailbox(session: Session, mailbox: str) -> dict[str, object]:
    """Return a mailbox.

    Raises:
        NotAsExpected: there is no such mailbox.
    """
    found = session.exchange.mailbox(mailbox)
    if found is None:
        raise mailbox_missing(mailbox)
    return found


def mailbox_missing(mailbox: str) -> NotAsExpected:
    """Return the fault of a mailbox that Exchange Online does not know."""
    return NotAsExpected(
        f"Exchange Online has no mailbox {mailbox}.",
        remedy="Create or license the mailbox, or correct it in the tenant file.",
        remedy_id="mailbox-missing",
    )


@dataclass(frozen=True)
class SubmissionEndpoint(Check):
    """The SMTP host resolves, answers on port 587 and offers TLS 1.2 or newer.

    Seen from this machine it is advisory. It counts for the SAP system where
    `probe` names a file that `runbook probe` wrote on the sender's host, or a
    text with pasted output of telnet, niping or openssl. An empty `probe`
    means that there is none.

    Source: guide, "Prerequisites" (port 587, DNS resolution) and "Configure
    SMTP OAuth in SAP", step 1.
    """

    title: ClassVar[str] = "Port 587 and DNS of the SMTP host"
    guide: ClassVar[str] = PREREQUISITES
    host: str
    probe: str = ""

    def expect(self) -> State:
        """Return what submission with OAuth needs of the host."""
        return {**endpoint_expected(), "AUTH": Including(("XOAUTH2",))}

    def observe(self, session: Session) -> Observation:
        """Look from here, and let the sender's view stand where there is one.

        The sender's view stands also where this machine sees nothing at all.
        """
        if not self.probe:
            return self._from_here(session)
        view = read_sender_view(Path(self.probe), self.host)
        try:
            here = self._from_here(session)
        except CannotLook as error:
            here = Observation({}, facts={"problem": error.message, **error.facts})
        return overlaid(here, view)

    def _from_here(self, session: Session) -> Observation:
        answer = session.resolver.addresses(self.host)
        facts = session.submission.observe_endpoint(self.host, 587)
        return Observation(
            {
                "resolves": bool(answer.values),
                **endpoint_seen(facts),
                "AUTH": list(facts.auth),
            },
            vantage="this machine",
            advice="Seen from this machine, not from the SAP host: "
            "run `runbook probe` there.",
            facts={
                "canonical name": answer.canonical_name,
                **endpoint_facts(answer, facts),
            },
        )

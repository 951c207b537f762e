"""The Exchange Online side: service principal, mailbox permission, SMTP AUTH."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import Including, State
from runbook_lib.engine.step import Change, NotAsExpected, Observation, Probe
from runbook_lib.session import Session
from runbook_lib.steps.authorization import FULL_ACCESS, only_for
from runbook_lib.steps.identifiers import what_is
from runbook_lib.steps.prerequisites import existing_mailbox, mailbox_missing
from runbook_lib.steps.reading import text, texts

NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
REGISTER = "register-the-application-service-principal-in-exchange-online"


@dataclass(frozen=True)
class RegisterExchangeServicePrincipal(Change):
    """Exchange Online knows the service principal, by its enterprise object ID.

    `object_id` comes from Microsoft Graph's servicePrincipal. Exchange accepts
    a wrong one silently and later refuses the sign-in with 535 5.7.3.

    Source: guide, "Register the application service principal in Exchange
    Online"; New-ServicePrincipal.
    """

    title: ClassVar[str] = (
        "Register the application service principal in Exchange Online"
    )
    guide: ClassVar[str] = REGISTER
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({NOT_FOUND})
    app_id: str
    object_id: str
    display_name: str

    def expect(self) -> State:
        """Return both ids."""
        return {"AppId": self.app_id, "ObjectId": self.object_id}

    def observe(self, session: Session) -> Observation:
        """Read the service principal that Exchange has for the application."""
        found = session.exchange.service_principal(self.app_id)
        found = found or session.exchange.service_principal(self.object_id)
        if found is None:
            return Observation({}, exists=False)
        for name, wanted in self.expect().items():
            if text(found, name) != wanted:
                raise _wrong_id(session, name, str(wanted), text(found, name) or "")
        names = ("AppId", "ObjectId", "DisplayName", "Sid")
        return Observation({name: found.get(name) for name in names})

    def apply(self, session: Session) -> None:
        """Register it."""
        session.exchange.new_service_principal(
            app_id=self.app_id,
            object_id=self.object_id,
            display_name=self.display_name,
        )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Remove what was registered."""
        session.exchange.remove_service_principal(str(after["ObjectId"]))


def _wrong_id(session: Session, name: str, wanted: str, found: str) -> NotAsExpected:
    return NotAsExpected(
        f"Exchange Online has this application with {name} {found}, expected {wanted}: "
        f"{found} is {what_is(session, found)}.",
        remedy="Remove the wrong one with Remove-ServicePrincipal; mailbox "
        "permissions given to it are lost with it.",
        remedy_id="register-exchange-service-principal",
    )


@dataclass(frozen=True)
class GrantMailboxFullAccess(Change):
    """The service principal has FullAccess to this one mailbox.

    Source: guide, "Register the application service principal in Exchange
    Online", step 4; Add-MailboxPermission.
    """

    title: ClassVar[str] = "Give the service principal full access to the mailbox"
    guide: ClassVar[str] = REGISTER
    requires: ClassVar[tuple[str, ...]] = (
        "sender-mailbox",
        "register-exchange-service-principal",
    )
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({NOT_FOUND})
    mailbox: str
    object_id: str
    authorization: str = FULL_ACCESS

    def applicable(self) -> None:
        """Leave it out where Exchange's own roles decide."""
        only_for(self.authorization, FULL_ACCESS)

    def expect(self) -> State:
        """Return the access right."""
        return {"AccessRights": Including(("FullAccess",))}

    def observe(self, session: Session) -> Observation:
        """Read the entry of our service principal; others are only counted."""
        rows = permissions(session, self.mailbox)
        ours = of_principal(session, self.object_id, rows)
        if any(row.get("Deny") is True for row in ours):
            raise _denied(self.mailbox)
        rights = sorted({right for row in ours for right in texts(row, "AccessRights")})
        return Observation(
            {"AccessRights": rights or None},
            context={"other entries": len(rows) - len(ours)},
            exists=bool(ours),
            advice="FullAccess also opens the mailbox; "
            "RBAC for Applications is narrower.",
        )

    def apply(self, session: Session) -> None:
        """Add the permission, without AutoMapping."""
        session.exchange.add_mailbox_permission(
            self.mailbox,
            user=self.object_id,
            rights=["FullAccess"],
            auto_mapping=False,
        )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Remove the permission that was added."""
        session.exchange.remove_mailbox_permission(
            self.mailbox, user=self.object_id, rights=["FullAccess"]
        )


Rows = list[dict[str, object]]


def permissions(session: Session, mailbox: str) -> Rows:
    """Return the mailbox's permission rows.

    Raises:
        NotAsExpected: there is no such mailbox.
    """
    existing_mailbox(session, mailbox)
    return session.exchange.mailbox_permissions(mailbox)


def of_principal(session: Session, object_id: str, rows: Rows) -> Rows:
    """Return the rows of a service principal, which show its SID or its GUID."""
    found = session.exchange.service_principal(object_id) or {}
    names = {object_id, text(found, "Sid"), text(found, "Name")} - {None}
    return [row for row in rows if text(row, "User") in names]


def _denied(mailbox: str) -> NotAsExpected:
    return NotAsExpected(
        f"An entry of {mailbox} denies access to the service principal.",
        remedy="Find out who set it and why; this runbook does not remove it.",
        remedy_id="grant-mailbox-full-access",
    )


@dataclass(frozen=True)
class MailboxDelegation(Probe):
    """Read back what the admin center shows under Delegation.

    Source: guide, "Register the application service principal in Exchange
    Online", steps 5 and 6; Get-MailboxPermission.
    """

    title: ClassVar[str] = "Verify the mailbox delegation"
    guide: ClassVar[str] = REGISTER
    requires: ClassVar[tuple[str, ...]] = ("grant-mailbox-full-access",)
    replication_symptoms: ClassVar[frozenset[str]] = frozenset(
        {"delegate", "AccessRights"}
    )
    mailbox: str
    object_id: str
    authorization: str = FULL_ACCESS

    def applicable(self) -> None:
        """Leave it out where Exchange's own roles decide."""
        only_for(self.authorization, FULL_ACCESS)

    def expect(self) -> State:
        """Return the delegate and its own, not inherited, right."""
        return {
            "delegate": self.object_id,
            "AccessRights": Including(("FullAccess",)),
            "IsInherited": False,
        }

    def observe(self, session: Session) -> Observation:
        """List all delegates and look for ours among them."""
        rows = permissions(session, self.mailbox)
        ours = of_principal(session, self.object_id, rows)
        rights = sorted({right for row in ours for right in texts(row, "AccessRights")})
        return Observation(
            {
                "delegate": self.object_id if ours else None,
                "AccessRights": rights,
                "IsInherited": any(row.get("IsInherited") is True for row in ours),
            },
            context={"delegates": len(rows)},
        )


FLAG = "SmtpClientAuthenticationDisabled"


@dataclass(frozen=True)
class EnableAuthenticatedSmtp(Change):
    """Authenticated SMTP is on for the mailbox, whatever the organization says.

    The mailbox's value has three states: false allows, true forbids, null
    takes the organization's. Only an explicit false passes. The organization's
    setting is not touched.

    Source: guide, "Activate SMTP AUTH for the mailbox"; Set-CASMailbox.
    """

    title: ClassVar[str] = "Activate SMTP AUTH for the mailbox"
    guide: ClassVar[str] = "activate-smtp-auth-for-the-mailbox"
    requires: ClassVar[tuple[str, ...]] = ("sender-mailbox", "organization-smtp-auth")
    mailbox: str

    def expect(self) -> State:
        """Return an explicit false."""
        return {FLAG: False}

    def remedy(self, unmet: str, seen: Observation) -> str:
        """Tell a mailbox that is forbidden from one that inherits a prohibition."""
        if seen.properties.get(FLAG) is None:
            return "smtp-auth-disabled-tenant"
        return "smtp-auth-disabled-mailbox"

    def observe(self, session: Session) -> Observation:
        """Read the mailbox's value, with the organization's beside it."""
        found = session.exchange.cas_mailbox(self.mailbox)
        if found is None:
            raise mailbox_missing(self.mailbox)
        organization = session.exchange.transport_config().get(FLAG)
        return Observation(
            {FLAG: found.get(FLAG)}, context={f"organization's {FLAG}": organization}
        )

    def apply(self, session: Session) -> None:
        """Set the mailbox's value to false."""
        session.exchange.set_cas_mailbox(self.mailbox, **{FLAG: False})

    def revert(self, session: Session, before: State, after: State) -> None:
        """Set the value that stood before; null is sent as null."""
        session.exchange.set_cas_mailbox(self.mailbox, **{FLAG: before.get(FLAG)})

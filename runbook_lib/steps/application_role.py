"""RBAC for Applications: the application may send for a group of mailboxes only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Change, Check, NotAsExpected, Observation, Probe
from runbook_lib.session import Session
from runbook_lib.steps.authorization import APP_RBAC, only_for
from runbook_lib.steps.identifiers import what_is
from runbook_lib.steps.mailbox import NOT_FOUND, REGISTER
from runbook_lib.steps.permission import GRANTED, send_as_app
from runbook_lib.steps.reading import text

ROLE = "Application SMTP.SendAsApp"


@dataclass(frozen=True)
class NoEntraPermission(Check):
    """The application has no permission SMTP.SendAsApp in Entra ID.

    With it Exchange Online would ask for full access to the mailbox and not
    look at its own roles. It is not removed here, because somebody granted it.

    Source: Microsoft Learn, RBAC for Applications for SMTP AUTH.
    """

    title: ClassVar[str] = "No permission in Entra ID beside the role"
    guide: ClassVar[str] = REGISTER
    remedies: ClassVar[Mapping[str, str]] = {GRANTED: "no-entra-permission"}
    principal: str
    authorization: str

    def applicable(self) -> None:
        """Leave it out where full access was chosen."""
        only_for(self.authorization, APP_RBAC)

    def expect(self) -> State:
        """Return that there is no assignment."""
        return {GRANTED: None}

    def observe(self, session: Session) -> Observation:
        """Read the assignments."""
        wanted = send_as_app(session)
        granted = session.graph.app_role_assignments(self.principal)
        ours = [e for e in granted if e.get("appRoleId") == wanted.role]
        return Observation({GRANTED: ours[0].get("id") if ours else None})


@dataclass(frozen=True)
class LimitToSenderGroup(Change):
    """A management scope holds the mailboxes of one group, and nothing else.

    The group exists already and has the sender mailbox as a member; `group` is
    its address.

    Source: New-ManagementScope.
    """

    title: ClassVar[str] = "Limit the application to the senders' group"
    guide: ClassVar[str] = REGISTER
    requires: ClassVar[tuple[str, ...]] = ("sender-mailbox",)
    name: str
    group: str
    authorization: str

    def applicable(self) -> None:
        """Leave it out where full access was chosen."""
        only_for(self.authorization, APP_RBAC)

    def expect(self) -> State:
        """Return that the scope's filter is the group's."""
        return {"Name": self.name, "limited to": self.group}

    def observe(self, session: Session) -> Observation:
        """Read scope and group, and compare the filter with the group's name."""
        scope = session.exchange.management_scope(self.name)
        wanted = _filter(session, self.group)
        if scope is None:
            return Observation({}, {"filter": wanted}, exists=False)
        found = text(scope, "RecipientFilter")
        if found != wanted:
            raise _other_scope(self.name, found)
        return Observation(
            {"Name": text(scope, "Name"), "limited to": self.group},
            {"RecipientFilter": found},
        )

    def apply(self, session: Session) -> None:
        """Create the scope."""
        session.exchange.new_management_scope(
            name=self.name, recipient_filter=_filter(session, self.group)
        )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Remove the scope that was created."""
        session.exchange.remove_management_scope(self.name)


def _filter(session: Session, group: str) -> str:
    if not group:
        raise NotAsExpected(
            "sender_group is empty, and without a scope a role reaches every mailbox.",
            remedy="Give the address of a group that holds the sender mailbox.",
            remedy_id="limit-to-sender-group",
        )
    found = session.exchange.distribution_group(group)
    if found is None:
        raise NotAsExpected(
            f"Exchange Online has no group {group}.",
            remedy="Make a mail-enabled group and put the sender mailbox into it.",
            remedy_id="limit-to-sender-group",
        )
    name = (text(found, "DistinguishedName") or "").replace("'", "''")
    return f"MemberOfGroup -eq '{name}'"


def _other_scope(name: str, found: str | None) -> NotAsExpected:
    return NotAsExpected(
        f"A management scope {name!r} exists with another filter: {found}.",
        remedy="Choose another name, or find out whose scope it is.",
        remedy_id="limit-to-sender-group",
    )


@dataclass(frozen=True)
class AssignSendAsAppRole(Change):
    """The service principal has the role, within the scope and nowhere else.

    Source: New-ManagementRoleAssignment.
    """

    title: ClassVar[str] = "Assign the role to the service principal"
    guide: ClassVar[str] = REGISTER
    requires: ClassVar[tuple[str, ...]] = (
        "no-entra-permission",
        "limit-to-sender-group",
        "register-exchange-service-principal",
    )
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({NOT_FOUND})
    name: str
    object_id: str
    scope: str
    authorization: str

    def applicable(self) -> None:
        """Leave it out where full access was chosen."""
        only_for(self.authorization, APP_RBAC)

    def expect(self) -> State:
        """Return role and scope."""
        return {"Role": ROLE, "CustomResourceScope": self.scope}

    def observe(self, session: Session) -> Observation:
        """Read the assignment of this name."""
        found = session.exchange.role_assignment(self.name)
        if found is None:
            return Observation({}, exists=False)
        names = ("Role", "CustomResourceScope", "Name", "App")
        seen = {name: found.get(name) for name in names}
        if seen["Role"] != ROLE or seen["CustomResourceScope"] != self.scope:
            raise _other_assignment(self.name)
        if seen["App"] != self.object_id:
            raise _other_principal(session, self.name, str(seen["App"]))
        return Observation(seen)

    def apply(self, session: Session) -> None:
        """Assign the role, always with a scope."""
        session.exchange.new_role_assignment(
            name=self.name, role=ROLE, app=self.object_id, scope=self.scope
        )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Remove the assignment that was made."""
        session.exchange.remove_role_assignment(self.name)


def _other_principal(session: Session, name: str, found: str) -> NotAsExpected:
    return NotAsExpected(
        f"The role assignment {name!r} is for another service principal: {found} is "
        f"{what_is(session, found)}.",
        remedy="Choose another name, or find out whose assignment it is.",
        remedy_id="assign-send-as-app-role",
    )


def _other_assignment(name: str) -> NotAsExpected:
    return NotAsExpected(
        f"A role assignment {name!r} exists with another role or scope.",
        remedy="Choose another name, or find out whose assignment it is.",
        remedy_id="assign-send-as-app-role",
    )


@dataclass(frozen=True)
class ServicePrincipalAuthorization(Probe):
    """Exchange Online says that the mailbox is within the application's scope.

    A new assignment works after 30 minutes to two hours; this test may say so
    earlier than the SMTP service.

    Source: Test-ServicePrincipalAuthorization.
    """

    title: ClassVar[str] = "Test the application's authorization"
    guide: ClassVar[str] = REGISTER
    requires: ClassVar[tuple[str, ...]] = ("assign-send-as-app-role",)
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({"InScope"})
    mailbox: str
    object_id: str
    authorization: str

    def applicable(self) -> None:
        """Leave it out where full access was chosen."""
        only_for(self.authorization, APP_RBAC)

    def expect(self) -> State:
        """Return that the mailbox is in scope."""
        return {"InScope": True}

    def observe(self, session: Session) -> Observation:
        """Ask Exchange about this mailbox."""
        rows = session.exchange.service_principal_authorization(
            self.object_id, mailbox=self.mailbox
        )
        ours = [row for row in rows if row.get("RoleName") == ROLE]
        in_scope = any(str(row.get("InScope")).lower() == "true" for row in ours)
        return Observation(
            {"InScope": in_scope},
            {"scopes": [row.get("AllowedResourceScope") for row in ours]},
            advice="The application can send and cannot open the mailbox.",
        )

"""The permission to send: declared by the application, consented to by an admin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Change, NotAsExpected, Observation
from runbook_lib.session import Session
from runbook_lib.steps.application import NOT_YET
from runbook_lib.steps.authorization import FULL_ACCESS, only_for
from runbook_lib.steps.reading import objects, text

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
SEND_AS_APP = "SMTP.SendAsApp"


@dataclass(frozen=True)
class SendAsAppRole:
    """SMTP.SendAsApp as this tenant's Exchange Online defines it: two GUIDs."""

    resource: str
    role: str


def send_as_app(session: Session) -> SendAsAppRole:
    """Look the role up by value: its GUID differs between clouds.

    Raises:
        NotAsExpected: the tenant has no Exchange Online, or it has no such role.
    """
    exchange = session.graph.service_principal_by_app_id(EXCHANGE_ONLINE)
    for role in objects(exchange or {}, "appRoles"):
        applies = "Application" in (role.get("allowedMemberTypes") or [])  # type: ignore[operator]
        if role.get("value") == SEND_AS_APP and role.get("isEnabled") and applies:
            return SendAsAppRole(str((exchange or {})["id"]), str(role["id"]))
    raise NotAsExpected(
        f"This tenant's Exchange Online offers no application role {SEND_AS_APP}.",
        remedy="Check that the tenant has an Exchange Online subscription.",
        remedy_id="declare-send-as-app",
    )


DECLARED = "requiredResourceAccess[SMTP.SendAsApp]"
DECLARED_USER_READ = "requiredResourceAccess[User.Read]"
WHOLE = "requiredResourceAccess"


@dataclass(frozen=True)
class DeclareSendAsApp(Change):
    """SMTP.SendAsApp stands among the declared permissions; others stay.

    The collection is read, merged and written. User.Read is removed only with
    `remove_user_read="yes"`: Microsoft Graph never adds it, the portal does.

    Source: guide, "Set the SMTP.SendAsApp API application permission for the
    application"; application-update.
    """

    title: ClassVar[str] = (
        "Set the SMTP.SendAsApp API application permission for the application"
    )
    guide: ClassVar[str] = (
        "set-the-smtpsendasapp-api-application-permission-for-the-application"
    )
    replication_symptoms: ClassVar[frozenset[str]] = NOT_YET
    application: str
    remove_user_read: str = "no"
    authorization: str = FULL_ACCESS

    def applicable(self) -> None:
        """Leave out the permission where Exchange's own roles decide."""
        only_for(self.authorization, FULL_ACCESS)

    def expect(self) -> State:
        """Return the declared role, and no User.Read where it is to go."""
        declared: dict[str, object] = {DECLARED: "Role"}
        if self.remove_user_read == "yes":
            declared[DECLARED_USER_READ] = None
        return declared

    def observe(self, session: Session) -> Observation:
        """Read the declared permissions."""
        whole = self._declared(session)
        role = send_as_app(session).role
        declared = _declared_type(whole, EXCHANGE_ONLINE, role)
        return Observation(
            {
                DECLARED: declared,
                DECLARED_USER_READ: _declared_type(whole, MICROSOFT_GRAPH, USER_READ),
                WHOLE: whole,
            },
            exists=declared is not None,
        )

    def _declared(self, session: Session) -> list[dict[str, object]]:
        found = session.graph.application(self.application)
        return objects(found or {}, WHOLE)

    def apply(self, session: Session) -> None:
        """Write the merged collection."""
        whole = self._declared(session)
        role = send_as_app(session).role
        merged = _with(whole, EXCHANGE_ONLINE, role, "Role")
        if self.remove_user_read == "yes":
            merged = _without(merged, MICROSOFT_GRAPH, USER_READ)
        session.graph.update_application(self.application, {WHOLE: merged})

    def revert(self, session: Session, before: State, after: State) -> None:
        """Write the old collection, or take out ours where others changed it."""
        whole = self._declared(session)
        if whole == after[WHOLE]:
            restored = objects(before, WHOLE)
        else:
            role = send_as_app(session).role
            restored = whole
            if before.get(DECLARED) is None:
                restored = _without(restored, EXCHANGE_ONLINE, role)
            taken = before.get(DECLARED_USER_READ)
            if taken is not None and self.remove_user_read == "yes":
                restored = _with(restored, MICROSOFT_GRAPH, USER_READ, str(taken))
        session.graph.update_application(self.application, {WHOLE: restored})


Declared = list[dict[str, object]]


def _declared_type(whole: Declared, resource: str, permission: str) -> str | None:
    for entry in whole:
        if entry.get("resourceAppId") == resource:
            for access in objects(entry, "resourceAccess"):
                if access.get("id") == permission:
                    return text(access, "type")
    return None


def _with(whole: Declared, resource: str, permission: str, kind: str) -> Declared:
    if _declared_type(whole, resource, permission) == kind:
        return whole
    access = {"id": permission, "type": kind}
    if all(entry.get("resourceAppId") != resource for entry in whole):
        return [*whole, {"resourceAppId": resource, "resourceAccess": [access]}]
    return [
        {**e, "resourceAccess": [*objects(e, "resourceAccess"), access]}
        if e.get("resourceAppId") == resource
        else e
        for e in whole
    ]


def _without(whole: Declared, resource: str, permission: str) -> Declared:
    """Take one permission out; its resource goes as well if none is left in it."""
    left: Declared = []
    for entry in whole:
        if entry.get("resourceAppId") != resource:
            left.append(entry)
            continue
        access = objects(entry, "resourceAccess")
        kept = [one for one in access if one.get("id") != permission]
        if kept:
            left.append({**entry, "resourceAccess": kept})
    return left


GRANTED = "appRoleAssignments[SMTP.SendAsApp]"


@dataclass(frozen=True)
class GrantAdminConsent(Change):
    """The service principal is granted exactly SMTP.SendAsApp.

    Another granted role is no consent for this one. A delegated grant of
    User.Read is shown and left alone.

    Source: guide, "Set the SMTP.SendAsApp API application permission for the
    application", step 4; serviceprincipal-post-approleassignments.
    """

    title: ClassVar[str] = "Grant admin consent"
    guide: ClassVar[str] = (
        "set-the-smtpsendasapp-api-application-permission-for-the-application"
    )
    requires: ClassVar[tuple[str, ...]] = ("declare-send-as-app",)
    remedies: ClassVar[Mapping[str, str]] = {GRANTED: "token-roles-missing"}
    replication_symptoms: ClassVar[frozenset[str]] = NOT_YET
    principal: str
    authorization: str = FULL_ACCESS

    def applicable(self) -> None:
        """Leave out the consent where Exchange's own roles decide."""
        only_for(self.authorization, FULL_ACCESS)

    def expect(self) -> State:
        """Return that there is an assignment of the role; its id is the value."""
        return {GRANTED: Present()}

    def observe(self, session: Session) -> Observation:
        """Read the assignments and the delegated grants."""
        wanted = send_as_app(session)
        granted = session.graph.app_role_assignments(self.principal)
        ours = [
            entry
            for entry in granted
            if entry.get("resourceId") == wanted.resource
            and entry.get("appRoleId") == wanted.role
        ]
        delegated = session.graph.delegated_grants(self.principal)
        return Observation(
            {GRANTED: ours[0].get("id") if ours else None},
            context={
                "other appRoleAssignments": [e for e in granted if e not in ours],
                "oauth2PermissionGrants": [grant.get("scope") for grant in delegated],
            },
            exists=bool(ours),
        )

    def apply(self, session: Session) -> None:
        """Grant the role."""
        wanted = send_as_app(session)
        session.graph.grant_app_role(
            self.principal, resource_id=wanted.resource, app_role_id=wanted.role
        )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Revoke the assignment that was made."""
        session.graph.revoke_app_role(self.principal, str(after[GRANTED]))

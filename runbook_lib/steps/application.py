"""The application in Entra ID: registration, permission, consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Change, NotAsExpected, Observation
from runbook_lib.session import MARK, Session
from runbook_lib.steps.reading import objects, text

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
SEND_AS_APP = "SMTP.SendAsApp"
SINGLE_TENANT = "AzureADMyOrg"

# How Microsoft Graph refuses what has not replicated yet.
NOT_YET = frozenset(
    {
        "Request_ResourceNotFound",
        "Directory_ObjectNotFound",
        "NoBackingApplicationObject",
    }
)


@dataclass(frozen=True)
class RegisterApplication(Change):
    """One application of this name, or this appId, for this tenant only.

    With an empty `app_id` the application is found by display name: none is
    created, one is used (adopted where this project did not make it), more
    than one stops the run. A given `app_id` must exist.

    Source: guide, "Register an application representing the SAP system in
    Entra ID"; application-post-applications.
    """

    title: ClassVar[str] = (
        "Register an application representing the SAP system in Entra ID"
    )
    guide: ClassVar[str] = (
        "register-an-application-representing-the-sap-system-in-entra-id"
    )
    requires: ClassVar[tuple[str, ...]] = (
        "sap-release-supports-credential",
        "operator-permissions",
    )
    replication_symptoms: ClassVar[frozenset[str]] = NOT_YET
    display_name: str
    app_id: str = ""

    def expect(self) -> State:
        """Return the name, or the given appId, and the single-tenant audience."""
        if self.app_id:
            return {"appId": self.app_id, "signInAudience": SINGLE_TENANT}
        return {"displayName": self.display_name, "signInAudience": SINGLE_TENANT}

    def observe(self, session: Session) -> Observation:
        """Find the application; other people's applications are only shown."""
        found = self._found(session)
        if found is None:
            return Observation({}, exists=False)
        ours = (text(found, "notes") or "").startswith(MARK)
        if not ours and found.get("signInAudience") != SINGLE_TENANT:
            raise _not_adoptable(found)
        names = ("displayName", "signInAudience", "appId", "id")
        return Observation(
            {name: found.get(name) for name in names},
            context={} if ours else _context(session, found),
            adopt=not ours,
            advice=None if ours else "Made by someone else; see who owns it.",
        )

    def _found(self, session: Session) -> dict[str, object] | None:
        if self.app_id:
            found = session.graph.application_by_app_id(self.app_id)
            if found is None:
                raise _no_such_application(self.app_id)
            return found
        named = session.graph.applications_named(self.display_name)
        if len(named) > 1:
            raise _ambiguous(self.display_name, named)
        return named[0] if named else None

    def apply(self, session: Session) -> None:
        """Create the application, or narrow the audience of our own."""
        found = self._found(session)
        if found is not None:
            changes = {"signInAudience": SINGLE_TENANT}
            session.graph.update_application(str(found["id"]), changes)
            return
        session.graph.create_application(
            {
                "displayName": self.display_name,
                "signInAudience": SINGLE_TENANT,
                "notes": session.mark,
            }
        )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Delete the application that was created (restorable for 30 days)."""
        if before.get("signInAudience") is None:
            session.graph.delete_application(str(after["id"]))
        else:
            changes = {"signInAudience": before["signInAudience"]}
            session.graph.update_application(str(after["id"]), changes)


def _context(session: Session, found: Mapping[str, object]) -> dict[str, object]:
    """Return what an adopting person must see of a stranger's application."""
    owners = session.graph.application_owners(str(found["id"]))
    return {
        "createdDateTime": found.get("createdDateTime"),
        "owners": [o.get("userPrincipalName") or o.get("displayName") for o in owners],
        "passwordCredentials": _credentials(found, "passwordCredentials"),
        "keyCredentials": _credentials(found, "keyCredentials"),
        "requiredResourceAccess": objects(found, "requiredResourceAccess"),
    }


def _credentials(found: Mapping[str, object], name: str) -> list[object]:
    return [
        {key: c.get(key) for key in ("keyId", "displayName", "endDateTime")}
        for c in objects(found, name)
    ]


def _not_adoptable(found: Mapping[str, object]) -> NotAsExpected:
    return NotAsExpected(
        f"An application {found.get('displayName')!r} exists that someone else made, "
        f"for the audience {found.get('signInAudience')}.",
        remedy="Choose another application_name, or let its owner make it "
        "single-tenant.",
        remedy_id="adopted-application",
        facts={"appId": found.get("appId")},
    )


def _no_such_application(app_id: str) -> NotAsExpected:
    return NotAsExpected(
        f"This tenant has no application with appId {app_id}.",
        remedy="Correct application_id, or leave it empty to find it by name.",
        remedy_id="token-application-not-found",
    )


def _ambiguous(name: str, named: list[dict[str, object]]) -> NotAsExpected:
    return NotAsExpected(
        f"{len(named)} applications are called {name!r}; a name is not an identity.",
        remedy="Give the appId of the right one as application_id.",
        remedy_id="ambiguous-application",
        facts={"appIds": [found.get("appId") for found in named]},
    )


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
            if before.get(DECLARED_USER_READ) is not None:
                restored = _with(restored, MICROSOFT_GRAPH, USER_READ, "Scope")
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
    """Take one permission out; a resource left without any goes as well."""
    left: Declared = []
    for entry in whole:
        kept = objects(entry, "resourceAccess")
        if entry.get("resourceAppId") == resource:
            kept = [access for access in kept if access.get("id") != permission]
        if kept:
            left.append({**entry, "resourceAccess": kept})
    return left


@dataclass(frozen=True)
class CreateServicePrincipal(Change):
    """The application has its enterprise application in this tenant.

    The portal makes it silently with the registration; Microsoft Graph does not.

    Source: guide, "Register the application service principal in Exchange
    Online", step 1; serviceprincipal-post-serviceprincipals.
    """

    title: ClassVar[str] = "Create the enterprise application (service principal)"
    guide: ClassVar[str] = (
        "register-an-application-representing-the-sap-system-in-entra-id"
    )
    replication_symptoms: ClassVar[frozenset[str]] = NOT_YET
    app_id: str

    def expect(self) -> State:
        """Return an enabled service principal of this application."""
        return {"appId": self.app_id, "accountEnabled": True}

    def observe(self, session: Session) -> Observation:
        """Read the service principal."""
        found = session.graph.service_principal_by_app_id(self.app_id)
        if found is None:
            return Observation({}, exists=False)
        if found.get("accountEnabled") is not True:
            raise _disabled(self.app_id)
        names = ("appId", "accountEnabled", "id", "displayName")
        return Observation({name: found.get(name) for name in names})

    def apply(self, session: Session) -> None:
        """Create the service principal, listed as an enterprise application."""
        session.graph.create_service_principal(
            {
                "appId": self.app_id,
                "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
                "notes": session.mark,
            }
        )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Delete the service principal that was created."""
        session.graph.delete_service_principal(str(after["id"]))


def _disabled(app_id: str) -> NotAsExpected:
    return NotAsExpected(
        f"The enterprise application of {app_id} is disabled.",
        remedy="Find out who disabled it and why; this runbook does not enable it.",
        remedy_id="create-service-principal",
    )


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

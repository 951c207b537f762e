"""The application in Entra ID: its registration and its service principal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Change, NotAsExpected, Observation
from runbook_lib.session import MARK, Session
from runbook_lib.steps.identifiers import what_is
from runbook_lib.steps.reading import objects, text

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
        ours = _is_ours(found)
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
                raise _no_such_application(session, self.app_id)
            return found
        named = session.graph.applications_named(self.display_name)
        if len(named) > 1:
            raise _ambiguous(self.display_name, named)
        return named[0] if named else None

    def apply(self, session: Session) -> None:
        """Create the application, or narrow the audience of our own."""
        found = self._found(session)
        if found is not None and not _is_ours(found):
            raise _appeared(found)
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


def _is_ours(found: Mapping[str, object]) -> bool:
    return (text(found, "notes") or "").startswith(MARK)


def _appeared(found: Mapping[str, object]) -> NotAsExpected:
    return NotAsExpected(
        f"Somebody else made an application {found.get('displayName')!r} since this "
        "run looked.",
        remedy="It was left alone: run plan again, which shows what is there.",
        remedy_id="adopted-application",
        facts={"appId": found.get("appId")},
    )


def _not_adoptable(found: Mapping[str, object]) -> NotAsExpected:
    return NotAsExpected(
        f"An application {found.get('displayName')!r} exists that someone else made, "
        f"for the audience {found.get('signInAudience')}.",
        remedy="Choose another application_name, or let its owner make it "
        "single-tenant.",
        remedy_id="adopted-application",
        facts={"appId": found.get("appId")},
    )


def _no_such_application(session: Session, app_id: str) -> NotAsExpected:
    return NotAsExpected(
        f"This tenant has no application with appId {app_id}: "
        f"it is {what_is(session, app_id)}.",
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

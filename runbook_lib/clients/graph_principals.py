"""Service principals (enterprise applications) and what they are granted."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_lib.clients.graph_requests import (
    SERVICE,
    GraphRequests,
    by_app_id,
    segment,
)
from runbook_lib.clients.replies import json_object

READ = "Application.Read.All"
WRITE = "Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy)"
CONSENT = "AppRoleAssignment.ReadWrite.All and Application.Read.All"

PROPERTIES = (
    *("id", "appId", "displayName", "accountEnabled", "appOwnerOrganizationId"),
    *("appRoleAssignmentRequired", "appRoles", "notes", "servicePrincipalNames"),
    *("servicePrincipalType", "signInAudience", "tags"),
)


class ServicePrincipals(GraphRequests):
    """Reads and writes service principals; `object_id` is their own id.

    Source: Microsoft Graph v1.0, servicePrincipal resource type.
    """

    def service_principal_by_app_id(self, app_id: str) -> dict[str, object] | None:
        """Return this tenant's service principal of an application, or None.

        Source: serviceprincipal-get (alternate key).
        """
        path = f"/servicePrincipals{by_app_id(app_id)}"
        return self._find(path, needs=READ, select=PROPERTIES)

    def service_principal(self, object_id: str) -> dict[str, object] | None:
        """Return one service principal, or None if there is none (or not yet).

        Source: serviceprincipal-get.
        """
        path = f"/servicePrincipals/{segment(object_id)}"
        return self._find(path, needs=READ, select=PROPERTIES)

    def create_service_principal(self, body: Mapping[str, object]) -> dict[str, object]:
        """Create a service principal for an application, and return it.

        Refused with the detail `NoBackingApplicationObject` while the application
        is not replicated.

        Source: serviceprincipal-post-serviceprincipals.
        """
        response = self._send("POST", "/servicePrincipals", needs=WRITE, body=body)
        return json_object(SERVICE, response)

    def delete_service_principal(self, object_id: str) -> None:
        """Delete a service principal, and with it what it was granted.

        Source: serviceprincipal-delete.
        """
        self._send("DELETE", f"/servicePrincipals/{segment(object_id)}", needs=WRITE)

    def app_role_assignments(self, object_id: str) -> list[dict[str, object]]:
        """Return the app roles that this service principal is granted.

        Source: serviceprincipal-list-approleassignments.
        """
        path = f"/servicePrincipals/{segment(object_id)}/appRoleAssignments"
        return self._list(path, needs=READ)

    def grant_app_role(
        self, object_id: str, *, resource_id: str, app_role_id: str
    ) -> dict[str, object]:
        """Grant one app role of a resource, which is its admin consent.

        `resource_id` is the object id of the resource's service principal in this
        tenant. Returns the assignment, whose `id` revokes it.

        Source: serviceprincipal-post-approleassignments.
        """
        body = {
            "principalId": object_id,
            "resourceId": resource_id,
            "appRoleId": app_role_id,
        }
        path = f"/servicePrincipals/{segment(object_id)}/appRoleAssignments"
        response = self._send("POST", path, needs=CONSENT, body=body)
        return json_object(SERVICE, response)

    def revoke_app_role(self, object_id: str, assignment_id: str) -> None:
        """Revoke one granted app role.

        Source: serviceprincipal-delete-approleassignments.
        """
        path = (
            f"/servicePrincipals/{segment(object_id)}"
            f"/appRoleAssignments/{segment(assignment_id)}"
        )
        self._send("DELETE", path, needs="AppRoleAssignment.ReadWrite.All")

    def delegated_grants(self, object_id: str) -> list[dict[str, object]]:
        """Return the delegated permissions granted to this service principal.

        Source: serviceprincipal-list-oauth2permissiongrants.
        """
        path = f"/servicePrincipals/{segment(object_id)}/oauth2PermissionGrants"
        return self._list(path, needs="Directory.Read.All")

    def directory_roles(self, object_id: str) -> list[dict[str, object]]:
        """Return the directory roles it holds, directly or through a group.

        Each has id, displayName and roleTemplateId; the latter two are null where
        the operator may not read roles. The cast to directoryRole needs the
        advanced query parameters and an index that may lag.

        Source: serviceprincipal-list-transitivememberof.
        """
        return self._list(
            f"/servicePrincipals/{segment(object_id)}"
            "/transitiveMemberOf/microsoft.graph.directoryRole",
            needs="Application.Read.All and RoleManagement.Read.Directory",
            query={"$select": "id,displayName,roleTemplateId", "$count": "true"},
            headers={"ConsistencyLevel": "eventual"},
        )

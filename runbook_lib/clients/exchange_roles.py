"""Exchange Online: management scopes and roles of applications."""

from __future__ import annotations

from runbook_lib.clients.exchange_lookups import ExchangeLookups, Row


class ApplicationRoles(ExchangeLookups):
    """Reads and writes what RBAC for Applications consists of."""

    def management_scope(self, name: str) -> Row | None:
        """Return a scope by name, or None.

        Source: Get-ManagementScope.
        """
        return self._find("Get-ManagementScope", Identity=name)

    def new_management_scope(self, *, name: str, recipient_filter: str) -> None:
        """Create a scope of the recipients that a filter describes.

        Source: New-ManagementScope.
        """
        self.invoke(
            "New-ManagementScope",
            Name=name,
            RecipientRestrictionFilter=recipient_filter,
        )

    def remove_management_scope(self, name: str) -> None:
        """Remove a scope; refused while an assignment uses it.

        Source: Remove-ManagementScope.
        """
        self.invoke("Remove-ManagementScope", Identity=name, Confirm=False)

    def role_assignment(self, name: str) -> Row | None:
        """Return a role assignment by name, or None.

        Source: Get-ManagementRoleAssignment.
        """
        return self._find("Get-ManagementRoleAssignment", Identity=name)

    def new_role_assignment(
        self, *, name: str, role: str, app: str, scope: str
    ) -> None:
        """Assign a role to an application, within a scope.

        `app` is the service principal's object ID.

        Source: New-ManagementRoleAssignment.
        """
        self.invoke(
            "New-ManagementRoleAssignment",
            Name=name,
            Role=role,
            App=app,
            CustomResourceScope=scope,
        )

    def remove_role_assignment(self, name: str) -> None:
        """Remove a role assignment.

        Source: Remove-ManagementRoleAssignment.
        """
        self.invoke("Remove-ManagementRoleAssignment", Identity=name, Confirm=False)

    def service_principal_authorization(
        self, identity: str, *, mailbox: str
    ) -> list[Row]:
        """Return what an application's roles say about a mailbox.

        Source: Test-ServicePrincipalAuthorization.
        """
        return self.invoke(
            "Test-ServicePrincipalAuthorization", Identity=identity, Resource=mailbox
        )

    def distribution_group(self, identity: str) -> Row | None:
        """Return a group by address or name, or None.

        Source: Get-DistributionGroup.
        """
        return self._find("Get-DistributionGroup", Identity=identity)

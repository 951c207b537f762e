"""Exchange Online: who may send as whom."""

from __future__ import annotations

from runbook_lib.clients.exchange_lookups import ExchangeLookups, Row

SEND_AS = "SendAs"


class SenderPermissions(ExchangeLookups):
    """Reads and writes Send As, and the organization's rule about aliases."""

    def recipient_permissions(self, identity: str, *, trustee: str) -> list[Row]:
        """Return what a trustee may do in the name of a mailbox; usually no row.

        Exchange finds the trustee's rows, whatever name it shows in them.

        Source: Get-RecipientPermission.
        """
        return self.invoke(
            "Get-RecipientPermission", Identity=identity, Trustee=trustee
        )

    def add_recipient_permission(self, identity: str, *, trustee: str) -> None:
        """Let a user or service principal send as a mailbox.

        Source: Add-RecipientPermission.
        """
        self._change("Add-RecipientPermission", identity, trustee)

    def remove_recipient_permission(self, identity: str, *, trustee: str) -> None:
        """Take Send As from a user or service principal.

        Source: Remove-RecipientPermission.
        """
        self._change("Remove-RecipientPermission", identity, trustee)

    def _change(self, cmdlet: str, identity: str, trustee: str) -> None:
        self.invoke(
            cmdlet,
            Identity=identity,
            Trustee=trustee,
            AccessRights=[SEND_AS],
            Confirm=False,
        )

    def set_organization_config(self, **settings: object) -> None:
        """Change settings of the whole organization.

        Source: Set-OrganizationConfig.
        """
        self.invoke("Set-OrganizationConfig", **settings)

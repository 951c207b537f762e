"""Inbound connectors and recipients of Exchange Online."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_lib.clients.exchange_lookups import ExchangeLookups, Row


class InboundConnectors(ExchangeLookups):
    """How mail from servers outside comes in."""

    def inbound_connectors(self) -> list[Row]:
        """Return all inbound connectors; an organisation has a few at most.

        Source: Get-InboundConnector.
        """
        return self.invoke("Get-InboundConnector")

    def new_inbound_connector(
        self,
        name: str,
        *,
        connector_type: str,
        sender_domains: Sequence[str],
        comment: str,
        **settings: object,
    ) -> None:
        """Make a connector, enabled.

        `settings` are further parameters: SenderIPAddresses (a list of IPv4
        addresses or ranges from /24 to /32) or TlsSenderCertificateName.

        Source: New-InboundConnector.
        """
        self.invoke(
            "New-InboundConnector",
            Name=name,
            ConnectorType=connector_type,
            SenderDomains=list(sender_domains),
            Comment=comment,
            Enabled=True,
            **settings,
        )

    def set_inbound_connector(self, identity: str, **settings: object) -> None:
        """Change a connector; a list is replaced as a whole.

        Source: Set-InboundConnector.
        """
        self.invoke("Set-InboundConnector", Identity=identity, **settings)

    def remove_inbound_connector(self, identity: str) -> None:
        """Remove a connector: its mail is treated as anybody's from then on.

        Source: Remove-InboundConnector.
        """
        self.invoke("Remove-InboundConnector", Identity=identity, Confirm=False)

    def recipient(self, identity: str) -> Row | None:
        """Return a mailbox, group or contact by address, or None.

        Source: Get-Recipient.
        """
        rows = self._known("Get-Recipient", Identity=identity)
        return rows[0] if rows else None

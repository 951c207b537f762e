"""The Exchange Online client: mailboxes, service principals, settings, traces."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_lib.clients.exchange_connectors import InboundConnectors
from runbook_lib.clients.exchange_lookups import Row
from runbook_lib.clients.exchange_roles import ApplicationRoles
from runbook_lib.clients.exchange_senders import SenderPermissions


class ExchangeClient(InboundConnectors, ApplicationRoles, SenderPermissions):
    """What the runbooks ask of Exchange Online, one method per cmdlet."""

    def mailbox(self, identity: str) -> Row | None:
        """Return a mailbox, or None if there is none.

        Source: Get-Mailbox.
        """
        return self._find("Get-Mailbox", Identity=identity)

    def cas_mailbox(self, identity: str) -> Row | None:
        """Return a mailbox's protocol settings, or None if there is no mailbox.

        SmtpClientAuthenticationDisabled of null inherits the organisation's value.

        Source: Get-CASMailbox.
        """
        return self._find("Get-CASMailbox", Identity=identity)

    def set_cas_mailbox(self, identity: str, **settings: object) -> None:
        """Change protocol settings; None restores the inherited value.

        Source: Set-CASMailbox.
        """
        self.invoke("Set-CASMailbox", Identity=identity, **settings)

    def transport_config(self) -> Row:
        """Return the organisation's transport settings.

        Source: Get-TransportConfig.
        """
        return self._single("Get-TransportConfig")

    def organization_config(self) -> Row:
        """Return the organisation's settings.

        Source: Get-OrganizationConfig.
        """
        return self._single("Get-OrganizationConfig")

    def accepted_domains(self) -> list[Row]:
        """Return the organisation's accepted domains.

        Source: Get-AcceptedDomain.
        """
        return self.invoke("Get-AcceptedDomain")

    def service_principal(self, identity: str) -> Row | None:
        """Return Exchange's own entry of a service principal, or None.

        `identity` is its object ID, its AppId or its name.

        Source: Get-ServicePrincipal.
        """
        return self._find("Get-ServicePrincipal", Identity=identity)

    def new_service_principal(
        self, *, app_id: str, object_id: str, display_name: str
    ) -> Row:
        """Make a service principal known to Exchange, and return its entry.

        `object_id` is that of the enterprise application. Exchange accepts any
        other GUID in silence, and SMTP sign-in then fails with 535 5.7.3.

        Source: New-ServicePrincipal.
        """
        parameters = {
            "AppId": app_id,
            "ObjectId": object_id,
            "DisplayName": display_name,
        }
        return self._single("New-ServicePrincipal", **parameters)

    def remove_service_principal(self, identity: str) -> None:
        """Remove Exchange's entry; its permissions remain as bare SIDs.

        Source: Remove-ServicePrincipal.
        """
        self.invoke("Remove-ServicePrincipal", Identity=identity, Confirm=False)

    def mailbox_permissions(self, identity: str) -> list[Row]:
        """Return who may open a mailbox; a service principal shows as its SID.

        Source: Get-MailboxPermission.
        """
        return self.invoke("Get-MailboxPermission", Identity=identity)

    def add_mailbox_permission(
        self, identity: str, *, user: str, rights: Sequence[str], auto_mapping: bool
    ) -> None:
        """Let a user or service principal open a mailbox.

        A right that is there already is a warning, not an error.

        Source: Add-MailboxPermission.
        """
        self.invoke(
            "Add-MailboxPermission",
            Identity=identity,
            User=user,
            AccessRights=list(rights),
            InheritanceType="All",
            AutoMapping=auto_mapping,
            Confirm=False,
        )

    def remove_mailbox_permission(
        self, identity: str, *, user: str, rights: Sequence[str]
    ) -> None:
        """Take exactly these rights from a user or service principal.

        Source: Remove-MailboxPermission.
        """
        self.invoke(
            "Remove-MailboxPermission",
            Identity=identity,
            User=user,
            AccessRights=list(rights),
            Confirm=False,
        )

    def message_trace(
        self,
        *,
        start: str,
        end: str,
        message_id: str | None = None,
        recipient: str | None = None,
        subject: str | None = None,
    ) -> list[Row]:
        """Return traces, a row for each message and recipient.

        Times are UTC RFC 3339, at most 10 days apart. A trace appears minutes
        after the message. What is not given is not asked for; `subject` is
        part of the subject.

        Source: Get-MessageTraceV2.
        """
        wanted = {
            "MessageId": message_id,
            "RecipientAddress": recipient,
            "Subject": subject,
            "SubjectFilterType": "Contains" if subject else None,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        return self.invoke("Get-MessageTraceV2", StartDate=start, EndDate=end, **given)

    def message_trace_detail(self, *, trace_id: str, recipient: str) -> list[Row]:
        """Return the events of one traced message for one recipient.

        Source: Get-MessageTraceDetailV2.
        """
        parameters = {"MessageTraceId": trace_id, "RecipientAddress": recipient}
        return self.invoke("Get-MessageTraceDetailV2", **parameters)

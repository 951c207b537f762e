"""The MX side of the tenants, port 25: Direct Send and relay by connector.

One listener plays the MX endpoints of all tenants; a recipient's domain says
which tenant is meant, and for a recipient outside the connector does.
Source: Microsoft Learn, "Set up connectors to route mail", "Directory-Based Edge
Blocking", "Email non-delivery reports in Exchange Online"; Exchange team blog on
RejectDirectSend. At which command a refusal comes is uncertain: here at RCPT.
"""

import asyncio
import ssl
from typing import ClassVar

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.mx_attribution import (
    accepting_tenant,
    covering_connector,
    domain_of,
    meets_restrictions,
    partner_connectors,
    relaying_tenant,
)
from runbook_lib.sandbox.smtp_connection import SmtpConnection
from runbook_lib.sandbox.smtp_delivery import Submission, deliver, recipient_mailbox
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.smtp_session import SmtpSession
from runbook_lib.sandbox.smtp_source import Source
from runbook_lib.sandbox.state import Sandbox, Tenant
from runbook_lib.sandbox.trace import accepted_domain_names


async def start_mx(
    sandbox: Sandbox, host: str, port: int, ssl_context: ssl.SSLContext
) -> asyncio.Server:
    """Start the MX server; port 0 takes any free one."""

    async def serve(connection: SmtpConnection) -> None:
        await MxSession(sandbox, connection, ssl_context).run()

    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: SmtpConnection(serve), host, port)


class MxSession(SmtpSession):
    """A server that hands mail over to the tenants."""

    protocol: ClassVar[str] = "mx"
    banner_host: ClassVar[str] = replies.EDGE_HOST

    def log_host(self) -> str:
        """Return the MX endpoint of the recipient's tenant, where it is known."""
        tenant = self._tenant()
        cloud = self.sandbox.cloud
        return cloud.mx_name(tenant.domain) if tenant else cloud.mx_suffix

    def tenant_id(self) -> str | None:
        """Return the tenant of the first recipient."""
        tenant = self._tenant()
        return tenant.tenant_id if tenant else None

    def offer(self) -> str | None:
        """Offer STARTTLS until it is used; never AUTH."""
        if not self.sandbox.holds("mx.no-auth"):
            return "AUTH LOGIN"
        return None if self.connection.tls else "STARTTLS"

    async def sign_in(self, argument: str) -> Reply:
        """Refuse AUTH: nobody signs in here."""
        return replies.UNKNOWN_MECHANISM

    def check_sender(self, sender: str) -> Reply | None:
        """Take any sender; the recipients decide."""
        return replies.TRY_AGAIN if self.sandbox.faults.take("smtp-451", "mx") else None

    def check_recipient(self, recipient: str) -> Reply | None:
        """Judge one recipient: whose mail it is, who it is for, or relay."""
        sender = self.envelope.sender or ""
        tenant = self._tenant_of(recipient)
        if tenant is None:
            return self._relay_refusal(sender)
        refusal = self._attribution_refusal(tenant, sender)
        if refusal is not None:
            return refusal
        unknown = recipient_mailbox(tenant, recipient) is None
        if unknown and self.sandbox.holds("mx.unknown-recipient"):
            return replies.UNKNOWN_RECIPIENT
        return None

    def accept(self, content: bytes) -> Reply:
        """Deliver a message to each tenant that has recipients of it."""
        sender = self.envelope.sender or ""
        message_id = ""
        for tenant, recipients in self._by_tenant(sender):
            submission = Submission(sender, recipients, content, self.source.address)
            message_id = deliver(self.sandbox, tenant, submission)
        internal_id = self.sandbox.ids.number(10**13, 10**14)
        return replies.queued(message_id, internal_id, len(content))

    @property
    def source(self) -> Source:
        """Return where the client comes from."""
        return self.connection.source

    def _relay_refusal(self, sender: str) -> Reply | None:
        """Refuse an external recipient unless a connector relays for the sender."""
        relays = relaying_tenant(self.sandbox, self.source, sender) is not None
        if relays or not self.sandbox.holds("mx.relay-denied"):
            return None
        return replies.RELAY_DENIED

    def _attribution_refusal(self, tenant: Tenant, sender: str) -> Reply | None:
        """Refuse what connectors or the organisation do not let in."""
        covered = covering_connector(self.sandbox, tenant, self.source, sender)
        if covered is None and self._rejects_direct_send(tenant, sender):
            return replies.DIRECT_SEND_REJECTED
        if covered is not None and covered["ConnectorType"] == "OnPremises":
            return None
        return self._partner_refusal(tenant, sender)

    def _rejects_direct_send(self, tenant: Tenant, sender: str) -> bool:
        """Say whether the tenant rejects its own domains as anonymous senders."""
        own = domain_of(sender) in accepted_domain_names(tenant)
        rejects = tenant.exchange.organization_config["RejectDirectSend"] is True
        return rejects and own and self.sandbox.holds("mx.reject-direct-send")

    def _partner_refusal(self, tenant: Tenant, sender: str) -> Reply | None:
        """Refuse mail of a domain whose Partner connectors all demand more."""
        partners = partner_connectors(tenant, sender)
        if not partners:
            return None
        held = self.sandbox.holds("mx.partner-restriction")
        known = [e for e in partners if meets_restrictions(e, self.source) or not held]
        if not known:
            return replies.PARTNER_RESTRICTED
        insists = all(entry["RequireTls"] for entry in known)
        plain = insists and not self.connection.tls
        return (
            replies.TLS_REQUIRED
            if plain and self.sandbox.holds("mx.partner-tls")
            else None
        )

    def _by_tenant(self, sender: str) -> list[tuple[Tenant, list[str]]]:
        """Return the recipients by tenant; external ones go with who relays."""
        groups: dict[str, list[str]] = {}
        relay = relaying_tenant(self.sandbox, self.source, sender)
        for recipient in self.envelope.recipients:
            tenant = self._tenant_of(recipient) or relay
            if tenant is not None:
                groups.setdefault(tenant.tenant_id, []).append(recipient)
        return [(self.sandbox.tenants[key], names) for key, names in groups.items()]

    def _tenant(self) -> Tenant | None:
        """Return the tenant of the first recipient that was taken."""
        known = self.envelope.recipients
        return self._tenant_of(known[0]) if known else None

    def _tenant_of(self, address: str) -> Tenant | None:
        """Return the tenant that takes mail for an address."""
        return accepting_tenant(self.sandbox, domain_of(address))

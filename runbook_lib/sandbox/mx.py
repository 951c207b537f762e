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
    domain_of,
    relaying_tenant,
)
from runbook_lib.sandbox.mx_policy import (
    Arrival,
    Judged,
    claims_to_be_the_server,
    judge_message,
    recipient_refusal,
    relay_refusal,
)
from runbook_lib.sandbox.smtp_conditions import condition_at
from runbook_lib.sandbox.smtp_connection import SmtpConnection
from runbook_lib.sandbox.smtp_delivery import Submission, deliver
from runbook_lib.sandbox.smtp_headers import received, without_organization_fields
from runbook_lib.sandbox.smtp_limits import external_refusal
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.smtp_session import SmtpSession
from runbook_lib.sandbox.state import Sandbox, Tenant

# Recipients of one message.
MOST_RECIPIENTS = 200


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
        """Judge greeting and address of the client; the recipients decide the rest."""
        if self.sandbox.faults.take("smtp-451", "mx"):
            return replies.TRY_AGAIN
        if claims_to_be_the_server(self.sandbox, self.hello):
            return replies.BAD_HELLO
        address = self.connection.source.address
        return condition_at(self.sandbox, "mail", "address", address)

    def check_recipient(self, recipient: str) -> Reply | None:
        """Judge one recipient: how many, whose mail it is, who it is for, or relay."""
        full = len(self.envelope.recipients) >= MOST_RECIPIENTS
        if full and self.sandbox.holds("mx.recipient-limit"):
            return replies.TOO_MANY_RECIPIENTS
        arrival = self._arrival()
        tenant = accepting_tenant(self.sandbox, domain_of(recipient))
        if tenant is None:
            return relay_refusal(self.sandbox, arrival)
        return recipient_refusal(self.sandbox, tenant, arrival, recipient)

    def accept(self, content: bytes) -> Reply:
        """Judge a message, and deliver it to each tenant that has recipients of it."""
        arrival, message_id = self._arrival(), ""
        shares = self._shares(arrival)
        judged = [
            external_refusal(self.sandbox, tenant, recipients)
            or judge_message(self.sandbox, tenant, arrival, content)
            for tenant, recipients in shares
        ]
        refused = next((entry for entry in judged if isinstance(entry, Reply)), None)
        if refused is not None:
            return refused
        for (tenant, recipients), outcome in zip(shares, judged, strict=True):
            if isinstance(outcome, Judged):
                submission = self._submission(arrival, recipients, content, outcome)
                message_id = deliver(self.sandbox, tenant, submission)
        internal_id = self.sandbox.ids.number(10**13, 10**14)
        return replies.queued(message_id, internal_id, len(content))

    def _arrival(self) -> Arrival:
        """Return who is sending: client, greeting and envelope sender."""
        return Arrival(self.connection.source, self.hello, self.envelope.sender or "")

    def _submission(
        self, arrival: Arrival, recipients: list[str], content: bytes, judged: Judged
    ) -> Submission:
        """Return a message as it is delivered: with the fields of this server."""
        trail = received(arrival.source, self.hello, self.banner_host, self.session_id)
        # What the server found stands above its own Received.
        fields = (*judged.fields, trail)
        if self.sandbox.holds("mx.header-firewall"):
            content = without_organization_fields(content)
        return Submission(
            arrival.sender,
            recipients,
            content,
            arrival.source.address,
            fields=fields,
            junk=judged.junk,
        )

    def _shares(self, arrival: Arrival) -> list[tuple[Tenant, list[str]]]:
        """Return the recipients by tenant; external ones go with who relays."""
        groups: dict[str, list[str]] = {}
        relay = relaying_tenant(self.sandbox, arrival.source, arrival.sender)
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

"""What the MX side lets in: greeting, recipients, whole messages.

Source: Microsoft Learn, "Directory-Based Edge Blocking", "Configure mail flow using
connectors", "Anti-spoofing protection", "Email non-delivery reports in Exchange
Online"; Exchange team blog on RejectDirectSend. At which command a refusal comes
is uncertain.
"""

from dataclasses import dataclass

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.mx_attribution import (
    accepting_tenant,
    covering_connector,
    domain_of,
    known_to_a_connector,
    meets_restrictions,
    partner_connectors,
    relaying_tenant,
)
from runbook_lib.sandbox.mx_sender import Verdict, has_reverse_name, judge_sender
from runbook_lib.sandbox.smtp_address import header_senders, read_message
from runbook_lib.sandbox.smtp_conditions import condition_at
from runbook_lib.sandbox.smtp_delivery import recipient_mailbox
from runbook_lib.sandbox.smtp_groups import group_at, group_refusal
from runbook_lib.sandbox.smtp_headers import authentication, origin
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.smtp_source import Source
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant
from runbook_lib.sandbox.trace import accepted_domain_names


@dataclass(frozen=True)
class Arrival:
    """Who sends: the client, the name of its greeting, the envelope sender."""

    source: Source
    hello: str
    sender: str


@dataclass(frozen=True)
class Judged:
    """A message that is let in: the fields it gets, and whether it is junk."""

    fields: tuple[str, ...]
    junk: bool


def claims_to_be_the_server(sandbox: Sandbox, hello: str) -> bool:
    """Say whether a client greets with a name of the service itself."""
    own = hello.lower().rstrip(".").endswith(sandbox.cloud.mx_suffix)
    return own and sandbox.holds("mx.bad-hello")


def relay_refusal(sandbox: Sandbox, arrival: Arrival) -> Reply | None:
    """Refuse an external recipient unless a connector relays for the sender."""
    relays = relaying_tenant(sandbox, arrival.source, arrival.sender) is not None
    if relays or not sandbox.holds("mx.relay-denied"):
        return None
    own = accepting_tenant(sandbox, domain_of(arrival.sender)) is not None
    if own or known_to_a_connector(sandbox, arrival.source):
        return replies.RELAY_DENIED
    stranger = sandbox.holds("mx.relay-stranger")
    return replies.RELAY_UNKNOWN if stranger else replies.RELAY_DENIED


def recipient_refusal(
    sandbox: Sandbox, tenant: Tenant, arrival: Arrival, recipient: str
) -> Reply | None:
    """Refuse a recipient of a tenant: attribution first, then the directory."""
    refusal = condition_at(sandbox, "rcpt", "tenant", tenant.domain)
    refusal = refusal or _attribution_refusal(sandbox, tenant, arrival)
    if refusal is not None:
        return refusal
    internal = _is_internal(
        covering_connector(sandbox, tenant, arrival.source, arrival.sender)
    )
    if group_at(tenant, recipient) is not None:
        return group_refusal(sandbox, tenant, recipient, internal=internal)
    unknown = recipient_mailbox(tenant, recipient) is None
    if unknown and sandbox.holds("mx.unknown-recipient"):
        return replies.UNKNOWN_RECIPIENT
    return condition_at(sandbox, "rcpt", "mailbox", recipient)


def judge_message(
    sandbox: Sandbox, tenant: Tenant, arrival: Arrival, content: bytes
) -> Judged | Reply:
    """Judge a whole message for one tenant."""
    source, sender = arrival.source, arrival.sender
    connector = covering_connector(sandbox, tenant, source, sender)
    trusted = connector is not None and connector["ConnectorType"] == "OnPremises"
    senders = header_senders(read_message(content))
    header_from = senders[0] if senders else sender
    verdict = judge_sender(sandbox, source.address, sender, arrival.hello, header_from)
    refusal = condition_at(sandbox, "data", "tenant", tenant.domain)
    if refusal is None and not trusted:
        refusal = _sender_refusal(sandbox, tenant, arrival, verdict)
    if refusal is not None:
        return refusal
    junk = not trusted and _is_junk(sandbox, tenant, verdict)
    results = authentication(source, arrival.hello, verdict, junk)
    fields = origin(internal=_is_internal(connector))
    return Judged((*results, *fields), junk)


def _is_internal(connector: JsonObject | None) -> bool:
    """Say whether mail by a connector counts as internal."""
    trusted = connector is not None and connector["ConnectorType"] == "OnPremises"
    return trusted and bool(connector and connector["TreatMessagesAsInternal"])


def _attribution_refusal(
    sandbox: Sandbox, tenant: Tenant, arrival: Arrival
) -> Reply | None:
    """Refuse what connectors or the organisation do not let in."""
    covered = covering_connector(sandbox, tenant, arrival.source, arrival.sender)
    if covered is None and _rejects_direct_send(sandbox, tenant, arrival.sender):
        return replies.DIRECT_SEND_REJECTED
    if covered is not None and covered["ConnectorType"] == "OnPremises":
        return None
    return _partner_refusal(sandbox, tenant, arrival)


def _rejects_direct_send(sandbox: Sandbox, tenant: Tenant, sender: str) -> bool:
    """Say whether the tenant rejects its own domains as anonymous senders."""
    own = domain_of(sender) in accepted_domain_names(tenant)
    rejects = tenant.exchange.organization_config["RejectDirectSend"] is True
    return rejects and own and sandbox.holds("mx.reject-direct-send")


def _partner_refusal(
    sandbox: Sandbox, tenant: Tenant, arrival: Arrival
) -> Reply | None:
    """Refuse mail of a domain whose Partner connectors all demand more."""
    partners = partner_connectors(tenant, arrival.sender)
    held = sandbox.holds("mx.partner-restriction")
    known = [e for e in partners if meets_restrictions(e, arrival.source) or not held]
    if partners and not known:
        return replies.PARTNER_RESTRICTED
    insists = bool(known) and all(entry["RequireTls"] for entry in known)
    plain = insists and not arrival.source.tls and sandbox.holds("mx.partner-tls")
    return replies.TLS_REQUIRED if plain else None


def _sender_refusal(
    sandbox: Sandbox, tenant: Tenant, arrival: Arrival, verdict: Verdict
) -> Reply | None:
    """Refuse a message for what SPF, DMARC and reverse DNS say of its sender."""
    address = arrival.source.address
    if ":" in address and sandbox.holds("mx.ipv6-source"):
        if not has_reverse_name(sandbox, address):
            return replies.NO_REVERSE_NAME
        if verdict.spf != "pass":
            return replies.IPV6_UNAUTHENTICATED
    if verdict.spf == "fail":
        refusal = condition_at(sandbox, "spf", "tenant", tenant.domain)
        if refusal is not None:
            return refusal
    rejects = verdict.dmarc == "fail" and verdict.policy == "reject"
    if rejects and sandbox.holds("mx.dmarc-reject"):
        return replies.dmarc_rejected(verdict.header_from)
    return None


def _is_junk(sandbox: Sandbox, tenant: Tenant, verdict: Verdict) -> bool:
    """Say whether a message goes to Junk Email: spoofed, or refused by its domain."""
    own = verdict.header_from in accepted_domain_names(tenant)
    spoofed = own and not verdict.authentic
    unwanted = verdict.spf == "fail" or (
        verdict.dmarc == "fail" and verdict.policy == "quarantine"
    )
    return (spoofed or unwanted) and sandbox.holds("mx.spoof-junk")

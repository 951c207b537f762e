"""Whose mail is it? Which tenant and which inbound connector a client belongs to.

The certificate is looked at first, then the address. An OnPremises connector
gives rights: relay, and mail that Direct Send rejection lets pass. A Partner
connector demands: TLS, an address or a certificate of those who send as one of
its domains.
Source: Microsoft Learn, "Configure mail flow using connectors", "Configure a
certificate-based connector to relay email through Microsoft 365"; Exchange cmdlet
reference, New-InboundConnector and Set-OrganizationConfig (RejectDirectSend).
"""

import ipaddress

from runbook_lib.sandbox.smtp_source import Source
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant
from runbook_lib.sandbox.trace import accepted_domain_names


def domain_of(address: str) -> str:
    """Return the domain of an address, empty for the null sender."""
    return address.rpartition("@")[2].lower()


def accepting_tenant(sandbox: Sandbox, domain: str) -> Tenant | None:
    """Return the tenant that has a domain among its accepted domains."""
    tenant = sandbox.tenant(domain)
    taken = tenant is not None and domain in accepted_domain_names(tenant)
    return tenant if taken else None


def relaying_tenant(sandbox: Sandbox, source: Source, sender: str) -> Tenant | None:
    """Return the tenant that relays for a client to the outside, or null.

    By certificate: the certificate's domain, or the sender's, is an accepted one
    of the tenant. By address: the sender's domain has to be.
    """
    own = accepting_tenant(sandbox, domain_of(sender))
    if own is not None and _on_premises(sandbox, own, source) is not None:
        return own
    for name in source.names:
        tenant = _tenant_of_certificate(sandbox, name)
        if tenant is not None and _by_certificate(sandbox, tenant, source) is not None:
            return tenant
    return None


def known_to_a_connector(sandbox: Sandbox, source: Source) -> bool:
    """Say whether a client matches an OnPremises connector of any tenant."""
    tenants = sandbox.tenants.values()
    return any(_on_premises(sandbox, tenant, source) is not None for tenant in tenants)


def covering_connector(
    sandbox: Sandbox, tenant: Tenant, source: Source, sender: str
) -> JsonObject | None:
    """Return the connector that a client's mail to this tenant comes by, or null.

    An OnPremises connector by certificate or address; else a Partner connector
    for the sender's domain by either.
    """
    found = _on_premises(sandbox, tenant, source)
    if found is not None:
        return found
    partners = partner_connectors(tenant, sender)
    return next((e for e in partners if _identified(sandbox, e, source)), None)


def partner_connectors(tenant: Tenant, sender: str) -> list[JsonObject]:
    """Return the enabled Partner connectors for the sender's domain."""
    domain = domain_of(sender)
    return [
        entry
        for entry in _enabled(tenant, "Partner")
        if any(_covers(text, domain) for text in entry["SenderDomains"])
    ]


def meets_restrictions(entry: JsonObject, source: Source) -> bool:
    """Say whether a client is one that a Partner connector takes mail from."""
    by_address = entry["RestrictDomainsToIPAddresses"]
    by_certificate = entry["RestrictDomainsToCertificate"]
    return (not by_address or has_address(entry, source)) and (
        not by_certificate or has_certificate(entry, source)
    )


def has_address(entry: JsonObject, source: Source) -> bool:
    """Say whether the client's address is one of a connector's."""
    address = ipaddress.ip_address(source.address)
    networks = (
        ipaddress.ip_network(text, strict=False) for text in entry["SenderIPAddresses"]
    )
    return any(address in network for network in networks)


def has_certificate(entry: JsonObject, source: Source) -> bool:
    """Say whether the client's certificate is the one that a connector names."""
    wanted = entry["TlsSenderCertificateName"]
    return bool(wanted) and any(_matches(wanted.lower(), name) for name in source.names)


def _on_premises(sandbox: Sandbox, tenant: Tenant, source: Source) -> JsonObject | None:
    """Return the OnPremises connector of a tenant that a client matches."""
    by_certificate = _by_certificate(sandbox, tenant, source)
    if by_certificate is not None:
        return by_certificate
    if not sandbox.holds("mx.connector-by-address"):
        return None
    known = _enabled(tenant, "OnPremises")
    return next((entry for entry in known if has_address(entry, source)), None)


def _by_certificate(
    sandbox: Sandbox, tenant: Tenant, source: Source
) -> JsonObject | None:
    """Return the OnPremises connector that a client's certificate matches."""
    if not sandbox.holds("mx.connector-by-certificate"):
        return None
    known = _enabled(tenant, "OnPremises")
    return next((entry for entry in known if has_certificate(entry, source)), None)


def _identified(sandbox: Sandbox, entry: JsonObject, source: Source) -> bool:
    """Say whether a client is known to a connector by certificate or address."""
    by_address = sandbox.holds("mx.connector-by-address")
    by_certificate = sandbox.holds("mx.connector-by-certificate")
    return (by_certificate and has_certificate(entry, source)) or (
        by_address and has_address(entry, source)
    )


def _enabled(tenant: Tenant, kind: str) -> list[JsonObject]:
    """Return the enabled connectors of one type."""
    known = tenant.exchange.inbound_connectors
    return [e for e in known if e["Enabled"] and e["ConnectorType"] == kind]


def _tenant_of_certificate(sandbox: Sandbox, name: str) -> Tenant | None:
    """Return the tenant with an accepted domain that a certificate's name is in."""
    domain = name.removeprefix("*.")
    while "." in domain:
        tenant = accepting_tenant(sandbox, domain)
        if tenant is not None:
            return tenant
        domain = domain.partition(".")[2]
    return None


def _matches(wanted: str, name: str) -> bool:
    """Compare a connector's certificate name with one of a certificate.

    `*.contoso.com` matches the same text and every name below contoso.com.
    """
    below = wanted.startswith("*.") and name.endswith(wanted[1:])
    return name == wanted or below


def _covers(entry: str, domain: str) -> bool:
    """Say whether smtp:DOMAIN;COST is about a domain; `*` is about all."""
    wanted = entry.removeprefix("smtp:").partition(";")[0]
    return wanted == "*" or _matches(wanted, domain)

"""DNS of the sandbox: Microsoft's hosts and the tenants' domains, on loopback.

Source: Microsoft Learn, "External Domain Name System records for Office 365",
"List serviceConfigurationRecords".
"""

from itertools import pairwise

from runbook_lib.sandbox.hosts import EXCHANGE, GRAPH, LOGIN, SUBMISSION, mx_name
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

LOOPBACK = "127.0.0.1"
SPF = "v=spf1 include:spf.protection.outlook.com -all"
MX_TTL = 3600

# Submission hosts are reached through a chain of names, never by one address.
SUBMISSION_CHAIN = ("outlook.office365.com.g.office365.com", "ooc-g2.tm-4.office.com")


def seed_dns(sandbox: Sandbox) -> None:
    """Fill the records of the sandbox and what each tenant says of its domains."""
    for host in (*LOGIN, *GRAPH, *EXCHANGE):
        sandbox.dns[host] = {"A": [LOOPBACK]}
    _add_submission(sandbox)
    sandbox.dns["spf.protection.outlook.com"] = {
        "TXT": ['"v=spf1 ip4:203.0.113.224/27 ip6:2001:db8:ffff::/48 -all"']
    }
    for tenant in sandbox.tenants.values():
        _add_domain(sandbox, tenant)
        tenant.service_configuration_records[tenant.domain] = _records(tenant)


def _add_submission(sandbox: Sandbox) -> None:
    """Add the chain of CNAME records that ends at an address."""
    names = (*SUBMISSION, *SUBMISSION_CHAIN)
    for name, target in pairwise(names):
        sandbox.dns[name] = {"CNAME": [f"{target}."]}
    sandbox.dns[names[-1]] = {"A": [LOOPBACK]}


def _add_domain(sandbox: Sandbox, tenant: Tenant) -> None:
    """Add MX, SPF and the MX endpoint of a tenant's mail domain."""
    endpoint = mx_name(tenant.domain)
    sandbox.dns[tenant.domain] = {"MX": [f"0 {endpoint}."], "TXT": [f'"{SPF}"']}
    sandbox.dns[endpoint] = {"A": [LOOPBACK]}


def _records(tenant: Tenant) -> list[JsonObject]:
    """Return the records that the tenant proposes for its mail domain."""
    common = {
        "isOptional": False,
        "label": tenant.domain,
        "ttl": MX_TTL,
        "supportedService": "Email",
    }
    return [
        {
            "@odata.type": "#microsoft.graph.domainDnsMxRecord",
            "id": tenant.ids.guid(),
            **common,
            "recordType": "Mx",
            "mailExchange": mx_name(tenant.domain),
            "preference": 0,
        },
        {
            "@odata.type": "#microsoft.graph.domainDnsTxtRecord",
            "id": tenant.ids.guid(),
            **common,
            "recordType": "Txt",
            "text": SPF,
        },
    ]

"""DNS of the sandbox: Microsoft's hosts and the tenants' domains, on loopback.

Source: Microsoft Learn, "External Domain Name System records for Office 365",
"List serviceConfigurationRecords".
"""

from itertools import pairwise

from runbook_lib.sandbox.hosts import Cloud
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

LOOPBACK = "127.0.0.1"
MX_TTL = 3600

# Submission hosts are reached through a chain of names, never by one address.
SUBMISSION_CHAIN = ("outlook.office365.com.g.office365.com", "ooc-g2.tm-4.office.com")


def seed_dns(sandbox: Sandbox, domains: list[str]) -> None:
    """Fill the records of the cloud's hosts and of the tenants' mail domains."""
    cloud = sandbox.cloud
    _add_submission(sandbox)
    for host in (*cloud.login, cloud.graph, *cloud.exchange):
        sandbox.dns.setdefault(host, {"A": [LOOPBACK]})
    sandbox.dns[cloud.spf_include] = {
        "TXT": ['"v=spf1 ip4:203.0.113.224/27 ip6:2001:db8:ffff::/48 -all"']
    }
    for domain in domains:
        _add_domain(sandbox, domain)


def spf_text(cloud: Cloud) -> str:
    """Return the SPF record that the cloud proposes."""
    return f"v=spf1 include:{cloud.spf_include} -all"


def _add_submission(sandbox: Sandbox) -> None:
    """Add the chain of CNAME records that ends at an address."""
    names = (*sandbox.cloud.submission, *SUBMISSION_CHAIN)
    for name, target in pairwise(names):
        sandbox.dns[name] = {"CNAME": [f"{target}."]}
    sandbox.dns[names[-1]] = {"A": [LOOPBACK]}


def _add_domain(sandbox: Sandbox, domain: str) -> None:
    """Add MX, SPF and the MX endpoint of a tenant's mail domain."""
    cloud = sandbox.cloud
    endpoint = cloud.mx_name(domain)
    text = f'"{spf_text(cloud)}"'
    sandbox.dns[domain] = {"MX": [f"0 {endpoint}."], "TXT": [text]}
    sandbox.dns[endpoint] = {"A": [LOOPBACK]}


def service_records(cloud: Cloud, tenant: Tenant) -> list[JsonObject]:
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
            "mailExchange": cloud.mx_name(tenant.domain),
            "preference": 0,
        },
        {
            "@odata.type": "#microsoft.graph.domainDnsTxtRecord",
            "id": tenant.ids.guid(),
            **common,
            "recordType": "Txt",
            "text": spf_text(cloud),
        },
    ]

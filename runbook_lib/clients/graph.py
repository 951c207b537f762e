"""The Microsoft Graph client: applications, service principals, the directory."""

from __future__ import annotations

from runbook_lib.clients.graph_applications import Applications
from runbook_lib.clients.graph_principals import ServicePrincipals
from runbook_lib.clients.graph_requests import SERVICE, GraphRequests, segment
from runbook_lib.clients.replies import json_list, json_object, unknown_reply

POLICIES = "Policy.Read.All"
DOMAINS = "Domain.Read.All"


class Directory(GraphRequests):
    """Reads the tenant itself: organisation, domains and policies."""

    def organization(self) -> dict[str, object]:
        """Return id (the tenant ID), displayName and verifiedDomains.

        Source: organization-list.
        """
        query = {"$select": "id,displayName,verifiedDomains"}
        needs = "Organization.Read.All"
        response = self._send("GET", "/organization", needs=needs, query=query)
        found = json_list(SERVICE, response)
        if len(found) != 1:
            raise unknown_reply(SERVICE, response)
        return found[0]

    def default_app_management_policy(self) -> dict[str, object]:
        """Return what the tenant forbids for credentials of applications.

        Source: tenantappmanagementpolicy-get.
        """
        return self._get("/policies/defaultAppManagementPolicy", needs=POLICIES)

    def security_defaults_enabled(self) -> bool:
        """Return whether security defaults are on.

        Source: identitysecuritydefaultsenforcementpolicy-get.
        """
        path = "/policies/identitySecurityDefaultsEnforcementPolicy"
        response = self._send("GET", path, needs=POLICIES)
        match json_object(SERVICE, response):
            case {"isEnabled": bool(enabled)}:
                return enabled
        raise unknown_reply(SERVICE, response)

    def domain(self, name: str) -> dict[str, object] | None:
        """Return a domain of the tenant, or None if it has no such domain.

        Source: domain-get.
        """
        return self._find(f"/domains/{segment(name)}", needs=DOMAINS)

    def service_configuration_records(self, name: str) -> list[dict[str, object]]:
        """Return the DNS records that Microsoft proposes for a domain.

        The MX record is the one whose recordType is "Mx"; its mailExchange is the
        domain's MX endpoint.

        Source: domain-list-serviceconfigurationrecords.
        """
        path = f"/domains/{segment(name)}/serviceConfigurationRecords"
        return self._list(path, needs=DOMAINS)


class GraphClient(Applications, ServicePrincipals, Directory):
    """One object for all that the runbooks ask of Microsoft Graph."""

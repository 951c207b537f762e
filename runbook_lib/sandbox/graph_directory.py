"""The rest of the directory: organisation, domains, roles, deleted items.

Source: Microsoft Learn, Graph v1.0 reference, "organization", "domain", "directory
(deleted items)", "unifiedRoleAssignment", "List servicePrincipal memberOf".
"""

from collections.abc import Iterable

from runbook_lib.sandbox.directory_roles import ROLE_TEMPLATES
from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_directory_objects import shown
from runbook_lib.sandbox.graph_errors import (
    bad_request,
    not_found,
    unsupported_query,
)
from runbook_lib.sandbox.graph_permissions import READ_ROLES
from runbook_lib.sandbox.graph_query import context_url, is_advanced, listed, single
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import JsonObject, date_text


def get_organization(graph: GraphCall) -> Answer:
    """Answer GET /organization: a list of the one tenant."""
    return listed(graph.call, "organization", "organization", [_organization(graph)])


def get_organization_by_id(graph: GraphCall) -> Answer:
    """Answer GET /organization/{id}; another tenant's id is not found."""
    if graph.keys["organization"].lower() != graph.tenant.tenant_id:
        raise not_found(graph.keys["organization"])
    return single(graph.call, "organization", "organization", _organization(graph))


def list_domains(graph: GraphCall) -> Answer:
    """Answer GET /domains."""
    return listed(graph.call, "domain", "domains", graph.tenant.domains.values())


def get_domain(graph: GraphCall) -> Answer:
    """Answer GET /domains/{name}."""
    return single(graph.call, "domain", "domains", _domain(graph))


def list_service_records(graph: GraphCall) -> Answer:
    """Answer GET /domains/{name}/serviceConfigurationRecords."""
    name = _domain(graph)["id"]
    records = graph.tenant.service_configuration_records.get(name, [])
    context = f"domains('{name}')/serviceConfigurationRecords"
    return listed(graph.call, "domainDnsRecord", context, records)


def list_member_of(graph: GraphCall) -> Answer:
    """Answer memberOf and transitiveMemberOf: the directory roles it holds.

    A token without a right to read roles sees ids and types, and null elsewhere.
    """
    principal = graph.service_principal()["id"]
    may_read = READ_ROLES.permits(graph.claims)
    may_read |= not graph.sandbox.holds("graph.member-of-limited")
    return list_roles_of(graph, principal, may_read=may_read)


def list_roles_of(graph: GraphCall, holder: str, *, may_read: bool) -> Answer:
    """List the directory roles that a principal or a user holds."""
    roles = [
        _directory_role(graph, template, may_read=may_read)
        for template in graph.tenant.role_templates_of(holder)
    ]
    return listed(graph.call, "directoryRole", "directoryObjects", roles)


def list_directory_roles_held(graph: GraphCall) -> Answer:
    """Answer a cast to directoryRole behind memberOf or transitiveMemberOf.

    A cast needs the advanced query parameters. The sandbox has no groups that
    hold roles, so both relations show the same.
    """
    check_cast(graph)
    return list_member_of(graph)


def check_cast(graph: GraphCall) -> None:
    """Refuse a cast without the advanced query parameters."""
    strict = graph.sandbox.holds("graph.cast-needs-advanced")
    if strict and not is_advanced(graph.call):
        raise unsupported_query(
            "A cast needs $count=true and the header ConsistencyLevel: eventual."
        )


def list_role_assignments(graph: GraphCall) -> Answer:
    """Answer GET /roleManagement/directory/roleAssignments."""
    assignments = graph.tenant.directory_role_assignments.values()
    context = "roleManagement/directory/roleAssignments"
    return listed(graph.call, "unifiedRoleAssignment", context, assignments)


def list_role_definitions(graph: GraphCall) -> Answer:
    """Answer GET /roleManagement/directory/roleDefinitions."""
    context = "roleManagement/directory/roleDefinitions"
    return listed(graph.call, "unifiedRoleDefinition", context, _definitions())


def get_role_definition(graph: GraphCall) -> Answer:
    """Answer GET /roleManagement/directory/roleDefinitions/{id}."""
    key = graph.keys["definition"].lower()
    if key not in ROLE_TEMPLATES:
        raise not_found(key)
    definition = next(entry for entry in _definitions() if entry["id"] == key)
    context = "roleManagement/directory/roleDefinitions"
    return single(graph.call, "unifiedRoleDefinition", context, definition)


def list_deleted_applications(graph: GraphCall) -> Answer:
    """Answer GET /directory/deletedItems/microsoft.graph.application."""
    return _list_deleted(graph, "application")


def list_deleted_principals(graph: GraphCall) -> Answer:
    """Answer GET /directory/deletedItems/microsoft.graph.servicePrincipal."""
    return _list_deleted(graph, "servicePrincipal")


def get_deleted(graph: GraphCall) -> Answer:
    """Answer GET /directory/deletedItems/{id}."""
    item = shown(_deleted(graph))
    return single(graph.call, _type_of(item), "directoryObjects", item)


def restore_deleted(graph: GraphCall) -> Answer:
    """Answer POST /directory/deletedItems/{id}/restore.

    The service principal of an application has to be restored by a request of its
    own; what it was granted does not come back.
    """
    item = _deleted(graph)
    _refuse_conflict(graph, item)
    restored = [item]
    if not graph.sandbox.holds("graph.restore-one-object"):
        items = graph.tenant.deleted_items.values()
        restored += [i for i in items if i["appId"] == item["appId"] and i is not item]
    for entry in restored:
        _put_back(graph, entry)
    context = context_url(graph.call, "directoryObjects", None, "/$entity")
    shown_item = {**shown(item), "deletedDateTime": None}
    return Answer(200, {"@odata.context": context, **shown_item})


def purge_deleted(graph: GraphCall) -> Answer:
    """Answer DELETE /directory/deletedItems/{id}: gone for good."""
    del graph.tenant.deleted_items[_deleted(graph)["id"]]
    return Answer(204)


def _organization(graph: GraphCall) -> JsonObject:
    """Return the tenant as an organisation."""
    tenant = graph.tenant
    return {
        "id": tenant.tenant_id,
        "deletedDateTime": None,
        "businessPhones": [],
        "city": None,
        "country": None,
        "countryLetterCode": "DE",
        "createdDateTime": date_text(tenant.created),
        "defaultUsageLocation": None,
        "displayName": tenant.display_name,
        "onPremisesSyncEnabled": None,
        "preferredLanguage": "en",
        "tenantType": "AAD",
        "technicalNotificationMails": [f"admin@{tenant.domain}"],
        "assignedPlans": [],
        "provisionedPlans": [],
        "verifiedDomains": [_verified(domain) for domain in tenant.domains.values()],
    }


def _verified(domain: JsonObject) -> JsonObject:
    """Return a domain as `verifiedDomains` lists it."""
    return {
        "capabilities": ", ".join(domain["supportedServices"]),
        "isDefault": domain["isDefault"],
        "isInitial": domain["isInitial"],
        "name": domain["id"],
        "type": domain["authenticationType"],
    }


def _domain(graph: GraphCall) -> JsonObject:
    """Return the domain of the path."""
    name = graph.keys["domain"].lower()
    if name not in graph.tenant.domains:
        raise not_found(name)
    return graph.tenant.domains[name]


def _directory_role(graph: GraphCall, template: str, *, may_read: bool) -> JsonObject:
    """Return an activated directory role; its id is the tenant's own."""
    name = ROLE_TEMPLATES.get(template)
    return {
        "@odata.type": "#microsoft.graph.directoryRole",
        "id": graph.tenant.directory_role_ids[template],
        "deletedDateTime": None,
        "description": f"Members hold the role {name}." if may_read else None,
        "displayName": name if may_read else None,
        "roleTemplateId": template if may_read else None,
    }


def _definitions() -> Iterable[JsonObject]:
    """Return the built-in roles that the sandbox knows."""
    return [
        {
            "id": template,
            "description": f"Members hold the role {name}.",
            "displayName": name,
            "isBuiltIn": True,
            "isEnabled": True,
            "resourceScopes": ["/"],
            "templateId": template,
            "version": "1",
            "rolePermissions": [],
        }
        for template, name in ROLE_TEMPLATES.items()
    ]


def _list_deleted(graph: GraphCall, kind: str) -> Answer:
    """List the deleted items of one kind."""
    items = [
        shown(item)
        for item in graph.tenant.deleted_items.values()
        if _type_of(item) == kind
    ]
    return listed(graph.call, kind, f"directoryObjects/microsoft.graph.{kind}", items)


def _type_of(item: JsonObject) -> str:
    """Return the Graph type of a deleted item."""
    return str(item["@odata.type"].removeprefix("#microsoft.graph."))


def _deleted(graph: GraphCall) -> JsonObject:
    """Return the deleted item of the path."""
    key = graph.keys["item"].lower()
    if key not in graph.tenant.deleted_items:
        raise not_found(key)
    return graph.tenant.deleted_items[key]


def _refuse_conflict(graph: GraphCall, item: JsonObject) -> None:
    """Refuse to restore a service principal whose application is gone."""
    is_application = _type_of(item) == "application"
    if not is_application and not graph.tenant.application_by_app_id(item["appId"]):
        raise bad_request(
            f"The appId '{item['appId']}' of the service principal does not reference a"
            " valid application object.",
            code="NoBackingApplicationObject",
            target="appId",
        )


def _put_back(graph: GraphCall, item: JsonObject) -> None:
    """Move a deleted item back to where it was."""
    tenant = graph.tenant
    del tenant.deleted_items[item["id"]]
    is_application = _type_of(item) == "application"
    objects = tenant.applications if is_application else tenant.service_principals
    plain = {name: item[name] for name in item if name != "@odata.type"}
    objects[item["id"]] = {**plain, "deletedDateTime": None}

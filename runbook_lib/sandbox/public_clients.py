"""Microsoft's own public clients, which need no registration in a tenant.

`scopes` are what Microsoft lets a client have without asking anybody, by the appId
of the resource; for others a person or an administrator consents.

Source: Microsoft Learn, "Verify first-party Microsoft applications in sign-in
reports" (ids); scopes as tokens in field reports show them.
"""

from dataclasses import dataclass, field

from runbook_lib.sandbox.directory import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    RESOURCE_MANAGER_APP_ID,
    VAULT_APP_ID,
)


@dataclass(frozen=True)
class PublicClient:
    """A program of Microsoft's that signs people in."""

    app_id: str
    name: str
    scopes: dict[str, str] = field(default_factory=dict)


PUBLIC_CLIENTS = {
    client.app_id: client
    for client in (
        PublicClient(
            "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
            "Microsoft Azure CLI",
            {
                GRAPH_APP_ID: "Application.ReadWrite.All"
                " AppRoleAssignment.ReadWrite.All"
                " DelegatedPermissionGrant.ReadWrite.All Directory.AccessAsUser.All"
                " User.Read.All",
                VAULT_APP_ID: "user_impersonation",
                RESOURCE_MANAGER_APP_ID: "user_impersonation",
            },
        ),
        PublicClient(
            "14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph Command Line Tools"
        ),
        PublicClient(
            "fb78d390-0c51-40cd-8e17-fdbfab77341b",
            "Microsoft Exchange REST API Based Powershell",
            {EXCHANGE_APP_ID: "Exchange.Manage"},
        ),
    )
}

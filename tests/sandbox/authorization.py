"""Requests for the authorization matrix: one per route, and tokens that must fail.

Each entry is a whole request, valid for a caller with the rights. A route that has
no entry here makes the matrix fail.
"""

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt

from runbook_lib.sandbox.keys import signing_key
from runbook_lib.sandbox.seed_objects import SECRET_END, add_application, add_secret
from runbook_lib.sandbox.state import JsonObject
from tests.sandbox.directory import Directory, KeyPair, claims_of
from tests.sandbox.people import People
from tests.sandbox.world import GRAPH_SCOPE, Application, World

CONTOSO_SCOPES = (
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Policy.Read.All",
    "User.Read",
    "User.Read.All",
)


@dataclass(frozen=True)
class Entry:
    """One request: path, body, and the status that a caller with the rights gets."""

    path: str
    body: Any = None
    status: int = 200


class Matrix:
    """A world of two tenants, the entries for its routes, and tokens."""

    def __init__(self, world: World) -> None:
        """Make the objects that the entries name."""
        self.world = world
        self.directory = Directory(world)
        self.people = People(world)
        self.tokens: dict[str, str | None] = {}
        self.application, self.principal = add_application(world.tenant, "target")
        add_secret(world.tenant, self.application, "secret", SECRET_END)
        self.bare = self.directory.new_application("bare")
        self.gone = self.directory.new_application("gone")
        self.directory.send("DELETE", f"applications/{self.gone['id']}")
        self.directory.grant(self.principal["id"], "IMAP.AccessAsApp")
        self.pair = KeyPair()
        path = f"applications/{self.application['id']}"
        keys = {"keyCredentials": [self.pair.credential()]}
        self.directory.send("PATCH", path, keys)

    @property
    def assignment(self) -> JsonObject:
        """Return the one app role assignment of the target."""
        held = self.world.tenant.app_role_assignments.values()
        return next(e for e in held if e["principalId"] == self.principal["id"])

    @property
    def exchange(self) -> str:
        """Return the object id of Exchange Online's service principal."""
        return str(self.assignment["resourceId"])

    def graph_entries(self) -> dict[tuple[str, str], Entry]:
        """Return the entry of each route of Graph, by method and template."""
        return self._applications() | self._principals() | self._directory()

    def _applications(self) -> dict[tuple[str, str], Entry]:
        application = f"applications/{self.application['id']}"
        key_id = self.application["passwordCredentials"][0]["keyId"]
        one = "applications/{application}"
        current = self.world.tenant.applications[self.application["id"]]
        proof = {"proof": self.pair.proof(self.application["id"])}
        removed = {"keyId": current["keyCredentials"][0]["keyId"], **proof}
        added = {"keyCredential": self.pair.credential(), **proof}
        return {
            ("GET", "applications"): Entry("applications"),
            ("GET", "applications/$count"): Entry("applications/$count"),
            ("GET", one): Entry(application),
            ("GET", f"{one}/owners"): Entry(f"{application}/owners"),
            ("GET", f"{one}/appManagementPolicies"): Entry(
                f"{application}/appManagementPolicies"
            ),
            ("POST", "applications"): Entry("applications", {"displayName": "x"}, 201),
            ("PATCH", one): Entry(application, {"notes": "changed"}, 204),
            ("DELETE", one): Entry(application, None, 204),
            ("POST", f"{one}/addPassword"): Entry(f"{application}/addPassword", {}),
            ("POST", f"{one}/addKey"): Entry(f"{application}/addKey", added),
            ("POST", f"{one}/removeKey"): Entry(
                f"{application}/removeKey", removed, 204
            ),
            ("POST", f"{one}/removePassword"): Entry(
                f"{application}/removePassword", {"keyId": key_id}, 204
            ),
        }

    def _principals(self) -> dict[tuple[str, str], Entry]:
        principal, one = (
            f"servicePrincipals/{self.principal['id']}",
            ("servicePrincipals/{principal}"),
        )
        held, given = (
            f"{principal}/appRoleAssignments",
            (f"servicePrincipals/{self.exchange}/appRoleAssignedTo"),
        )
        wanted = {
            "principalId": self.principal["id"],
            "resourceId": self.exchange,
            "appRoleId": self.directory.app_role("POP.AccessAsApp"),
        }
        key = self.assignment["id"]
        reads = ("memberOf", "transitiveMemberOf", "oauth2PermissionGrants")
        cast = "microsoft.graph.directoryRole?$count=true"
        casts = {
            ("GET", f"{one}/{relation}/microsoft.graph.directoryRole"): Entry(
                f"{principal}/{relation}/{cast}"
            )
            for relation in reads[:2]
        }
        return casts | {
            **{
                ("GET", f"{one}/{name}"): Entry(f"{principal}/{name}") for name in reads
            },
            ("GET", "servicePrincipals"): Entry("servicePrincipals"),
            ("GET", "servicePrincipals/$count"): Entry("servicePrincipals/$count"),
            ("GET", one): Entry(principal),
            ("POST", "servicePrincipals"): Entry(
                "servicePrincipals", {"appId": self.bare["appId"]}, 201
            ),
            ("PATCH", one): Entry(principal, {"notes": "changed"}, 204),
            ("DELETE", one): Entry(principal, None, 204),
            ("GET", f"{one}/appRoleAssignments"): Entry(held),
            ("GET", f"{one}/appRoleAssignedTo"): Entry(given),
            ("GET", f"{one}/appRoleAssignments/{{assignment}}"): Entry(f"{held}/{key}"),
            ("POST", f"{one}/appRoleAssignments"): Entry(held, wanted, 201),
            ("POST", f"{one}/appRoleAssignedTo"): Entry(given, wanted, 201),
            ("DELETE", f"{one}/appRoleAssignments/{{assignment}}"): Entry(
                f"{held}/{key}", None, 204
            ),
            ("DELETE", f"{one}/appRoleAssignedTo/{{assignment}}"): Entry(
                f"{given}/{key}", None, 204
            ),
        }

    def _directory(self) -> dict[tuple[str, str], Entry]:
        tenant = self.world.tenant
        grant = next(iter(tenant.oauth2_permission_grants))
        gone = f"directory/deletedItems/{self.gone['id']}"
        item, roles = "directory/deletedItems/{item}", "roleManagement/directory"
        reader = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
        user = next(iter(tenant.users))
        cast = "microsoft.graph.directoryRole"
        plain = (
            "organization",
            "domains",
            "oauth2PermissionGrants",
            "users",
            "users/$count",
            "me",
            "me/memberOf",
            "me/transitiveMemberOf",
            "policies/defaultAppManagementPolicy",
            "policies/identitySecurityDefaultsEnforcementPolicy",
            "directory/deletedItems/microsoft.graph.application",
            "directory/deletedItems/microsoft.graph.servicePrincipal",
            f"{roles}/roleAssignments",
            f"{roles}/roleDefinitions",
        )
        return {
            **{("GET", path): Entry(path) for path in plain},
            **{
                ("GET", f"{path}/{cast}"): Entry(f"{path}/{cast}?$count=true")
                for path in ("me/memberOf", "me/transitiveMemberOf")
            },
            ("GET", "organization/{organization}"): Entry(
                f"organization/{tenant.tenant_id}"
            ),
            ("GET", "domains/{domain}"): Entry(f"domains/{tenant.domain}"),
            ("GET", "domains/{domain}/serviceConfigurationRecords"): Entry(
                f"domains/{tenant.domain}/serviceConfigurationRecords"
            ),
            ("GET", "users/{user}"): Entry(f"users/{user}"),
            ("GET", "oauth2PermissionGrants/{grant}"): Entry(
                f"oauth2PermissionGrants/{grant}"
            ),
            ("DELETE", "oauth2PermissionGrants/{grant}"): Entry(
                f"oauth2PermissionGrants/{grant}", None, 204
            ),
            ("GET", f"{roles}/roleDefinitions/{{definition}}"): Entry(
                f"{roles}/roleDefinitions/{reader}"
            ),
            ("GET", item): Entry(gone),
            ("POST", f"{item}/restore"): Entry(f"{gone}/restore"),
            ("DELETE", item): Entry(gone, None, 204),
        }

    def vault_entries(self) -> dict[tuple[str, str], Entry]:
        """Return the entry of each route of a vault, by method and template.

        The vault holds a secret `kept` and a deleted one, `gone`.
        """
        vault = self.world.tenant.vault
        version = vault.secrets["kept"][0]["id"].rpartition("/")[2]
        return {
            ("GET", "/secrets"): Entry("secrets"),
            ("PUT", "/secrets/{}"): Entry("secrets/new", {"value": "x"}),
            ("GET", "/secrets/{}"): Entry("secrets/kept"),
            ("DELETE", "/secrets/{}"): Entry("secrets/kept"),
            ("GET", "/secrets/{}/versions"): Entry("secrets/kept/versions"),
            ("GET", "/secrets/{}/{}"): Entry(f"secrets/kept/{version}"),
            ("PATCH", "/secrets/{}/{}"): Entry(
                f"secrets/kept/{version}", {"tags": {"a": "b"}}
            ),
            ("GET", "/deletedsecrets"): Entry("deletedsecrets"),
            ("GET", "/deletedsecrets/{}"): Entry("deletedsecrets/gone"),
            ("DELETE", "/deletedsecrets/{}"): Entry("deletedsecrets/gone", None, 204),
            ("POST", "/deletedsecrets/{}/recover"): Entry(
                "deletedsecrets/gone/recover"
            ),
        }

    @cached_property
    def stranger(self) -> Application:
        """Return an application with a right that opens nothing here."""
        tenant = self.world.tenant
        application, principal = add_application(tenant, "stranger")
        secret = add_secret(tenant, application, "test", SECRET_END)
        return Application(application["appId"], principal["id"], secret)

    def other_tenants_operator(self, scope: str) -> str:
        """Return the token of the second tenant's operator, the same each time."""
        if scope not in self.tokens:
            self.tokens[scope] = self._other_tenants_operator(scope)
        return str(self.tokens[scope])

    def _other_tenants_operator(self, scope: str) -> str:
        """Return a new token of the second tenant's operator."""
        other = self.world.other_tenant()
        plan = self.world.plans[other.tenant_id].operator
        url = f"https://login.microsoftonline.com/{other.tenant_id}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": plan.client_id,
            "client_secret": plan.client_secret,
            "scope": scope,
        }
        answer = self.world.request("POST", url, data=form)
        return str(answer.json()["access_token"])


def expired(token: str) -> str:
    """Return the same token, expired an hour ago and signed by the right key."""
    claims = claims_of(token) | {"exp": int(time.time()) - 3600}
    key = signing_key()
    headers = {"kid": key.thumbprint, "x5t": key.thumbprint}
    return jwt.encode(claims, key.private, algorithm="RS256", headers=headers)


def graph_token_of(matrix: Matrix, case: str) -> str | None:
    """Return the token of a case against Graph, the same each time."""
    if case not in matrix.tokens:
        matrix.tokens[case] = _new_graph_token(matrix, case)
    return matrix.tokens[case]


def _new_graph_token(matrix: Matrix, case: str) -> str | None:
    """Return a new token of a case against Graph."""
    world = matrix.world
    if case == "no token":
        return None
    if case == "wrong audience":
        return world.token()
    if case == "expired":
        return expired(world.token(scope=GRAPH_SCOPE))
    if case == "missing role":
        return world.token(matrix.stranger, GRAPH_SCOPE)
    if case == "missing scope":
        return matrix.people.graph_token("admin", "SMTP.Send")
    assert case == "missing directory role", case
    return matrix.people.graph_token("user", *CONTOSO_SCOPES)

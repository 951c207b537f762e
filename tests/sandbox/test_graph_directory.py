"""Organisation, domains, roles, policies: what a run reads before it begins."""

import jwt
import pytest

from runbook_lib.sandbox.keys import signing_key
from tests.sandbox.directory import Directory, claims_of, equals, error_of
from tests.sandbox.world import World

EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"


def test_organization_is_the_tenant_of_the_token() -> None:
    """A list of one, with the verified domains."""
    with World(tenants=2) as world:
        directory = Directory(world)
        (organization,) = directory.read("organization")["value"]
        same = directory.read(f"organization/{organization['id']}")
        other = directory.send("GET", f"organization/{world.other_tenant().tenant_id}")
    assert organization["id"] == same["id"] == world.tenant.tenant_id
    assert organization["displayName"] == "Contoso"
    names = {domain["name"] for domain in organization["verifiedDomains"]}
    assert names == {"contoso.com", "contoso.onmicrosoft.com"}
    assert other.status_code == 404


def test_domains_state_their_mx_endpoint() -> None:
    """The tenant says which MX record and which SPF record it wants."""
    with World() as world:
        directory = Directory(world)
        domains = directory.read("domains")["value"]
        single = directory.read("domains/contoso.com")
        path = "domains/contoso.com/serviceConfigurationRecords"
        records = directory.read(path)["value"]
        nobody = directory.send("GET", "domains/northwind.example")
    assert single["isDefault"] is True
    assert {domain["id"]: domain["isInitial"] for domain in domains} == {
        "contoso.com": False,
        "contoso.onmicrosoft.com": True,
    }
    by_type = {record["recordType"]: record for record in records}
    endpoint = "contoso-com.mail.protection.outlook.com"
    assert by_type["Mx"]["mailExchange"] == endpoint
    assert by_type["Mx"]["@odata.type"] == "#microsoft.graph.domainDnsMxRecord"
    assert "include:spf.protection.outlook.com" in by_type["Txt"]["text"]
    assert nobody.status_code == 404


def test_dns_agrees_with_what_the_tenant_states() -> None:
    """The seeded records are the proposed ones."""
    with World() as world:
        records = world.sandbox.dns["contoso.com"]
        assert records["MX"] == ["0 contoso-com.mail.protection.outlook.com."]
        assert "A" in world.sandbox.dns["contoso-com.mail.protection.outlook.com"]
        chain = ["smtp.office365.com"]
        while target := world.sandbox.dns[chain[-1]].get("CNAME"):
            chain.append(target[0].rstrip("."))
        assert len(chain) == 3
        assert world.sandbox.dns[chain[-1]]["A"] == ["127.0.0.1"]


def test_operators_own_roles_are_readable() -> None:
    """The same directory role is seen as membership and as assignment."""
    with World() as world:
        directory = Directory(world)
        operator = directory.operator.client_id
        principal = directory.read(f"servicePrincipals(appId='{operator}')")
        path = f"servicePrincipals/{principal['id']}/memberOf"
        (role,) = directory.read(path)["value"]
        query = equals("principalId", principal["id"])
        assignments = f"roleManagement/directory/roleAssignments?{query}"
        (assignment,) = directory.read(assignments)["value"]
        definitions = "roleManagement/directory/roleDefinitions"
        definition = directory.read(f"{definitions}/{EXCHANGE_ADMINISTRATOR}")
        listed = directory.read(definitions)["value"]
        nothing = directory.send("GET", f"{definitions}/{principal['id']}")
    assert role["roleTemplateId"] == EXCHANGE_ADMINISTRATOR
    assert role["id"] != EXCHANGE_ADMINISTRATOR
    assert assignment["roleDefinitionId"] == EXCHANGE_ADMINISTRATOR
    assert assignment["directoryScopeId"] == "/"
    assert definition["displayName"] == "Exchange Administrator"
    assert definition["id"] in {entry["id"] for entry in listed}
    assert nothing.status_code == 404


def test_policies_of_a_new_tenant_restrict_nothing() -> None:
    """The default policy is off, and so are security defaults."""
    with World() as world:
        directory = Directory(world)
        policy = directory.read("policies/defaultAppManagementPolicy")
        defaults = "policies/identitySecurityDefaultsEnforcementPolicy"
        security = directory.read(defaults)
        world.tenant.security_defaults_enabled = True
        changed = directory.read(defaults)
    assert policy["isEnabled"] is False
    assert policy["applicationRestrictions"]["passwordCredentials"] == []
    assert (security["isEnabled"], changed["isEnabled"]) == (False, True)


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("organization", "Organization.Read.All"),
        ("domains", "Domain.Read.All"),
        ("policies/defaultAppManagementPolicy", "Policy.Read.All"),
        ("policies/identitySecurityDefaultsEnforcementPolicy", "Policy.Read.All"),
        ("roleManagement/directory/roleAssignments", "RoleManagement.Read.Directory"),
        ("applications", "Application.Read.All"),
        ("servicePrincipals", "Application.Read.All"),
        ("oauth2PermissionGrants", "DelegatedPermissionGrant.Read.All"),
    ],
)
def test_each_read_needs_its_own_right(path: str, needed: str) -> None:
    """The least right opens it, and a right for something else does not."""
    with World() as world:
        directory = Directory(world)
        right = directory.send("GET", path, token=directory.token_with(needed))
        wrong = directory.send("GET", path, token=directory.token_with("Mail.Send"))
        none = directory.send("GET", path, token=directory.token_with())
    statuses = [answer.status_code for answer in (right, wrong, none)]
    assert statuses == [200, 403, 403]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Authorization": ""}, "Access token is empty."),
        ({"Authorization": "Basic eDp5"}, "Access token is empty."),
        ({"Authorization": "Bearer nonsense"}, "The token is not a well-formed JWT."),
    ],
)
def test_requests_without_a_good_token(headers: dict[str, str], message: str) -> None:
    """401 in Graph's envelope, before anything else is looked at."""
    with World() as world:
        answer = Directory(world).send("GET", "nothing", headers=headers)
    assert error_of(answer) == (401, "InvalidAuthenticationToken", message)


def test_token_of_another_issuer_is_refused() -> None:
    """A token that somebody else signed is no token."""
    with World() as world:
        directory = Directory(world)
        head, payload, signature = directory.graph_token.split(".")
        forged = f"{head}.{payload}.{signature[:-6]}AAAAAA"
        answer = directory.send("GET", "organization", token=forged)
    assert error_of(answer)[:2] == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 1}, "Lifetime validation failed, the token is expired."),
        ({"tid": "nobody"}, "The tenant of the token is not known."),
        ({"aud": None}, "The token is not a well-formed JWT."),
    ],
)
def test_tokens_that_are_no_longer_good(
    claims: dict[str, object], message: str
) -> None:
    """A token that the sandbox itself signed can be past its time or astray."""
    with World() as world:
        directory = Directory(world)
        changed = claims_of(directory.graph_token) | claims
        key = signing_key().private
        token = jwt.encode(
            {n: v for n, v in changed.items() if v is not None}, key, "RS256"
        )
        answer = directory.send("GET", "organization", token=token)
    assert error_of(answer) == (401, "InvalidAuthenticationToken", message)


def test_paths_methods_and_versions() -> None:
    """What Graph does not have is refused with its own errors."""
    with World() as world:
        directory = Directory(world)
        beta = directory.send("GET", "https://graph.microsoft.com/beta/applications")
        method = directory.send("PUT", "applications", {})
        deep = directory.send("GET", "applications/x/nothing/here")
    assert error_of(beta)[:2] == (400, "BadRequest")
    assert method.status_code == 405
    assert error_of(deep)[:2] == (400, "BadRequest")


def test_every_reply_carries_its_ids() -> None:
    """A success has request ids too, and JSON in Graph's media type."""
    with World() as world:
        answer = Directory(world).send("GET", "organization")
    assert answer.headers["request-id"]
    assert answer.headers["client-request-id"] == answer.headers["request-id"]
    assert answer.headers["Content-Type"].startswith("application/json;odata.metadata")
    assert answer.headers["x-ms-resource-unit"] == "1"

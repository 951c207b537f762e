"""Metadata, keys and instance discovery of the login host."""

import jwt
import pytest
from jwt import PyJWK

from tests.sandbox.directory import LOGIN, Directory
from tests.sandbox.world import World

CONFIGURATION = "v2.0/.well-known/openid-configuration"


def test_metadata_names_the_tenants_own_endpoints() -> None:
    """By domain as by id, the document leads to the tenant's endpoints."""
    with World() as world:
        tenant_id = world.tenant.tenant_id
        documents = [
            world.request("GET", f"{LOGIN}/{name}/{CONFIGURATION}").json()
            for name in (tenant_id, "contoso.com", "contoso.onmicrosoft.com")
        ]
    assert documents[0] == documents[1] == documents[2]
    document = documents[0]
    assert document["issuer"] == f"{LOGIN}/{tenant_id}/v2.0"
    assert document["token_endpoint"] == f"{LOGIN}/{tenant_id}/oauth2/v2.0/token"
    methods = document["token_endpoint_auth_methods_supported"]
    assert set(methods) == {
        "client_secret_post",
        "client_secret_basic",
        "private_key_jwt",
    }


@pytest.mark.parametrize("name", ["common", "organizations"])
def test_metadata_of_shared_tenants_leaves_the_issuer_open(name: str) -> None:
    """For a shared name the issuer holds a placeholder."""
    with World() as world:
        document = world.request("GET", f"{LOGIN}/{name}/{CONFIGURATION}").json()
    assert document["issuer"] == f"{LOGIN}/{{tenantid}}/v2.0"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("northwind.example", 90002),
        ("5e8d1a3c-0000-4000-8000-000000000001", 90002),
        ("nonsense", 900023),
    ],
)
def test_metadata_of_an_unknown_tenant_is_refused(name: str, code: int) -> None:
    """The error is invalid_tenant here, and invalid_request at the token endpoint."""
    with World() as world:
        answer = world.request("GET", f"{LOGIN}/{name}/{CONFIGURATION}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_tenant"
    assert answer.json()["error_codes"] == [code]


def test_published_key_verifies_a_token() -> None:
    """A third party can check a token with the key document alone."""
    with World() as world:
        token = world.token()
        url = f"{LOGIN}/{world.tenant.tenant_id}/discovery/v2.0/keys"
        (key,) = world.request("GET", url).json()["keys"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    claims = jwt.decode(
        token,
        PyJWK(key, "RS256").key,
        algorithms=["RS256"],
        audience="https://outlook.office365.com",
    )
    assert claims["tid"] == world.tenant.tenant_id


def test_instance_discovery_knows_the_aliases_of_the_cloud() -> None:
    """A library that asks whether the host is genuine is told so."""
    query = f"api-version=1.1&authorization_endpoint={LOGIN}/common/oauth2/authorize"
    with World() as world:
        answer = world.request("GET", f"{LOGIN}/common/discovery/instance?{query}")
    assert answer.status_code == 200
    (entry,) = answer.json()["metadata"]
    assert "login.microsoftonline.com" in entry["aliases"]
    assert entry["preferred_network"] == "login.microsoftonline.com"
    endpoint = answer.json()["tenant_discovery_endpoint"]
    assert endpoint == f"{LOGIN}/common/{CONFIGURATION}"


def test_paths_and_methods_that_do_not_exist() -> None:
    """An unknown path is 404; a known one with another method is 405."""
    with World() as world:
        tenant_id = world.tenant.tenant_id
        nowhere = world.request("GET", f"{LOGIN}/{tenant_id}/oauth2/v2.0/nothing")
        read = world.request("GET", f"{LOGIN}/{tenant_id}/oauth2/v2.0/token")
    assert nowhere.status_code == 404
    assert read.status_code == 405
    assert read.headers["Allow"] == "POST"


def test_token_requests_are_not_writes() -> None:
    """The log marks a token request as none, and names its tenant."""
    with World() as world:
        Directory(world).sign_in()
        (entry,) = world.logged(method="POST")
    assert entry["write"] is False
    assert entry["tenant"] == world.tenant.tenant_id

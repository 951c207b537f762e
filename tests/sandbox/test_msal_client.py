"""MSAL for Python, an independent client, signs in through the proxy."""

import json
import re
from typing import Any

import msal
import pytest
from cryptography.hazmat.primitives import serialization

from tests.sandbox.conftest import Running, StartSandbox
from tests.sandbox.directory import KeyPair, claims_of
from tests.sandbox.people import GRAPH_TOOLS
from tests.sandbox.test_server import client_of

SCOPES = ["https://outlook.office365.com/.default"]


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away variables that `requests` puts above proxies= and verify=."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def msal_client(sandbox: Running, **options: Any) -> Any:
    """Return a confidential client of the first tenant, as a user would write it."""
    tenant = sandbox.tenant
    wanted = {
        "client_id": tenant["operator_client_id"],
        "client_credential": tenant["operator_client_secret"],
        "authority": f"https://login.microsoftonline.com/{tenant['tenant_id']}",
        "proxies": {"https": sandbox.ready["proxy"]},
        "verify": sandbox.ready["ca_file"],
    }
    return msal.ConfidentialClientApplication(**(wanted | options))


def test_a_secret_signs_in(sandbox_process: Running) -> None:
    """Instance discovery stays on; nothing leaves the sandbox."""
    client = msal_client(sandbox_process)
    result = client.acquire_token_for_client(scopes=SCOPES)
    assert result["token_type"] == "Bearer"
    claims = claims_of(result["access_token"])
    assert claims["roles"] == ["Exchange.ManageAsApp"]
    again = client.acquire_token_for_client(scopes=SCOPES)
    assert again["access_token"] == result["access_token"]
    assert {line["status"] for line in sandbox_process.log()} == {200}


def test_the_tenant_may_be_a_domain(shared_sandbox: Running) -> None:
    """The authority takes a verified domain."""
    authority = "https://login.microsoftonline.com/contoso.onmicrosoft.com"
    client = msal_client(shared_sandbox, authority=authority)
    result = client.acquire_token_for_client(scopes=SCOPES)
    assert (
        claims_of(result["access_token"])["tid"] == shared_sandbox.tenant["tenant_id"]
    )


def test_an_unlisted_authority_is_looked_up(shared_sandbox: Running) -> None:
    """For a host that the library does not know it asks instance discovery."""
    tenant_id = shared_sandbox.tenant["tenant_id"]
    authority = f"https://outlook.office.com/{tenant_id}"
    with pytest.raises(ValueError, match="invalid_instance"):
        msal_client(shared_sandbox, authority=authority).acquire_token_for_client(
            scopes=SCOPES
        )
    paths = [line["path"] for line in shared_sandbox.log()]
    assert "/common/discovery/instance" in paths


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"client_credential": "wrong~secret"}, 7000215),
        ({"client_id": "5e8d1a3c-0000-4000-8000-000000000001"}, 700016),
    ],
)
def test_refusals_reach_the_caller(
    shared_sandbox: Running, options: dict[str, Any], code: int
) -> None:
    """The library hands the AADSTS number over."""
    client = msal_client(shared_sandbox, **options)
    result = client.acquire_token_for_client(scopes=SCOPES)
    assert result["error_codes"] == [code]
    assert f"AADSTS{code}" in result["error_description"]


def test_a_wrong_scope_reaches_the_caller(shared_sandbox: Running) -> None:
    """A resource that is not there is named."""
    client = msal_client(shared_sandbox)
    result = client.acquire_token_for_client(scopes=["https://a.example/.default"])
    assert result["error"] == "invalid_resource"


@pytest.mark.parametrize("by_thumbprint", [True, False])
def test_a_certificate_signs_in(
    start_sandbox: StartSandbox, by_thumbprint: bool
) -> None:
    """With thumbprint (RS256, x5t) and with the certificate (PS256, x5t#S256)."""
    sandbox, pair = start_sandbox(), KeyPair()
    app_id, thumbprint = _upload(sandbox, pair)
    pem = serialization.Encoding.PEM
    credential: dict[str, Any] = {
        "private_key": pair.private.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    }
    if by_thumbprint:
        credential["thumbprint"] = thumbprint
    else:
        credential["public_certificate"] = pair.certificate.public_bytes(pem).decode()
    client = msal_client(sandbox, client_id=app_id, client_credential=credential)
    result = client.acquire_token_for_client(scopes=SCOPES)
    assert "access_token" in result, result
    assert claims_of(result["access_token"])["appidacr"] == "2"
    assert "client_assertion" in json.dumps(sandbox.log())


def public_client(sandbox: Running, **options: Any) -> Any:
    """Return a public client, as a program for people would be."""
    wanted = {
        "client_id": GRAPH_TOOLS,
        "authority": "https://login.microsoftonline.com/organizations",
        "proxies": {"https": sandbox.ready["proxy"]},
        "verify": sandbox.ready["ca_file"],
    }
    return msal.PublicClientApplication(**(wanted | options))


def test_a_person_signs_in_with_a_device_code(sandbox_process: Running) -> None:
    """And a second token comes from the cached refresh token, without the person."""
    sandbox, scopes = sandbox_process, ["https://graph.microsoft.com/User.Read"]
    login, password = next(iter(sandbox.tenant["users"].items()))
    client = public_client(sandbox)
    flow = client.initiate_device_flow(scopes=scopes)
    assert flow["user_code"] in flow["message"]
    form = {"user_code": flow["user_code"], "login": login, "passwd": password}
    with client_of(sandbox) as browser:
        assert browser.post(flow["verification_uri"], data=form).status_code == 200
    result = client.acquire_token_by_device_flow(flow)
    assert claims_of(result["access_token"])["upn"] == login
    assert result["id_token_claims"]["preferred_username"] == login
    (account,) = client.get_accounts()
    assert account["username"] == login
    again = client.acquire_token_silent(scopes, account, force_refresh=True)
    assert claims_of(again["access_token"])["scp"] == "User.Read"
    assert password not in json.dumps(sandbox.log())


def test_a_person_signs_in_with_an_authorization_code(
    sandbox_process: Running,
) -> None:
    """With PKCE, state and nonce, as MSAL checks them."""
    sandbox = sandbox_process
    login, password = next(iter(sandbox.tenant["users"].items()))
    client = public_client(sandbox)
    flow = client.initiate_auth_code_flow(
        ["User.Read"], "http://localhost:8400", response_mode="form_post"
    )
    with client_of(sandbox) as browser:
        assert browser.get(flow["auth_uri"]).status_code == 200
        form = {"login": login, "passwd": password}
        page = browser.post(flow["auth_uri"], data=form).text
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    result = client.acquire_token_by_auth_code_flow(flow, sent)
    assert claims_of(result["access_token"])["upn"] == login


def _upload(sandbox: Running, pair: KeyPair) -> tuple[str, str]:
    """Create an application with a certificate; return client id and thumbprint."""
    token = msal_client(sandbox).acquire_token_for_client(
        scopes=["https://graph.microsoft.com/.default"]
    )["access_token"]
    graph = "https://graph.microsoft.com/v1.0"
    body = {"displayName": "sap", "keyCredentials": [pair.credential()]}
    with client_of(sandbox) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        made = client.post(f"{graph}/applications", json=body).json()
        client.post(f"{graph}/servicePrincipals", json={"appId": made["appId"]})
    return made["appId"], made["keyCredentials"][0]["customKeyIdentifier"]

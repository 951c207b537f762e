"""The four clouds: own hosts, own resources, own ids of app roles."""

from typing import Any

import pytest

from runbook_lib.cloud import PROFILES, Cloud
from runbook_lib.sandbox.hosts import CLOUDS
from tests.sandbox.directory import EXCHANGE_APP_ID, claims_of
from tests.sandbox.world import World

NAMES = list(CLOUDS)


def token(world: World, scope: str, status: int = 200) -> Any:
    """Ask the login host of the world's cloud for the operator's token."""
    operator = world.operators[world.tenant.tenant_id]
    url = f"{world.sandbox.cloud.authority}/{world.tenant.tenant_id}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": operator.client_id,
        "client_secret": operator.client_secret,
        "scope": scope,
    }
    answer = world.request("POST", url, data=form)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_every_cloud_of_the_runbooks_is_played() -> None:
    """Host by host, as the runbooks' own profiles have them."""
    assert {cloud.value for cloud in Cloud} == set(CLOUDS)
    for name, profile in PROFILES.items():
        cloud = CLOUDS[name.value]
        assert cloud.login[0] == profile.login.value
        assert cloud.graph == profile.graph.value
        assert cloud.exchange[0] == profile.exchange.value
        resource = profile.exchange_scope.value.removesuffix("/.default")
        assert resource in cloud.exchange_resources
        assert cloud.submission[0] == profile.smtp.value
        assert cloud.mx_suffix == profile.mx_suffix.value
        assert cloud.spf_include == profile.spf_include.value


@pytest.mark.parametrize("name", NAMES)
def test_a_cloud_answers_by_its_own_names(name: str) -> None:
    """Metadata, tokens, Graph and Exchange; every other cloud is misdirected."""
    cloud = CLOUDS[name]
    with World(cloud=name) as world:
        base = f"{cloud.authority}/{world.tenant.tenant_id}"
        metadata = world.request("GET", f"{base}/v2.0/.well-known/openid-configuration")
        assert metadata.json()["token_endpoint"] == f"{base}/oauth2/v2.0/token"
        assert metadata.json()["msgraph_host"] == cloud.graph
        bearer = token(world, f"https://{cloud.graph}/.default")["access_token"]
        headers = {"Authorization": f"Bearer {bearer}"}
        query = "applications?$top=1"
        answer = world.request("GET", f"{cloud.graph_root}/{query}", headers=headers)
        assert answer.json()["@odata.nextLink"].startswith(cloud.graph_root)
        assert world.tenant.initial_domain == f"contoso.{cloud.initial_suffix}"
        others = {host for c in CLOUDS.values() for host in c.login} - set(cloud.login)
        for host in others:
            assert world.request("GET", f"https://{host}/").status_code == 421


@pytest.mark.parametrize("name", NAMES)
def test_exchange_is_its_own_resource(name: str) -> None:
    """A token is for the resource as it was asked for; another cloud has none."""
    cloud = CLOUDS[name]
    with World(cloud=name) as world:
        resource = cloud.exchange_resources[0]
        granted = token(world, f"{resource}/.default")
        claims = claims_of(granted["access_token"])
        assert claims["aud"] == resource
        assert claims["iss"].startswith(f"https://{cloud.issuer}/")
        assert claims["roles"] == ["Exchange.ManageAsApp"]
        foreign = "https://outlook.office365.com/.default"
        if name != "global":
            assert token(world, foreign, 400)["error_codes"] == [500011]


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("global", "7146a1f0-8703-45b3-9eae-527a64c00995"),
        ("gcc-high", "ce81e10f-fda1-4348-8947-f7fdb6c649ad"),
    ],
)
def test_app_roles_have_the_ids_of_the_cloud(name: str, identifier: str) -> None:
    """So a client that carries one as a constant fails in the other."""
    with World(cloud=name) as world:
        exchange = world.tenant.service_principal_by_app_id(EXCHANGE_APP_ID)
        assert exchange is not None
        ids = {role["value"]: role["id"] for role in exchange["appRoles"]}
        assert ids["SMTP.SendAsApp"] == identifier


@pytest.mark.parametrize("name", NAMES)
def test_dns_leads_to_the_hosts_of_the_cloud(name: str) -> None:
    """MX, SPF and submission."""
    cloud = CLOUDS[name]
    with World(cloud=name) as world:
        records = world.sandbox.dns
        assert records["contoso.com"]["MX"] == [f"0 {cloud.mx_name('contoso.com')}."]
        assert cloud.spf_include in records["contoso.com"]["TXT"][0]
        assert cloud.spf_include in records
        assert set(records[cloud.submission[0]]) <= {"A", "AAAA", "CNAME"}

"""Rows of Azure Resource Manager, which command lines ask when somebody signs in."""

from typing import Any

import httpx
import pytest

from tests.sandbox.rows import Checks
from tests.sandbox.world import GRAPH_SCOPE, World

CHECKS = Checks("management")
NAMES = ("https://management.azure.com", "https://management.core.windows.net")


def ask(world: World, path: str, **options: Any) -> httpx.Response:
    """Send a request; options: method, token (null for none), version."""
    token = options.get("token", world.token(scope=f"{NAMES[0]}/.default"))
    version = options.get("version", "2022-12-01")
    return world.request(
        options.get("method", "GET"),
        f"https://management.azure.com/{path}",
        headers={"Authorization": f"Bearer {token}"} if token else {},
        params={"api-version": version} if version else {},
    )


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a reply, empty where it is no refusal."""
    return answer.status_code, answer.json().get("error", {}).get("code", "")


@CHECKS.row("management.challenge")
def check_challenge(world: World) -> None:
    """The reply says where to sign in."""
    answer = ask(world, "subscriptions", token=None)
    assert refusal(answer) == (401, "AuthenticationFailed")
    challenge = answer.headers.get("WWW-Authenticate", "")
    assert 'authorization_uri="https://login.microsoftonline.com/common"' in challenge


@CHECKS.row("management.audience")
def check_audience(world: World) -> None:
    """Both names do, with one slash or two; a token for Graph does not."""
    for name in NAMES:
        for scope in (f"{name}/.default", f"{name}//.default"):
            answer = ask(world, "subscriptions", token=world.token(scope=scope))
            assert answer.status_code == 200, scope
    answer = ask(world, "subscriptions", token=world.token(scope=GRAPH_SCOPE))
    assert refusal(answer) == (401, "InvalidAuthenticationTokenAudience")


@CHECKS.row("management.api-version")
def check_api_version(world: World) -> None:
    """It is asked for before the path is looked at."""
    for path in ("subscriptions", "tenants", "nowhere"):
        answer = ask(world, path, version=None)
        assert refusal(answer) == (400, "MissingApiVersionParameter")
    assert refusal(ask(world, "nowhere")) == (404, "ResourceNotFound")


@CHECKS.row("management.read-only")
def check_read_only(world: World) -> None:
    """Its own tenant, no subscription, no write."""
    assert ask(world, "subscriptions").json()["value"] == []
    (found,) = ask(world, "tenants").json()["value"]
    assert found["tenantId"] == world.tenant.tenant_id
    for method in ("PUT", "POST", "PATCH", "DELETE"):
        answer = ask(world, "subscriptions", method=method)
        assert answer.status_code == 405


test_row, test_row_broken, test_every_row = CHECKS.tests()


@pytest.mark.parametrize("token", ["no.token", "e30.e30.e30"])
def test_what_is_no_token_is_refused(token: str) -> None:
    """The reply quotes nothing of it."""
    with World() as world:
        answer = ask(world, "subscriptions", token=token)
        assert refusal(answer) == (401, "InvalidAuthenticationToken")
        assert token not in answer.text

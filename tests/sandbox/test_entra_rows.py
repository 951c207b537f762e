"""Rows of the login host."""

import base64
import time
from urllib.parse import quote_plus

import pytest

from tests.sandbox.directory import (
    ASSERTION_TYPE,
    LOGIN,
    Directory,
    KeyPair,
    claims_of,
    problem_of,
)
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("entra", file=__file__)
PAIR = KeyPair()
STRANGER = KeyPair()


@CHECKS.row("entra.wrong-secret")
def check_wrong_secret(world: World) -> None:
    """A secret that was never given out opens nothing."""
    answer = Directory(world).sign_in(client_secret="wrong~secret")
    assert answer.status_code == 401
    assert problem_of(answer) == (401, 7000215)


@CHECKS.row("entra.expired-secret")
def check_expired_secret(world: World) -> None:
    """The right secret after its end is told from a wrong one."""
    directory = Directory(world)
    client = world.tenant.application_by_app_id(directory.operator.client_id)
    assert client is not None
    client["passwordCredentials"][0]["endDateTime"] = "2024-01-01T00:00:00Z"
    answer = directory.sign_in()
    assert answer.status_code == 401
    assert problem_of(answer) == (401, 7000222)


@CHECKS.row("entra.unknown-tenant")
def check_unknown_tenant(world: World) -> None:
    """A domain that nobody verified is no tenant."""
    answer = Directory(world).sign_in("northwind.example")
    assert answer.status_code == 400
    assert problem_of(answer) == (400, 90002)


@CHECKS.row("entra.missing-service-principal")
def check_missing_service_principal(world: World) -> None:
    """An application registration alone cannot sign in."""
    application = world.application()
    principals = world.tenant.service_principals
    del principals[application.principal_id]
    answer = Directory(world).sign_in(
        client_id=application.app_id, client_secret=application.secret
    )
    assert problem_of(answer) == (401, 7000229)


@CHECKS.row("entra.disabled-client")
def check_disabled_client(world: World) -> None:
    """An administrator can stop a client without deleting it."""
    directory = Directory(world)
    operator = directory.operator.client_id
    client = world.tenant.service_principal_by_app_id(operator)
    assert client is not None
    client["accountEnabled"] = False
    answer = directory.sign_in()
    assert answer.status_code == 400
    assert problem_of(answer) == (400, 7000112)


@CHECKS.row("entra.default-scope")
def check_default_scope(world: World) -> None:
    """A named permission is no scope of this grant."""
    directory = Directory(world)
    answer = directory.sign_in(scope="https://outlook.office365.com/SMTP.Send")
    assert problem_of(answer) == (400, 1002012)


@CHECKS.row("entra.unknown-resource")
def check_unknown_resource(world: World) -> None:
    """A resource of another cloud is not in the tenant."""
    answer = Directory(world).sign_in(scope="https://outlook.office365.us/.default")
    assert answer.status_code == 400
    assert problem_of(answer) == (400, 500011)


@CHECKS.row("entra.basic-authentication")
def check_basic_authentication(world: World) -> None:
    """The client's own header is as good as the form."""
    directory = Directory(world)
    operator = directory.operator
    pair = f"{quote_plus(operator.client_id)}:{quote_plus(operator.client_secret)}"
    blob = base64.b64encode(pair.encode()).decode()
    answer = world.request(
        "POST",
        f"{LOGIN}/{world.tenant.tenant_id}/oauth2/v2.0/token",
        headers={"Authorization": f"Basic {blob}"},
        data={
            "grant_type": "client_credentials",
            "scope": "https://outlook.office365.com/.default",
        },
    )
    assert answer.status_code == 200


@CHECKS.row("entra.roles-follow-consent")
def check_roles_follow_consent(world: World) -> None:
    """Without consent a token is issued all the same, only without roles."""
    bare = world.application()
    assert "roles" not in claims_of(world.token(bare))
    granted = world.application("SMTP.SendAsApp")
    assert claims_of(world.token(granted))["roles"] == ["SMTP.SendAsApp"]


def _assert_with(
    world: World, pair: KeyPair, **claims: object
) -> tuple[int, int | None]:
    """Sign in with an assertion of `pair` where PAIR is registered."""
    directory = Directory(world)
    application = directory.new_application(keyCredentials=[PAIR.credential()])
    directory.new_principal(application["appId"])
    text = pair.assertion(application["appId"], world.tenant.tenant_id, **claims)
    if pair is not PAIR:
        # The stranger names the registered certificate and signs with its own key.
        genuine = PAIR.assertion(application["appId"], world.tenant.tenant_id)
        payload = genuine.rpartition(".")[0]
        text = f"{payload}.{text.rpartition('.')[2]}"
    answer = directory.sign_in(
        client_id=application["appId"],
        client_secret=None,
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=text,
    )
    codes = answer.json().get("error_codes", [None])
    return answer.status_code, codes[0]


@CHECKS.row("entra.assertion-signature")
def check_assertion_signature(world: World) -> None:
    """The signature of another key does not pass for the registered one."""
    assert _assert_with(world, STRANGER) == (401, 700027)


@CHECKS.row("entra.assertion-audience")
def check_assertion_audience(world: World) -> None:
    """An assertion for another server is refused."""
    refused = _assert_with(world, PAIR, aud="https://login.contoso.com/token")
    assert refused == (401, 700023)


@CHECKS.row("entra.assertion-times")
def check_assertion_times(world: World) -> None:
    """An assertion of yesterday is refused."""
    yesterday = int(time.time()) - 86_400
    refused = _assert_with(world, PAIR, nbf=yesterday, exp=yesterday + 600)
    assert refused == (401, 700024)


@CHECKS.row("entra.unknown-instance")
def check_unknown_instance(world: World) -> None:
    """A host of nobody is no authority."""
    query = "authorization_endpoint=https://login.contoso.com/common&api-version=1.1"
    url = f"{LOGIN}/common/discovery/instance?{query}"
    answer = world.request("GET", url)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_instance"


@pytest.mark.parametrize("row", list(CHECKS))
def test_row_holds(row: str) -> None:
    """The row's check passes against a whole sandbox."""
    with World() as world:
        CHECKS.run(row, world)


@pytest.mark.parametrize("row", list(CHECKS))
def test_row_is_noticed_when_broken(row: str) -> None:
    """The row's check fails where the row is switched off."""
    with World(broken=row) as world, pytest.raises(AssertionError):
        CHECKS.run(row, world)


def test_every_row_has_a_check() -> None:
    """No row of the area is without a check, and no check without a row."""
    assert CHECKS.missing() == set()

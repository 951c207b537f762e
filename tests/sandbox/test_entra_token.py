"""The token endpoint: what a token holds, and how each sign-in is refused."""

import json
import re
import time
from typing import Any

import jwt
import pytest

from tests.sandbox.directory import LOGIN, Directory, claims_of, problem_of
from tests.sandbox.world import GRAPH_SCOPE, World

OTHER_ID = "5e8d1a3c-0000-4000-8000-000000000001"
DESCRIPTION = (
    r"AADSTS{code}: .+ Trace ID: [0-9a-f-]{{36}} Correlation ID: {correlation} "
    r"Timestamp: \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ"
)


def test_granted_request_has_no_more_than_the_token() -> None:
    """Neither a refresh token nor an id token comes with client credentials."""
    with World() as world:
        answer = Directory(world).sign_in()
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3599
    assert answer.headers["Cache-Control"].startswith("no-store")
    assert answer.headers["x-ms-request-id"]


def test_claims_of_an_exchange_token() -> None:
    """The claims are those of a version 1 app-only token, with real times."""
    with World() as world:
        directory = Directory(world)
        token = world.token()
        operator = world.tenant.service_principal_by_app_id(
            directory.operator.client_id
        )
    claims, header = claims_of(token), jwt.get_unverified_header(token)
    assert operator is not None
    assert header["alg"] == "RS256"
    assert header["x5t"] == header["kid"]
    tenant_id = world.tenant.tenant_id
    assert claims["aud"] == "https://outlook.office365.com"
    assert claims["iss"] == f"https://sts.windows.net/{tenant_id}/"
    assert claims["appid"] == operator["appId"]
    assert claims["oid"] == claims["sub"] == operator["id"]
    assert claims["roles"] == ["Exchange.ManageAsApp"]
    assert claims["wids"] == ["29232cdf-9323-42fd-ade2-1d097af3e4de"]
    assert (claims["appidacr"], claims["idtyp"], claims["ver"]) == ("1", "app", "1.0")
    assert claims["nbf"] <= time.time() <= claims["exp"]
    assert 3600 <= claims["exp"] - claims["iat"] <= 3900


@pytest.mark.parametrize(
    "audience",
    [
        "https://outlook.office365.com",
        "https://outlook.office.com",
        "https://graph.microsoft.com",
    ],
)
def test_audience_is_the_resource_that_was_asked_for(audience: str) -> None:
    """Both names of Exchange are one resource and two audiences."""
    with World() as world:
        token = world.token(scope=f"{audience}/.default")
    assert claims_of(token)["aud"] == audience


def test_roles_belong_to_the_resource() -> None:
    """A Graph token carries the Graph roles and no Exchange role."""
    with World() as world:
        roles = claims_of(world.token(scope=GRAPH_SCOPE))["roles"]
    assert "Application.ReadWrite.All" in roles
    assert "Exchange.ManageAsApp" not in roles
    assert roles == sorted(roles)


def test_tenant_may_be_named_by_domain() -> None:
    """The path takes a verified domain as well as the id."""
    with World() as world:
        answer = Directory(world).sign_in("contoso.onmicrosoft.com")
    assert claims_of(answer.json()["access_token"])["tid"] == world.tenant.tenant_id


REFUSALS: list[tuple[dict[str, Any], tuple[int, int], str]] = [
    ({"client_id": OTHER_ID}, (400, 700016), "unauthorized_client"),
    ({"client_secret": None}, (401, 7000218), "invalid_client"),
    ({"client_secret": "a b+c%"}, (401, 7000215), "invalid_client"),
    ({"scope": None}, (400, 900144), "invalid_request"),
    ({"client_id": None}, (400, 900144), "invalid_request"),
    ({"grant_type": None}, (400, 900144), "invalid_request"),
    ({"grant_type": "password"}, (400, 70003), "unsupported_grant_type"),
    ({"scope": "https://a.example/.default x"}, (400, 70011), "invalid_scope"),
    ({"scope": "/.default"}, (400, 70011), "invalid_scope"),
    ({"scope": "User.Read"}, (400, 1002012), "invalid_scope"),
    ({"scope": "https://a.example/.default"}, (400, 500011), "invalid_resource"),
    ({"tenant": "northwind.example"}, (400, 90002), "invalid_request"),
    ({"tenant": OTHER_ID}, (400, 90002), "invalid_request"),
    ({"tenant": "nonsense"}, (400, 900023), "invalid_request"),
    ({"tenant": "common"}, (400, 50194), "invalid_request"),
    ({"client_assertion": "x"}, (400, 900144), "invalid_request"),
]


@pytest.mark.parametrize(("form", "problem", "error"), REFUSALS)
def test_refusal(form: dict[str, Any], problem: tuple[int, int], error: str) -> None:
    """Each wrong sign-in has its status, number and OAuth error code."""
    with World() as world:
        answer = Directory(world).sign_in(**form)
    assert problem_of(answer) == problem
    assert answer.json()["error"] == error


def test_refusal_has_the_published_shape() -> None:
    """All keys are there, and the trailers agree with them."""
    correlation = "7d0f0a52-0000-4000-8000-00000000000a"
    with World() as world:
        answer = world.request(
            "POST",
            f"{LOGIN}/contoso.com/oauth2/v2.0/token",
            headers={"client-request-id": correlation},
            data={"grant_type": "client_credentials", "client_id": OTHER_ID},
        )
    body = answer.json()
    assert set(body) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }
    assert body["correlation_id"] == correlation
    pattern = DESCRIPTION.format(code=900144, correlation=correlation)
    assert re.fullmatch(pattern, body["error_description"])
    assert body["error_uri"].endswith("error?code=900144")
    assert answer.headers["x-ms-request-id"] == body["trace_id"]


def test_a_body_that_is_no_form_is_refused() -> None:
    """The endpoint takes a form and no JSON."""
    with World() as world:
        answer = world.request(
            "POST",
            f"{LOGIN}/contoso.com/oauth2/v2.0/token",
            json={"grant_type": "client_credentials"},
        )
    assert problem_of(answer) == (400, 900144)


def test_conditional_access_says_which_policy() -> None:
    """The fault plays a policy for workload identities, once."""
    with World(faults="conditional-access=1") as world:
        directory = Directory(world)
        answer = directory.sign_in()
        after = directory.sign_in()
    assert problem_of(answer) == (400, 53003)
    assert answer.json()["suberror"] == "message_only"
    claims = json.loads(answer.json()["claims"])
    assert claims["access_token"]["capolids"]["essential"] is True
    assert after.status_code == 200


def test_two_valid_secrets_both_open() -> None:
    """Rotation needs an overlap: the old secret works until it is removed."""
    with World() as world:
        directory = Directory(world)
        application = directory.new_application()
        directory.new_principal(application["appId"])
        path = f"applications/{application['id']}"
        made = [directory.send("POST", f"{path}/addPassword", {}) for _ in range(2)]
        secrets = [answer.json()["secretText"] for answer in made]
        directory.send(
            "POST", f"{path}/removePassword", {"keyId": made[0].json()["keyId"]}
        )
        answers = [
            directory.sign_in(client_id=application["appId"], client_secret=secret)
            for secret in secrets
        ]
    assert problem_of(answers[0]) == (401, 7000215)
    assert answers[1].status_code == 200


def test_a_secret_of_another_application_does_not_open() -> None:
    """A secret belongs to one application."""
    with World() as world:
        directory = Directory(world)
        application = world.application()
        answer = directory.sign_in(client_secret=application.secret)
    assert problem_of(answer) == (401, 7000215)

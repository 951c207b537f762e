"""Sign-in with a certificate: client assertions at the token endpoint."""

from typing import Any

import httpx
import jwt
import pytest

from tests.sandbox.directory import (
    ASSERTION_TYPE,
    LOGIN,
    Directory,
    KeyPair,
    claims_of,
    problem_of,
)
from tests.sandbox.world import World

PAIR = KeyPair()
OTHER = KeyPair()


def sign_in(directory: Directory, app_id: str, assertion: str) -> httpx.Response:
    """Sign in with an assertion instead of a secret."""
    return directory.sign_in(
        client_id=app_id,
        client_secret=None,
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion,
    )


def registered(world: World, pair: KeyPair = PAIR, **properties: Any) -> Any:
    """Create an application with a certificate and its service principal."""
    directory = Directory(world)
    credential = pair.credential(**properties)
    application = directory.new_application(keyCredentials=[credential])
    directory.new_principal(application["appId"])
    return application


def test_a_registered_certificate_signs_in() -> None:
    """The token says that it was a certificate."""
    with World() as world:
        app_id = registered(world)["appId"]
        assertion = PAIR.assertion(app_id, world.tenant.tenant_id)
        answer = sign_in(Directory(world), app_id, assertion)
    assert answer.status_code == 200, answer.text
    assert claims_of(answer.json()["access_token"])["appidacr"] == "2"


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS512"])
def test_rsa_algorithms_are_accepted(algorithm: str) -> None:
    """Old and new libraries sign differently; both name the key by thumbprint."""
    with World() as world:
        app_id = registered(world)["appId"]
        assertion = PAIR.assertion(app_id, world.tenant.tenant_id)
        header = {"x5t#S256": jwt.get_unverified_header(assertion)["x5t#S256"]}
        again = jwt.encode(claims_of(assertion), PAIR.private, algorithm, header)
        answer = sign_in(Directory(world), app_id, again)
    assert answer.status_code == 200, answer.text


def test_an_unknown_certificate_is_refused_with_its_thumbprint() -> None:
    """The refusal names the key that the client used."""
    with World() as world:
        app_id = registered(world)["appId"]
        assertion = OTHER.assertion(app_id, world.tenant.tenant_id)
        answer = sign_in(Directory(world), app_id, assertion)
    assert problem_of(answer) == (401, 700027)
    assert "The key was not found" in answer.json()["error_description"]


def test_an_expired_certificate_is_refused_as_such() -> None:
    """The certificate is found, and its end is named."""
    with World() as world:
        application = registered(world)
        stored = world.tenant.applications[application["id"]]
        stored["keyCredentials"][0]["endDateTime"] = "2024-01-01T00:00:00Z"
        assertion = PAIR.assertion(application["appId"], world.tenant.tenant_id)
        answer = sign_in(Directory(world), application["appId"], assertion)
    assert problem_of(answer) == (401, 700027)
    description = answer.json()["error_description"]
    assert "The key used is expired" in description
    assert "End=01/01/2024 00:00:00" in description


def test_an_unsigned_assertion_is_refused() -> None:
    """The algorithm none, and a shared key, are no signatures."""
    with World() as world:
        app_id = registered(world)["appId"]
        claims = claims_of(PAIR.assertion(app_id, world.tenant.tenant_id))
        unsigned = jwt.encode(claims, "", algorithm="none")
        shared = jwt.encode(claims, "0123456789abcdef" * 4, algorithm="HS256")
        answers = [
            sign_in(Directory(world), app_id, text) for text in (unsigned, shared)
        ]
    assert [problem_of(answer) for answer in answers] == [(401, 700027)] * 2


@pytest.mark.parametrize("claim", ["iss", "sub"])
def test_issuer_and_subject_are_the_client(claim: str) -> None:
    """An assertion about somebody else is malformed."""
    with World() as world:
        app_id = registered(world)["appId"]
        assertion = PAIR.assertion(app_id, world.tenant.tenant_id, **{claim: "x"})
        answer = sign_in(Directory(world), app_id, assertion)
    assert problem_of(answer) == (401, 50027)


def test_garbage_is_refused() -> None:
    """A text that is no JWT gets an answer, not a server error."""
    with World() as world:
        app_id = registered(world)["appId"]
        answer = sign_in(Directory(world), app_id, "no.jwt")
    assert problem_of(answer) == (401, 50027)


def test_audience_may_be_the_issuer_or_the_domain() -> None:
    """The documented token endpoint and its other names all do."""
    with World() as world:
        app_id = registered(world)["appId"]
        tenant_id = world.tenant.tenant_id
        audiences = (
            f"{LOGIN}/{tenant_id}/v2.0",
            f"{LOGIN}/contoso.com/oauth2/v2.0/token",
        )
        answers = [
            sign_in(
                Directory(world), app_id, PAIR.assertion(app_id, tenant_id, aud=name)
            )
            for name in audiences
        ]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_new_certificate_can_lag() -> None:
    """Until it is replicated, a certificate is as good as unknown."""
    with World(faults="lag@certificate=1") as world:
        app_id = registered(world)["appId"]
        tenant_id = world.tenant.tenant_id
        answers = [
            sign_in(Directory(world), app_id, PAIR.assertion(app_id, tenant_id))
            for _ in range(2)
        ]
    assert problem_of(answers[0]) == (401, 700027)
    assert answers[1].status_code == 200

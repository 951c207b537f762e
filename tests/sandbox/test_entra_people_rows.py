"""Rows of the login host about people: device code, authorization code, consent."""

import hashlib

import pytest

from runbook_lib.sandbox.keys import base64url
from tests.sandbox.directory import claims_of, problem_of
from tests.sandbox.people import GRAPH_TOOLS, READ, REDIRECT, People
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("entra", file=__file__)
DOMAINS = "https://graph.microsoft.com/Domain.Read.All"


@CHECKS.row("entra.wrong-password")
def check_wrong_password(world: World) -> None:
    """The page says so and the device goes on waiting."""
    people = People(world)
    begun = people.device(GRAPH_TOOLS)
    page = people.enter(begun, "admin", passwd="wrong")
    assert page.status_code == 400
    assert "AADSTS50126" in page.text
    assert problem_of(people.poll(begun, GRAPH_TOOLS)) == (400, 70016)


@CHECKS.row("entra.device-pending")
def check_device_pending(world: World) -> None:
    """A device that asks too early is told to go on asking."""
    people = People(world)
    begun = people.device(GRAPH_TOOLS)
    answer = people.poll(begun, GRAPH_TOOLS)
    assert problem_of(answer) == (400, 70016)
    assert answer.json()["error"] == "authorization_pending"


@CHECKS.row("entra.device-declined")
def check_device_declined(world: World) -> None:
    """A person who cancels ends it."""
    people = People(world)
    begun = people.device(GRAPH_TOOLS)
    people.enter(begun, "admin", cancel="1")
    answer = people.poll(begun, GRAPH_TOOLS)
    assert answer.json()["error"] == "authorization_declined"


@CHECKS.row("entra.consent")
def check_consent(world: World) -> None:
    """An ordinary user cannot allow what an administrator has to."""
    people = People(world)
    client_id = people.client()
    page = people.enter(people.device(client_id, DOMAINS), "user")
    assert page.status_code == 400
    assert "AADSTS65001" in page.text
    allowed = people.tokens("admin", client_id, DOMAINS)
    assert claims_of(allowed["access_token"])["scp"] == "Domain.Read.All"


@CHECKS.row("entra.redirect-uri")
def check_redirect_uri(world: World) -> None:
    """The port on loopback does not count, another host does."""
    people = People(world)
    client_id = people.client()
    assert people.authorize(client_id, "admin").status_code == 302
    page = people.authorize(client_id, "admin", redirect_uri="https://a.example/")
    assert page.status_code == 400
    assert "AADSTS50011" in page.text


@CHECKS.row("entra.code-once")
def check_code_once(world: World) -> None:
    """The second use of a code is refused."""
    people = People(world)
    client_id = people.client()
    code = people.code(client_id, "admin")
    assert people.redeem(client_id, code).status_code == 200
    again = people.redeem(client_id, code)
    assert again.status_code == 400
    assert problem_of(again) == (400, 54005)


@CHECKS.row("entra.code-verifier")
def check_code_verifier(world: World) -> None:
    """Only the client that made the challenge can use the code."""
    people = People(world)
    client_id, verifier = people.client(), "v" * 43
    challenge = base64url(hashlib.sha256(verifier.encode()).digest())
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    stolen = people.redeem(client_id, people.code(client_id, "admin", **asked))
    assert stolen.status_code == 400
    assert problem_of(stolen) == (400, 501481)
    code = people.code(client_id, "admin", **asked)
    assert people.redeem(client_id, code, code_verifier=verifier).status_code == 200


@CHECKS.row("entra.public-client")
def check_public_client(world: World) -> None:
    """A web application has to prove who it is, a public client cannot."""
    people = People(world)
    web = people.client(
        isFallbackPublicClient=False,
        publicClient={"redirectUris": []},
        web={"redirectUris": [REDIRECT]},
    )
    answer = people.redeem(web, people.code(web, "admin"))
    assert answer.status_code == 401
    assert problem_of(answer) == (401, 7000218)


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_tokens_of_a_person_say_who_it_is() -> None:
    """Access token, ID token, client_info and refresh token have their claims."""
    with World() as world:
        people = People(world)
        begun = people.device(GRAPH_TOOLS, READ)
        people.enter(begun, "admin")
        body = people.poll(begun, GRAPH_TOOLS, client_info="1").json()
        claims = claims_of(body["access_token"])
        assert claims["scp"] == "User.Read"
        assert claims["upn"] == people.login("admin")
        assert "62e90394-69f5-4237-9190-012177145e10" in claims["wids"]
        assert "roles" not in claims
        identity = claims_of(body["id_token"])
        assert identity["aud"] == GRAPH_TOOLS
        assert identity["oid"] == claims["oid"]
        assert body["client_info"]
        assert body["scope"] == "https://graph.microsoft.com/User.Read"


def test_a_refresh_token_gives_a_new_token() -> None:
    """It can be used again, also for other scopes, and never by another client."""
    with World() as world:
        people = People(world)
        refresh = people.tokens("admin", GRAPH_TOOLS)["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        url = f"{people.base}/token"
        for _ in range(2):
            assert people.post(url, client_id=GRAPH_TOOLS, **form).status_code == 200
        other = people.post(url, client_id=people.client(), **form)
        assert other.status_code == 400
        wrong = people.post(url, client_id=GRAPH_TOOLS, **form | {"refresh_token": "x"})
        assert problem_of(wrong) == (400, 9002313)


@pytest.mark.parametrize("tenant", ["organizations", "common"])
def test_a_device_may_leave_the_tenant_open(tenant: str) -> None:
    """The person's domain decides."""
    with World() as world:
        people = People(world)
        people.base = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
        body = people.tokens("reader", GRAPH_TOOLS)
        assert claims_of(body["access_token"])["tid"] == world.tenant.tenant_id


def test_a_person_of_another_tenant_is_refused() -> None:
    """A code that names a tenant takes people of that tenant only."""
    with World(tenants=2) as world:
        people = People(world)
        other = world.other_tenant()
        password = world.plans[other.tenant_id].people["admin"]
        begun = people.device(GRAPH_TOOLS)
        login = f"admin@{other.initial_domain}"
        page = people.enter(begun, "admin", login=login, passwd=password)
        assert "AADSTS50020" in page.text


@pytest.mark.parametrize(
    ("login", "code"),
    [("nobody@contoso.onmicrosoft.com", 50034), ("a@northwind.example", 50034)],
)
def test_a_stranger_is_refused(login: str, code: int) -> None:
    """A name that no tenant knows."""
    with World() as world:
        people = People(world)
        page = people.enter(people.device(GRAPH_TOOLS), "admin", login=login)
        assert f"AADSTS{code}" in page.text


def test_no_secret_of_a_person_is_logged() -> None:
    """Password, codes and tokens are masked."""
    with World() as world:
        people = People(world)
        client_id = people.client()
        code = people.code(client_id, "admin")
        body = people.redeem(client_id, code).json()
        text = world.log_file.getvalue()
        secrets = [people.passwords["admin"], code, body["refresh_token"]]
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("shared", [False, True])
def test_a_person_may_decline(shared: bool) -> None:
    """The client learns it, but only at an address that is known to be its own."""
    with World() as world:
        people = People(world)
        client_id = people.client()
        query = (
            f"client_id={client_id}&response_type=code&scope=User.Read&state=s1"
            "&redirect_uri=http://localhost:8400"
        )
        base = people.base.replace(world.tenant.tenant_id, "organizations")
        url = f"{base if shared else people.base}/authorize?{query}"
        answer = people.post(url, cancel="1")
        assert answer.status_code == (200 if shared else 302)
        if not shared:
            assert "error=access_denied" in answer.headers["Location"]
            assert "state=s1" in answer.headers["Location"]


def test_a_client_is_judged_in_the_persons_tenant() -> None:
    """Where the path names no tenant, an unknown client is refused after sign-in."""
    with World() as world:
        people = People(world)
        client_id = people.client()
        people.base = "https://login.microsoftonline.com/organizations/oauth2/v2.0"
        assert people.authorize(client_id, "admin").status_code == 302
        stranger = "5e8d1a3c-0000-4000-8000-000000000001"
        page = people.authorize(stranger, "admin")
        assert page.status_code == 400
        assert "AADSTS700016" in page.text
        elsewhere = people.authorize(
            client_id, "admin", redirect_uri="https://a.example"
        )
        assert "AADSTS50011" in elsewhere.text

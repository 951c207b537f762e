"""Who is refused: every route of Graph, Entra ID and Key Vault, every wrong caller.

The routes come from the tables that the sandbox itself serves by. What a refusal
leaves behind is compared as bytes of the configuration dump.
"""

from collections.abc import Iterator

import pytest

from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.entra import ROUTES as ENTRA_ROUTES
from runbook_lib.sandbox.graph import ROUTES as GRAPH_ROUTES
from runbook_lib.sandbox.vault import ROUTES as VAULT_ROUTES
from tests.sandbox.authorization import Entry, Matrix, expired, graph_token_of
from tests.sandbox.directory import GRAPH, problem_of
from tests.sandbox.people import GRAPH_TOOLS
from tests.sandbox.vaults import VAULT_SCOPE, Vault
from tests.sandbox.world import GRAPH_SCOPE, World

GRAPH_KEYS = [(route.method, route.template) for route in GRAPH_ROUTES]
VAULT_KEYS = [(route.method, route.template) for route in VAULT_ROUTES]
EVENTUAL = {"ConsistencyLevel": "eventual"}
UNAUTHENTICATED = ("no token", "wrong audience", "expired")
FORBIDDEN = ("missing role", "missing scope")
# What every member of a tenant may read, or do with what is their own.
MEMBERS_MAY = {
    ("POST", "applications"),
    *((m, t) for m, t in GRAPH_KEYS if m == "GET" and t.startswith("applications")),
    *((m, t) for m, t in GRAPH_KEYS if m == "GET" and t.startswith("servicePrinc")),
    *((m, t) for m, t in GRAPH_KEYS if t.startswith(("me", "users", "organization"))),
    *((m, t) for m, t in GRAPH_KEYS if m == "GET" and t.startswith("oauth2")),
    *((m, t) for m, t in GRAPH_KEYS if m == "GET" and t.startswith("directory/")),
} - {("GET", "applications/{application}/appManagementPolicies")}
# Built-in roles are the same in every tenant.
SHARED = {("GET", "roleManagement/directory/roleDefinitions/{definition}")}


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """One world of two tenants for all refusals: none of them may change it."""
    with World(tenants=2) as world:
        made = Matrix(world)
        vault = Vault(world)
        vault.put("kept", "one")
        vault.put("gone", "one")
        vault.send("DELETE", "secrets/gone")
        for case in (*UNAUTHENTICATED, *FORBIDDEN, "missing directory role"):
            graph_token_of(made, case)
        yield made


def send(matrix: Matrix, method: str, entry: Entry, token: str | None) -> int:
    """Send an entry to Graph and return the status."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{GRAPH}/{entry.path}"
    options = {"headers": headers | EVENTUAL, "json": entry.body}
    return matrix.world.request(method, url, **options).status_code


def state(matrix: Matrix) -> bytes:
    """Return the dump of the first tenant."""
    return dump(matrix.world.sandbox, matrix.world.tenant)


def test_every_route_has_its_entry(matrix: Matrix) -> None:
    """A new route has to be added to the matrix."""
    assert set(matrix.graph_entries()) == set(GRAPH_KEYS)
    assert set(matrix.vault_entries()) == set(VAULT_KEYS)
    assert {pattern.pattern for _, pattern, _ in ENTRA_ROUTES} == set(ENTRA)


@pytest.mark.parametrize("case", [*UNAUTHENTICATED, *FORBIDDEN])
@pytest.mark.parametrize("key", GRAPH_KEYS, ids=" ".join)
def test_graph_refuses(matrix: Matrix, key: tuple[str, str], case: str) -> None:
    """401 for a token that is none, 403 for one without the right; no effect."""
    entry, token = matrix.graph_entries()[key], graph_token_of(matrix, case)
    before = state(matrix)
    status = send(matrix, key[0], entry, token)
    assert status == (401 if case in UNAUTHENTICATED else 403)
    assert state(matrix) == before


@pytest.mark.parametrize("key", GRAPH_KEYS, ids=" ".join)
def test_graph_asks_people_for_a_role(matrix: Matrix, key: tuple[str, str]) -> None:
    """A person without directory role does what every member may, and no more."""
    entry, token = (
        matrix.graph_entries()[key],
        graph_token_of(matrix, "missing directory role"),
    )
    before = state(matrix)
    status = send(matrix, key[0], entry, token)
    if key in MEMBERS_MAY:
        assert status == entry.status
    else:
        assert status == 403
        assert state(matrix) == before


@pytest.mark.parametrize("key", GRAPH_KEYS, ids=" ".join)
def test_graph_keeps_tenants_apart(matrix: Matrix, key: tuple[str, str]) -> None:
    """Another tenant's operator finds nothing of this one, and changes nothing."""
    entry = matrix.graph_entries()[key]
    token = matrix.other_tenants_operator(GRAPH_SCOPE)
    before = state(matrix)
    status = send(matrix, key[0], entry, token)
    addressed = "{" in key[1] and key not in SHARED
    # Nor is an application of the other tenant one of this: no backing application.
    foreign = key == ("POST", "servicePrincipals")
    mine = key[1].startswith(("me", "users"))
    assert status == (
        403 if mine else 404 if addressed else 400 if foreign else entry.status
    )
    assert state(matrix) == before


@pytest.mark.parametrize("key", GRAPH_KEYS, ids=" ".join)
def test_graph_answers_the_entitled(key: tuple[str, str]) -> None:
    """The same requests succeed with the rights, so that the matrix means something."""
    with World() as world:
        matrix = Matrix(world)
        people = key[1].startswith(("me", "users"))
        token = (
            graph_token_of(matrix, "missing directory role")
            if people
            else world.token(scope=GRAPH_SCOPE)
        )
        entry, before = matrix.graph_entries()[key], state(matrix)
        assert send(matrix, key[0], entry, token) == entry.status
        purge = key == ("DELETE", "directory/deletedItems/{item}")
        assert (state(matrix) != before) == (key[0] != "GET" and not purge)


VAULT_CASES = {
    "no token": 401,
    "wrong audience": 401,
    "expired": 401,
    "other tenant": 401,
    "missing role": 403,
    "missing scope": 403,
}


def vault_token(matrix: Matrix, case: str) -> str | None:
    """Return the token of a case against a vault, the same each time."""
    name = f"vault: {case}"
    if name not in matrix.tokens:
        matrix.tokens[name] = new_vault_token(matrix, case)
    return matrix.tokens[name]


def new_vault_token(matrix: Matrix, case: str) -> str | None:
    """Return a new token of a case against a vault."""
    world = matrix.world
    if case == "no token":
        return None
    if case == "wrong audience":
        return world.token(scope=GRAPH_SCOPE)
    if case == "expired":
        return expired(world.token(scope=VAULT_SCOPE))
    if case == "other tenant":
        return matrix.other_tenants_operator(VAULT_SCOPE)
    if case == "missing role":
        return world.token(matrix.stranger, VAULT_SCOPE)
    assert case == "missing scope", case
    scope = "https://vault.azure.net/user_impersonation"
    return str(
        matrix.people.tokens("admin", matrix.people.client(), scope)["access_token"]
    )


@pytest.mark.parametrize("case", VAULT_CASES)
@pytest.mark.parametrize("key", VAULT_KEYS, ids=" ".join)
def test_a_vault_refuses(matrix: Matrix, key: tuple[str, str], case: str) -> None:
    """A directory role opens no vault: not even a Global Administrator's."""
    entry, token = matrix.vault_entries()[key], vault_token(matrix, case)
    before = state(matrix)
    answer = Vault(matrix.world).send(key[0], entry.path, entry.body, token=token)
    assert answer.status_code == VAULT_CASES[case]
    assert state(matrix) == before


@pytest.mark.parametrize("key", VAULT_KEYS, ids=" ".join)
def test_a_vault_answers_the_entitled(key: tuple[str, str]) -> None:
    """The same requests succeed for an officer."""
    with World(tenants=2) as world:
        vault, matrix = Vault(world), Matrix(world)
        vault.put("kept", "one")
        vault.put("gone", "one")
        vault.send("DELETE", "secrets/gone")
        entry, before = matrix.vault_entries()[key], state(matrix)
        answer = vault.send(key[0], entry.path, entry.body)
        assert answer.status_code == entry.status
        assert (state(matrix) != before) == (key[0] != "GET")


# Route of the login host -> who may ask. `public`: everybody may, and learns
# nothing of a tenant. `client`: a client proves who it is. `person`: a password.
ENTRA = {
    r"/([^/]+)/v2\.0/\.well-known/openid-configuration": "public",
    r"/([^/]+)/discovery/v2\.0/keys": "public",
    r"/(common)/discovery/instance": "public",
    r"/([^/]+)/oauth2/v2\.0/token": "client",
    r"/([^/]+)/oauth2/v2\.0/devicecode": "public",
    r"/([^/]+)/oauth2/v2\.0/authorize": "person",
    r"/(device)": "person",
}


@pytest.mark.parametrize(
    ("case", "form", "refusal"),
    [
        ("no token", {"client_secret": None}, (401, 7000218)),
        ("wrong audience", {"scope": "https://a.example/.default"}, (400, 500011)),
        ("wrong secret", {"client_secret": "wrong~secret"}, (401, 7000215)),
        ("missing scope", {"scope": None}, (400, 900144)),
        ("no client", {"client_id": None}, (400, 900144)),
    ],
)
def test_the_token_endpoint_refuses(
    matrix: Matrix, case: str, form: dict[str, str | None], refusal: tuple[int, int]
) -> None:
    """No token, and nothing is changed."""
    before = state(matrix)
    answer = matrix.directory.sign_in(**form)
    assert problem_of(answer) == refusal, case
    assert "access_token" not in answer.json()
    assert state(matrix) == before


def test_the_token_endpoint_keeps_tenants_apart(matrix: Matrix) -> None:
    """A client of one tenant is unknown in the other."""
    answer = matrix.directory.sign_in(matrix.world.other_tenant().tenant_id)
    assert problem_of(answer) == (400, 700016)


def test_a_client_without_role_gets_an_empty_token(matrix: Matrix) -> None:
    """Entra issues it; the services refuse it."""
    stranger = matrix.stranger
    form = {"client_id": stranger.app_id, "client_secret": stranger.secret}
    answer = matrix.directory.sign_in(scope=GRAPH_SCOPE, **form)
    assert answer.status_code == 200


@pytest.mark.parametrize("form", [{"passwd": "wrong"}, {"login": "x@contoso.com"}])
def test_the_pages_refuse(matrix: Matrix, form: dict[str, str]) -> None:
    """Without the password there is no code and no consent."""
    people, before = matrix.people, state(matrix)
    begun = people.device(GRAPH_TOOLS)
    assert people.enter(begun, "admin", **form).status_code == 400
    assert people.poll(begun, GRAPH_TOOLS).json()["error"] == "authorization_pending"
    fields = {"login": people.login("admin"), "passwd": "", **form}
    query = (
        f"client_id={GRAPH_TOOLS}&response_type=code&scope=User.Read"
        "&redirect_uri=http://localhost"
    )
    page = people.post(f"{people.base}/authorize?{query}", **fields)
    assert page.status_code == 400
    assert "Location" not in page.headers
    assert state(matrix) == before

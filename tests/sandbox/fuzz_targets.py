"""What is fuzzed: Microsoft Graph, the login host and the vaults of one world."""

import base64
import json
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from hypothesis import strategies as st

from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.graph import ROUTES as GRAPH_ROUTES
from runbook_lib.sandbox.graph_types import properties_of
from runbook_lib.sandbox.vault import ROUTES as VAULT_ROUTES
from tests.sandbox.authorization import Matrix
from tests.sandbox.directory import ASSERTION_TYPE
from tests.sandbox.fuzzing import JSON, answered, request_of, texts
from tests.sandbox.vaults import VAULT_SCOPE
from tests.sandbox.world import GRAPH_SCOPE, OUTLOOK_SCOPE, World

METHODS = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"])
MEDIA_TYPES = texts(
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/x-www-form-urlencoded",
).filter(lambda text: text.isascii() and text.isprintable())
FILTERS = (
    "displayName eq 'x'",
    "startswith(displayName,'S')",
    "appId in ('a','b')",
    "tags/any(t:t eq 'x')",
    "id eq null",
    "keyCredentials/any(k:k/keyId eq 5e8d1a3c-0000-4000-8000-000000000001)",
    "displayName eq 'x' and (accountEnabled eq true or not x)",
    "'",
)

OPTIONS = ("$filter", "$select", "$expand", "$top", "$skiptoken", "$count")

Shot = dict[str, Any]


def _base64(content: bytes) -> str:
    """Return bytes as HTTP Basic sends them."""
    return base64.b64encode(content).decode()


class GraphTarget:
    """Graph: routes with real and invented keys, options and bodies."""

    def __init__(self, world: World) -> None:
        """Collect ids that exist; know which tokens have no rights."""
        self.world = world
        matrix = Matrix(world)
        tenant = world.tenant
        self.keys = (
            *list(tenant.applications)[:3],
            *list(tenant.service_principals)[:3],
            *list(tenant.app_role_assignments)[:2],
            tenant.tenant_id,
            tenant.domain,
            "appId='00000003-0000-0000-c000-000000000000'",
            "",
        )
        operator = world.token(scope=GRAPH_SCOPE)
        self.powerless = [
            "",
            "x.y.z",
            world.token(),
            world.token(matrix.stranger, GRAPH_SCOPE),
            operator[:-4] + "AAAA",
        ]
        self.tokens = [operator, operator, *self.powerless]

    def shots(self) -> st.SearchStrategy[Shot]:
        """Return requests to Graph."""
        templates = sorted({route.template for route in GRAPH_ROUTES} | {"$batch"})
        names = sorted(
            {*properties_of("application"), *properties_of("servicePrincipal")}
        )
        body = st.dictionaries(
            texts(*names, "keyId", "passwordCredential", "requests"), JSON, max_size=4
        )
        return st.fixed_dictionaries(
            {
                "method": METHODS,
                "template": texts(*templates),
                "prefix": texts("/v1.0/", "/v1.0//", "/v1.0/myorganization/", "/beta/"),
                "keys": st.lists(texts(*self.keys), min_size=4, max_size=4),
                "query": st.dictionaries(
                    texts(
                        "$filter", "$select", "$expand", "$top", "$skiptoken", "$count"
                    ),
                    texts(*FILTERS, "id", "owners", "1", "true", "cGFnZTo1"),
                    max_size=3,
                ),
                "token": st.sampled_from(self.tokens),
                "eventual": st.booleans(),
                "type": MEDIA_TYPES,
                "body": st.one_of(body, JSON).map(json.dumps) | st.text(max_size=30),
            }
        )

    def send(self, shot: Shot) -> None:
        """Send one request; one without rights must leave no trace."""
        path, keys = shot["template"], list(shot["keys"])
        while "{" in path and keys:
            head, _, tail = path.partition("{")
            path = head + keys.pop() + tail.partition("}")[2]
        headers = {"Content-Type": shot["type"]}
        if shot["token"]:
            headers["Authorization"] = f"Bearer {shot['token']}"
        if shot["eventual"]:
            headers["ConsistencyLevel"] = "eventual"
        query = urlencode(shot["query"], errors="replace")
        body = shot["body"].encode(errors="replace")
        request = request_of(
            shot["method"],
            "graph.microsoft.com",
            shot["prefix"] + path,
            query,
            headers,
            body,
        )
        answer = self._judged(request, powerless=shot["token"] in self.powerless)
        if shot["method"] != "HEAD" and answer.status_code >= 400:
            assert set(answer.json()["error"]) >= {"code", "message", "innerError"}

    def _judged(self, request: httpx.Request, *, powerless: bool) -> httpx.Response:
        """Send a request and compare what it left behind."""
        before = self._state() if powerless else b""
        answer = answered(self.world, request)
        if powerless:
            assert answer.status_code >= 400
            assert self._state() == before
        return answer

    def _state(self) -> bytes:
        return dump(self.world.sandbox, self.world.tenant)


class LoginTarget:
    """The login host: token endpoint, device code, pages, metadata."""

    def __init__(self, world: World) -> None:
        """Know the one secret that opens something."""
        self.world = world
        plan = world.plans[world.tenant.tenant_id]
        self.operator = plan.operator
        self.login = f"admin@{world.tenant.initial_domain}"
        self.password = plan.people["admin"]

    def shots(self) -> st.SearchStrategy[Shot]:
        """Return requests to the login host."""
        tenant = self.world.tenant
        values = texts(
            "client_credentials",
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            ASSERTION_TYPE,
            self.operator.client_id,
            self.operator.client_secret,
            GRAPH_SCOPE,
            OUTLOOK_SCOPE,
            "https://graph.microsoft.com//.default",
            "00000003-0000-0000-c000-000000000000/.default",
            "eyJhbGciOiJub25lIn0.e30.",
            "eyJhbGciOiJSUzI1NiIsIng1dCI6IngifQ.e30.AAAA",
            "http://localhost",
            "code",
            self.login,
            self.password,
        )
        names = texts(
            "grant_type",
            "client_id",
            "client_secret",
            "scope",
            "client_assertion",
            "client_assertion_type",
            "code",
            "device_code",
            "refresh_token",
            "redirect_uri",
            "response_type",
            "user_code",
            "login",
            "passwd",
            "cancel",
        )
        likely = {
            "grant_type": "client_credentials",
            "client_id": self.operator.client_id,
            "scope": GRAPH_SCOPE,
        }
        fields = st.dictionaries(names, values, max_size=7)
        form = st.one_of(fields, fields.map(lambda drawn: likely | drawn))
        return st.fixed_dictionaries(
            {
                "method": METHODS,
                "tenant": texts(tenant.tenant_id, tenant.domain, "common", "x.example"),
                "path": texts(
                    "/oauth2/v2.0/token",
                    "/oauth2/v2.0/token",
                    "/oauth2/v2.0/devicecode",
                    "/oauth2/v2.0/authorize",
                    "/v2.0/.well-known/openid-configuration",
                    "/discovery/v2.0/keys",
                    "/discovery/instance",
                ),
                "device": st.booleans(),
                "form": form,
                "query": form,
                "type": st.one_of(
                    st.just("application/x-www-form-urlencoded"),
                    st.just("application/x-www-form-urlencoded; charset=UTF-8"),
                    MEDIA_TYPES,
                ),
                "raw": st.none() | st.binary(max_size=40),
                "basic": st.none() | st.binary(max_size=30).map(_base64) | st.just("x"),
            }
        )

    def send(self, shot: Shot) -> None:
        """Send one request; a token comes only to who sent a secret."""
        path = "/device" if shot["device"] else f"/{shot['tenant']}{shot['path']}"
        body = shot["raw"] or urlencode(shot["form"], errors="replace").encode()
        headers = {"Content-Type": shot["type"]}
        if shot["basic"] is not None:
            headers["Authorization"] = f"Basic {shot['basic']}"
        query = urlencode(shot["query"], errors="replace")
        request = request_of(
            shot["method"], "login.microsoftonline.com", path, query, headers, body
        )
        before = dump(self.world.sandbox, self.world.tenant)
        answer = answered(self.world, request)
        entitled = any(
            quote_plus(secret).encode() in body
            for secret in (self.operator.client_secret, self.password)
        )
        if not entitled:
            assert b"access_token" not in answer.content
            assert "code=" not in answer.headers.get("Location", "")
            assert dump(self.world.sandbox, self.world.tenant) == before


class VaultTarget(GraphTarget):
    """The vaults: names, versions, bodies."""

    def __init__(self, world: World) -> None:
        """Hold one secret; the officer's token among those without rights."""
        super().__init__(world)
        officer = world.token(scope=VAULT_SCOPE)
        stranger = world.token(Matrix(world).stranger, VAULT_SCOPE)
        self.powerless = ["", "x.y.z", world.token(), stranger]
        self.tokens = [officer, officer, officer, *self.powerless]

    def shots(self) -> st.SearchStrategy[Shot]:
        """Return requests to the vault."""
        templates = sorted({route.template for route in VAULT_ROUTES})
        body = st.dictionaries(
            texts("value", "tags", "attributes", "contentType"),
            st.one_of(
                st.just("x"),
                st.dictionaries(texts("enabled", "exp", "nbf", "a"), JSON, max_size=2),
                JSON,
            ),
            max_size=3,
        )
        return st.fixed_dictionaries(
            {
                "method": METHODS,
                "template": texts(*templates),
                "names": st.lists(texts("sap", "a", "B-1"), min_size=2, max_size=2),
                "query": st.dictionaries(
                    texts("api-version", "maxresults", "$skiptoken"),
                    texts("7.5", "1", "25", "0"),
                    max_size=3,
                ),
                "token": st.sampled_from(self.tokens),
                "type": MEDIA_TYPES,
                "body": st.one_of(body, JSON).map(json.dumps) | st.text(max_size=30),
            }
        )

    def send(self, shot: Shot) -> None:
        """Send one request; one without rights must leave no trace."""
        path, names = shot["template"], list(shot["names"])
        while "{}" in path and names:
            path = path.replace("{}", names.pop(), 1)
        headers = {"Content-Type": shot["type"]}
        if shot["token"]:
            headers["Authorization"] = f"Bearer {shot['token']}"
        query = urlencode({"api-version": "7.5"} | shot["query"], errors="replace")
        request = request_of(
            shot["method"],
            "kv-contoso.vault.azure.net",
            f"/{path.lstrip('/')}",
            query,
            headers,
            shot["body"].encode(errors="replace"),
        )
        self._judged(request, powerless=shot["token"] in self.powerless)

"""What is fuzzed: Microsoft Graph and the vaults of one world."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
from hypothesis import strategies as st

from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.graph import ROUTES as GRAPH_ROUTES
from runbook_lib.sandbox.graph_types import properties_of
from runbook_lib.sandbox.vault import ROUTES as VAULT_ROUTES
from tests.sandbox.authorization import Matrix
from tests.sandbox.fuzzing import (
    JSON,
    MEDIA_TYPES,
    METHODS,
    answered,
    request_of,
    texts,
)
from tests.sandbox.vaults import VAULT_SCOPE
from tests.sandbox.world import GRAPH_SCOPE, World

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

# Bodies that would have an effect, if the caller had the right.
WHOLE = st.sampled_from(({"displayName": "x"}, {"notes": "x"}, {}))

Shot = dict[str, Any]


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
                "body": st.one_of(body, JSON, WHOLE).map(json.dumps)
                | st.text(max_size=30),
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

"""The login host under fuzzing: tokens come only to who sent a secret."""

import base64
from typing import Any
from urllib.parse import quote_plus, urlencode

from hypothesis import strategies as st

from runbook_lib.sandbox.dump import dump
from tests.sandbox.directory import ASSERTION_TYPE
from tests.sandbox.fuzzing import MEDIA_TYPES, METHODS, answered, request_of, texts
from tests.sandbox.world import GRAPH_SCOPE, OUTLOOK_SCOPE, World

FIELDS = (
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
VALUES = (
    "client_credentials",
    "authorization_code",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    ASSERTION_TYPE,
    GRAPH_SCOPE,
    OUTLOOK_SCOPE,
    "https://graph.microsoft.com//.default",
    "00000003-0000-0000-c000-000000000000/.default",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyJhbGciOiJSUzI1NiIsIng1dCI6IngifQ.e30.AAAA",
    "http://localhost",
    "code",
)
PATHS = (
    "/oauth2/v2.0/token",
    "/oauth2/v2.0/token",
    "/oauth2/v2.0/devicecode",
    "/oauth2/v2.0/authorize",
    "/v2.0/.well-known/openid-configuration",
    "/discovery/v2.0/keys",
    "/discovery/instance",
)

Shot = dict[str, Any]


def _base64(content: bytes) -> str:
    """Return bytes as HTTP Basic sends them."""
    return base64.b64encode(content).decode()


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
        likely = {
            "grant_type": "client_credentials",
            "client_id": self.operator.client_id,
            "scope": GRAPH_SCOPE,
        }
        fields = st.dictionaries(texts(*FIELDS), texts(*self._values()), max_size=7)
        form = st.one_of(fields, fields.map(lambda drawn: likely | drawn))
        plain = "application/x-www-form-urlencoded"
        return st.fixed_dictionaries(
            {
                "method": METHODS,
                "tenant": texts(tenant.tenant_id, tenant.domain, "common", "x.example"),
                "path": texts(*PATHS),
                "device": st.booleans(),
                "form": form,
                "query": form,
                "type": st.sampled_from([plain, f"{plain}; charset=UTF-8"])
                | MEDIA_TYPES,
                "raw": st.none() | st.binary(max_size=40),
                "basic": st.none() | st.binary(max_size=30).map(_base64) | st.just("x"),
            }
        )

    def _values(self) -> list[str]:
        """Return what a field may hold: also the secrets that open something."""
        operator = self.operator
        own = [operator.client_id, operator.client_secret, self.login, self.password]
        return [*VALUES, *own]

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

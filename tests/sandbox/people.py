"""People who sign in to a `World`, by plain requests as a browser sends them."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from runbook_lib.sandbox.public_clients import PUBLIC_CLIENTS
from runbook_lib.sandbox.state import JsonObject
from tests.sandbox.directory import LOGIN, Directory
from tests.sandbox.world import World

GRAPH_TOOLS = next(c.app_id for c in PUBLIC_CLIENTS.values() if "Graph" in c.name)
AZURE_CLI = next(c.app_id for c in PUBLIC_CLIENTS.values() if "CLI" in c.name)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
READ = "https://graph.microsoft.com/User.Read openid offline_access"
REDIRECT = "http://localhost:8400"


class People:
    """The people of a world's first tenant."""

    def __init__(self, world: World) -> None:
        """Know names and passwords as the ready file gives them."""
        self.world = world
        self.directory = Directory(world)
        self.tenant = world.tenant
        self.base = f"{LOGIN}/{world.tenant.tenant_id}/oauth2/v2.0"
        self.passwords = world.plans[world.tenant.tenant_id].people

    def login(self, local: str) -> str:
        """Return the user principal name of a person."""
        return f"{local}@{self.tenant.initial_domain}"

    def client(self, **properties: Any) -> str:
        """Register a public client with service principal; return its client id."""
        wanted = {
            "isFallbackPublicClient": True,
            "publicClient": {"redirectUris": ["http://localhost"]},
        }
        made = self.directory.new_application("runbook-people", **(wanted | properties))
        self.directory.new_principal(made["appId"])
        return str(made["appId"])

    def post(self, url: str, **form: Any) -> httpx.Response:
        """Send a form; a field that is null is left out."""
        sent = {name: text for name, text in form.items() if text is not None}
        return self.world.request("POST", url, data=sent)

    def device(self, client_id: str, scope: str = READ) -> JsonObject:
        """Begin a device sign-in."""
        answer = self.post(f"{self.base}/devicecode", client_id=client_id, scope=scope)
        assert answer.status_code == 200, answer.text
        begun: JsonObject = answer.json()
        return begun

    def enter(self, begun: JsonObject, local: str, **form: Any) -> httpx.Response:
        """Enter a user code as this person."""
        fields = {
            "user_code": begun["user_code"],
            "login": self.login(local),
            "passwd": self.passwords.get(local),
        }
        return self.post(begun["verification_uri"], **(fields | form))

    def poll(self, begun: JsonObject, client_id: str, **form: Any) -> httpx.Response:
        """Ask for the tokens of a device sign-in."""
        fields = {
            "grant_type": DEVICE_GRANT,
            "client_id": client_id,
            "device_code": begun["device_code"],
        }
        return self.post(f"{self.base}/token", **(fields | form))

    def tokens(self, local: str, client_id: str, scope: str = READ) -> JsonObject:
        """Sign a person in on a device; return the body of the token reply."""
        begun = self.device(client_id, scope)
        page = self.enter(begun, local)
        assert page.status_code == 200, page.text
        answer = self.poll(begun, client_id)
        assert answer.status_code == 200, answer.text
        body: JsonObject = answer.json()
        return body

    def graph_token(self, local: str, *scopes: str) -> str:
        """Return a token for Graph with these scopes, granted by an administrator."""
        client_id = self.client()
        self.grant(client_id, *scopes)
        names = " ".join(f"https://graph.microsoft.com/{scope}" for scope in scopes)
        return str(self.tokens(local, client_id, names)["access_token"])

    def grant(self, client_id: str, *scopes: str) -> None:
        """Grant delegated permissions for everybody."""
        tenant = self.tenant
        client = tenant.service_principal_by_app_id(client_id)
        graph = tenant.service_principal_by_app_id(
            "00000003-0000-0000-c000-000000000000"
        )
        assert client is not None
        assert graph is not None
        entry = {
            "id": tenant.ids.letters(43),
            "clientId": client["id"],
            "consentType": "AllPrincipals",
            "principalId": None,
            "resourceId": graph["id"],
            "scope": " ".join(scopes),
        }
        tenant.oauth2_permission_grants[entry["id"]] = entry

    def authorize(self, client_id: str, local: str, **query: Any) -> httpx.Response:
        """Fill the sign-in form of the authorization code flow."""
        asked = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": READ,
            "state": "s1",
        }
        url = f"{self.base}/authorize?{urlencode(asked | query)}"
        page = self.world.request("GET", url)
        if page.status_code != 200:
            return page
        return self.post(url, login=self.login(local), passwd=self.passwords[local])

    def code(self, client_id: str, local: str, **query: Any) -> str:
        """Return an authorization code for a person."""
        answer = self.authorize(client_id, local, **query)
        assert answer.status_code == 302, answer.text
        sent_back = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert sent_back["state"] == ["s1"]
        return sent_back["code"][0]

    def redeem(self, client_id: str, code: str, **form: Any) -> httpx.Response:
        """Exchange an authorization code for tokens."""
        fields = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "redirect_uri": REDIRECT,
        }
        return self.post(f"{self.base}/token", **(fields | form))

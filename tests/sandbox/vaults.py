"""Plain requests to the vault of a `World`'s first tenant."""

from typing import Any

import httpx

from runbook_lib.sandbox.seed_objects import SECRET_END, add_application, add_secret
from tests.sandbox.world import Application, World

VAULT_SCOPE = "https://vault.azure.net/.default"


class Vault:
    """A vault as its officer sees it; `token` replaces the officer's."""

    def __init__(self, world: World) -> None:
        """Speak to the vault of the first tenant."""
        self.world = world
        self.url = f"https://kv-{world.tenant.name}.vault.azure.net"
        self.officer = world.token(scope=VAULT_SCOPE)

    def send(
        self, method: str, path: str, body: Any = None, **options: Any
    ) -> httpx.Response:
        """Send a request; options: token (null for none), version (null for none)."""
        token = options.get("token", self.officer)
        version = options.get("version", "7.5")
        return self.world.request(
            method,
            f"{self.url}/{path}",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            params={"api-version": version} if version else {},
            json=body,
        )

    def put(self, name: str, value: str, **properties: Any) -> Any:
        """Set a secret, which has to succeed."""
        answer = self.send("PUT", f"secrets/{name}", {"value": value, **properties})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def outsider_token(self, role: str | None = None) -> str:
        """Return a token for the vault of an application with this Azure role."""
        tenant = self.world.tenant
        application, principal = add_application(tenant, "outsider")
        secret = add_secret(tenant, application, "test", SECRET_END)
        if role:
            tenant.vault.roles[principal["id"]] = role
        client = Application(application["appId"], principal["id"], secret)
        return self.world.token(client, VAULT_SCOPE)


def refusal_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Return status, code and inner code of a refused request."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("innererror", {}).get("code")

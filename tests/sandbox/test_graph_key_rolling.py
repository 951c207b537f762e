"""addKey and removeKey: rows, and an application that rolls its own certificate."""

import time
from typing import Any

import httpx
import pytest

from runbook_lib.sandbox.state import JsonObject
from tests.sandbox.directory import GRAPH, Directory, KeyPair
from tests.sandbox.rows import Checks
from tests.sandbox.world import GRAPH_SCOPE, Application, World

CHECKS = Checks("graph", file=__file__)


class Rolling:
    """An application with one certificate and a secret, and no permission at all."""

    def __init__(self, world: World) -> None:
        """Register it."""
        self.world, self.directory = world, Directory(world)
        client = world.application()
        self.client: Application = client
        self.first = KeyPair()
        self.id = str(
            self.directory.read(f"applications(appId='{client.app_id}')")["id"]
        )
        body = {"keyCredentials": [self.first.credential()]}
        self.directory.send("PATCH", f"applications/{self.id}", body)

    def send(self, action: str, body: Any) -> httpx.Response:
        """Send addKey or removeKey as the application itself."""
        token = self.world.token(self.client, GRAPH_SCOPE)
        return self.world.request(
            "POST",
            f"{GRAPH}/applications/{self.id}/{action}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
        )

    def add(self, pair: KeyPair, proof: str | None) -> httpx.Response:
        """Add a certificate with this proof."""
        body: JsonObject = {
            "keyCredential": pair.credential(),
            "passwordCredential": None,
        }
        return self.send("addKey", body | ({"proof": proof} if proof else {}))

    def certificates(self) -> list[JsonObject]:
        """Return the certificates as the tenant shows them."""
        path = f"applications/{self.id}"
        return list(self.directory.read(path)["keyCredentials"])


@CHECKS.row("graph.add-key")
def check_add_key(world: World) -> None:
    """The first certificate stays, and signs in as before."""
    rolling, second = Rolling(world), KeyPair()
    answer = rolling.add(second, rolling.first.proof(rolling.id))
    assert answer.status_code == 200
    body = answer.json()
    assert body["@odata.context"].endswith("#microsoft.graph.keyCredential")
    assert body["key"] is None
    ids = [key["keyId"] for key in rolling.certificates()]
    assert len(ids) == 2
    assert ids[1] == body["keyId"]
    removed = {"keyId": ids[0], "proof": second.proof(rolling.id)}
    assert rolling.send("removeKey", removed).status_code == 204
    assert [key["keyId"] for key in rolling.certificates()] == ids[1:]


@CHECKS.row("graph.proof-of-possession")
def check_proof(world: World) -> None:
    """A stranger's key, another audience or issuer, and an old proof prove nothing."""
    rolling, second = Rolling(world), KeyPair()
    now = int(time.time())
    for proof in (
        None,
        "no.such.proof",
        second.proof(rolling.id),
        rolling.first.proof("another-object"),
        rolling.first.proof(rolling.id, aud="https://graph.microsoft.com"),
        rolling.first.proof(rolling.id, nbf=now - 4000, exp=now - 3000),
    ):
        assert rolling.add(second, proof).status_code == 400
    assert len(rolling.certificates()) == 1


@CHECKS.row("graph.remove-unknown-key")
def check_remove_unknown_key(world: World) -> None:
    """The known one stays."""
    rolling = Rolling(world)
    unknown = "11111111-1111-1111-1111-111111111111"
    body = {"keyId": unknown, "proof": rolling.first.proof(rolling.id)}
    answer = rolling.send("removeKey", body)
    assert answer.status_code == 400
    assert "No credentials found to be removed." in answer.text
    assert len(rolling.certificates()) == 1


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("addKey", {}),
        ("addKey", {"keyCredential": "x"}),
        ("addKey", {"keyCredential": {}, "passwordCredential": {"secretText": "x"}}),
        ("removeKey", {}),
        ("removeKey", {"keyId": "x"}),
    ],
)
def test_wrong_bodies_are_refused(action: str, body: Any) -> None:
    """Each with 400, in Graph's envelope."""
    with World() as world:
        answer = Rolling(world).send(action, body)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "Request_BadRequest"


def test_another_application_may_not_roll() -> None:
    """A proof alone gives nobody a right over somebody else's application."""
    with World() as world:
        rolling, other = Rolling(world), world.application()
        rolling.client = other
        answer = rolling.add(KeyPair(), rolling.first.proof(rolling.id))
        assert answer.status_code == 403

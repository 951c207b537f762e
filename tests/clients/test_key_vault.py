"""The vault's client: addresses, requests, refusals, and what stays secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from runbook_lib.clients.http import Wire, open_http
from runbook_lib.clients.key_vault import KeyVault, VaultAddress
from runbook_lib.clients.vault_sink import PROBE, VaultSink, vault_name
from runbook_lib.errors import (
    CannotLook,
    InputError,
    NotPermitted,
    OutcomeUnknown,
    ServiceRefused,
    UnknownReply,
)
from runbook_lib.secret import Mask, Secret

VAULT = "https://kv-contoso.vault.azure.net"
VALUE = 'abC~1.2_3"4567890'
Answer = Callable[[httpx.Request], httpx.Response]


class Asked:
    """A vault's client that asks a function, and what it asked and recorded."""

    def __init__(self, answer: Answer) -> None:
        """Answer with `answer`."""
        self.requests: list[httpx.Request] = []
        self.traffic: list[dict[str, Any]] = []
        self.mask = Mask()

        def respond(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        http = open_http(
            Wire(),
            lambda exchange: self.traffic.append(dict(exchange)),
            self.mask,
            sleep=lambda seconds: None,
            transport=httpx.MockTransport(respond),
        )
        self.vault = KeyVault(
            http,
            VAULT,
            token=lambda: Secret("eyJhbGciOi.eyJhdWQiOi.sig"),
            mask=self.mask,
            sleep=lambda seconds: None,
        )

    def close(self) -> None:
        """Close the client."""
        self.vault._http.close()


def error(status: int, code: str, inner: str | None = None) -> httpx.Response:
    """Return a refusal in the vault's envelope."""
    body: dict[str, Any] = {"code": code, "message": "no"}
    if inner:
        body["innererror"] = {"code": inner}
    return httpx.Response(status, json={"error": body})


def secret(value: str = VALUE) -> httpx.Response:
    """Return a secret as the vault shows one."""
    body = {"value": value, "id": f"{VAULT}/secrets/sap/0123"}
    return httpx.Response(200, json=body)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (VAULT, VaultAddress(VAULT)),
        (f"{VAULT}/", VaultAddress(VAULT)),
        (f"{VAULT}/secrets/sap", VaultAddress(VAULT, "sap")),
        (f"{VAULT}/secrets/sap/0123abc", VaultAddress(VAULT, "sap", "0123abc")),
    ],
)
def test_addresses(text: str, address: VaultAddress) -> None:
    """A vault, a secret in it, a version of that."""
    assert VaultAddress.parse(text) == address


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        (VAULT, "https://vault.azure.net/.default"),
        (
            "https://kv-a.vault.usgovcloudapi.net",
            "https://vault.usgovcloudapi.net/.default",
        ),
        ("https://kv-a.vault.azure.cn", "https://vault.azure.cn/.default"),
    ],
)
def test_the_host_says_what_to_ask_a_token_for(text: str, scope: str) -> None:
    """Each cloud has its own resource."""
    assert VaultAddress.parse(text).scope == scope


@pytest.mark.parametrize(
    "text",
    [
        "http://kv-contoso.vault.azure.net",
        "https://kv-contoso.vault.azure.net.example",
        "https://vault.azure.net",
        "https://a.b.vault.azure.net",
        "https://user@kv-contoso.vault.azure.net",
        "https://kv-contoso.vault.azure.net:8443",
        f"{VAULT}/keys/sap",
        f"{VAULT}/secrets/sap/1/2",
        f"{VAULT}/secrets/a_b",
        f"{VAULT}?x=y",
        "hunter2",
    ],
)
def test_a_token_goes_to_vaults_alone(text: str) -> None:
    """Anything else is refused, and not repeated: it may be a secret."""
    with pytest.raises(InputError) as caught:
        VaultAddress.parse(text)
    assert text not in caught.value.message


def test_a_secret_is_read_and_masked() -> None:
    """The value is known as secret before the exchange is reported."""
    asked = Asked(lambda request: secret())
    found = asked.vault.read("sap", "0123")
    assert found is not None
    assert found.reveal() == VALUE
    (request,) = asked.requests
    assert str(request.url) == f"{VAULT}/secrets/sap/0123?api-version=7.4"
    assert VALUE not in json.dumps(asked.traffic)
    assert json.dumps(VALUE)[1:-1] not in json.dumps(asked.traffic)
    asked.close()


def test_a_secret_is_set_and_masked() -> None:
    """Also where the vault refuses and repeats it."""
    asked = Asked(lambda request: error(400, f"Bad {VALUE}"))
    with pytest.raises(ServiceRefused):
        asked.vault.write("sap", Secret(VALUE), tags={"a": "b"})
    (exchange,) = asked.traffic
    assert exchange["write"] is True
    assert "abC~1" not in json.dumps(exchange)
    body = json.loads(asked.requests[0].content)
    assert body == {
        "value": VALUE,
        "tags": {"a": "b"},
        "attributes": {"enabled": True},
    }
    asked.close()


def test_a_deleted_name_is_recovered_first() -> None:
    """Then set, as the vault demands."""
    answers = iter(
        [
            error(409, "Conflict", "ObjectIsDeletedButRecoverable"),
            httpx.Response(200, json={"id": "x"}),
            httpx.Response(200, json={"value": [], "nextLink": None}),
            httpx.Response(200, json={"value": [{"id": "x"}], "nextLink": None}),
            secret(),
        ]
    )
    asked = Asked(lambda request: next(answers))
    url = asked.vault.write("sap", Secret(VALUE), tags={})
    assert url == f"{VAULT}/secrets/sap/0123"
    sent = [(r.method, r.url.path) for r in asked.requests]
    assert sent == [
        ("PUT", "/secrets/sap"),
        ("POST", "/deletedsecrets/sap/recover"),
        ("GET", "/secrets/sap/versions"),
        ("GET", "/secrets/sap/versions"),
        ("PUT", "/secrets/sap"),
    ]
    asked.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(401, "Unauthorized"), NotPermitted),
        (error(403, "Forbidden", "ForbiddenByRbac"), NotPermitted),
        (error(400, "BadParameter"), ServiceRefused),
        (httpx.Response(400, text="?"), UnknownReply),
        (httpx.Response(200, json={"value": 7}), UnknownReply),
        (httpx.Response(500, text="?"), CannotLook),
    ],
)
def test_what_a_vault_answers_to_a_read(
    answer: httpx.Response, kind: type[Exception]
) -> None:
    """Each has its kind; nothing is taken for a secret."""
    asked = Asked(lambda request: answer)
    with pytest.raises(kind):
        asked.vault.read("sap")
    asked.close()


def test_a_failed_write_may_have_happened() -> None:
    """It is not sent again."""
    asked = Asked(lambda request: httpx.Response(500, text="?"))
    with pytest.raises(OutcomeUnknown):
        asked.vault.write("sap", Secret(VALUE), tags={})
    assert len(asked.requests) == 1
    asked.close()


def test_absence_is_no_fault() -> None:
    """Of a secret that is read, or deleted."""
    asked = Asked(lambda request: error(404, "SecretNotFound"))
    assert asked.vault.read("sap") is None
    asked.vault.delete("sap")
    asked.close()


def test_a_sink_that_reads_something_else_back() -> None:
    """What was stored is compared."""
    asked = Asked(
        lambda request: secret(VALUE if request.method == "PUT" else "another~value")
    )
    sink = VaultSink(f"keyvault:{VAULT}", asked.vault)
    with pytest.raises(InputError, match="does not hold"):
        sink.store("sap", Secret(VALUE))
    asked.close()


def test_a_sink_is_proven_by_a_secret_that_is_none() -> None:
    """Disabled, and left there: its name could not be used again."""
    asked = Asked(lambda request: secret("no secret"))
    VaultSink(f"keyvault:{VAULT}", asked.vault).prove_writable()
    (request,) = asked.requests
    assert request.url.path == f"/secrets/{PROBE}"
    assert json.loads(request.content)["attributes"] == {"enabled": False}
    asked.close()


def test_a_sink_that_cannot_be_written_says_what_to_change() -> None:
    """The role that is missing."""
    asked = Asked(lambda request: error(403, "Forbidden", "ForbiddenByRbac"))
    with pytest.raises(InputError, match="cannot be written") as caught:
        VaultSink(f"keyvault:{VAULT}", asked.vault).prove_writable()
    assert "Key Vault Secrets Officer" in str(caught.value.remedy)
    asked.close()


@pytest.mark.parametrize(
    ("name", "changed"), [("sap-smtp.run_1", "sap-smtp-run-1"), ("a", "a")]
)
def test_names_are_changed_to_what_a_vault_takes(name: str, changed: str) -> None:
    """Dots and underscores become dashes."""
    assert vault_name(name) == changed


@pytest.mark.parametrize("name", ["", "ä", "a/b", ".."])
def test_names_that_no_vault_takes(name: str) -> None:
    """Refused."""
    with pytest.raises(InputError):
        vault_name(name)

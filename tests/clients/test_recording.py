"""What an exchange tells, and what it never tells."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from runbook_lib.secret import Mask, Secret
from tests.clients.conftest import Opened

URL = "https://graph.microsoft.com/v1.0/applications"


def test_an_exchange_has_all_its_members(
    open_client: Opened, traffic: list[Any]
) -> None:
    """Request and answer stand in one entry of plain JSON values."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            201,
            json={"id": "1"},
            headers={"request-id": "r-1", "x-ms-resource-unit": "1", "Via": "x"},
        )

    open_client(handle).post(URL, json={"displayName": "SAP"})
    entry = traffic[0]
    assert json.loads(json.dumps(entry)) == entry
    assert (entry["protocol"], entry["method"], entry["url"]) == ("https", "POST", URL)
    assert (entry["host"], entry["port"]) == ("graph.microsoft.com", 443)
    assert (entry["write"], entry["status"], entry["error"]) == (True, 201, None)
    assert json.loads(entry["request_body"]) == {"displayName": "SAP"}
    body = entry["response_body"].encode()
    assert entry["response_sha256"] == hashlib.sha256(body).hexdigest()
    assert entry["response_headers"]["request-id"] == "r-1"
    assert entry["response_headers"]["x-ms-resource-unit"] == "1"
    assert "via" not in entry["response_headers"]
    assert len(entry["request_headers"]["client-request-id"]) == 36


def test_the_authorization_header_is_not_recorded(
    open_client: Opened, traffic: list[Any]
) -> None:
    """Neither the header nor its token appears, even where it is echoed."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"echo": "opaque-token-0123456789"})

    headers = {"Authorization": "Bearer opaque-token-0123456789"}
    open_client(handle).get(URL, headers=headers)
    assert "authorization" not in traffic[0]["request_headers"]
    assert "opaque-token" not in json.dumps(traffic)


@pytest.mark.parametrize(
    "member", ["secretText", "access_token", "refresh_token", "id_token"]
)
def test_a_secret_in_an_answer_is_learned_first(
    open_client: Opened, traffic: list[Any], mask: Mask, member: str
) -> None:
    """The answer that discloses a secret is masked already, and all later ones."""
    secret = 'x~1Q"\\wertz.uiop_äöü-9876543210'

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=json.dumps({member: secret}, indent=3))

    response = open_client(handle).get(URL)
    assert response.json()[member] == secret
    assert "wertz" not in json.dumps(traffic)
    assert "wertz" not in mask.text(f"a later text with {secret} in it")


def test_a_half_written_secret_is_not_recorded(
    open_client: Opened, traffic: list[Any]
) -> None:
    """An answer that is no JSON any more is masked as well."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text='{"secretText":"abc~DEF-12345678","keyId":"')

    open_client(handle).get(URL)
    assert "abc~DEF" not in json.dumps(traffic)


@pytest.mark.parametrize("field", ["client_secret", "client_assertion"])
def test_a_secret_in_a_form_is_not_recorded(
    open_client: Opened, traffic: list[Any], field: str
) -> None:
    """A secret that nobody announced is known by its field."""
    form = {"client_id": "id-1", field: "un~known+secret/value=="}

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"echo": form[field]})

    open_client(handle).post(URL, data=form)
    text = json.dumps(traffic)
    assert "known" not in text
    assert urlencode({"v": form[field]})[2:] not in text
    assert "client_id=id-1" in text


def test_a_known_secret_is_masked_in_url_and_headers(
    open_client: Opened, traffic: list[Any], mask: Mask
) -> None:
    """Every text of an exchange goes through the mask."""
    mask.add(Secret("known-secret-1"))

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "https://x/known-secret-1"})

    open_client(handle).get(f"{URL}?a=known-secret-1", headers={"X": "known-secret-1"})
    assert "known-secret-1" not in json.dumps(traffic)


def test_a_long_body_is_cut_after_masking(
    open_client: Opened, traffic: list[Any], mask: Mask
) -> None:
    """64 KB are kept; a secret across the cut leaves no half behind."""
    secret = "SECRET-" + "s" * 40
    mask.add(Secret(secret))
    content = b"x" * (64 * 1024 - 20) + secret.encode() + b"y" * 1000

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=content)

    assert open_client(handle).get(URL).content == content
    assert len(traffic[0]["response_body"].encode()) <= 64 * 1024
    assert "SECRET" not in traffic[0]["response_body"]
    assert traffic[0]["response_bytes"] == len(content)
    assert traffic[0]["response_sha256"] == hashlib.sha256(content).hexdigest()


def test_gzip_is_decoded(open_client: Opened) -> None:
    """A compressed answer is read as usual."""

    def handle(request: httpx.Request) -> httpx.Response:
        content = httpx.ByteStream(gzip.compress(b'{"a": 1}'))
        headers = {"Content-Encoding": "gzip"}
        return httpx.Response(200, headers=headers, stream=content)

    assert open_client(handle).get(URL).json() == {"a": 1}


def test_a_body_that_is_wrongly_called_gzip_is_kept(
    open_client: Opened, traffic: list[Any]
) -> None:
    """The status is not lost to a decoding error."""

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {"Content-Encoding": "gzip"}
        stream = httpx.ByteStream(b"\x00\x00\x01")
        return httpx.Response(403, headers=headers, stream=stream)

    response = open_client(handle).get(URL)
    assert response.status_code == 403
    assert response.content == b"\x00\x00\x01"
    assert traffic[0]["response_headers"]["content-encoding"] == "gzip"


def test_a_connection_that_failed_is_recorded(
    open_client: Opened, traffic: list[Any]
) -> None:
    """An exchange without an answer has its reason and the same members."""

    def answered(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={})

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset by peer")

    open_client(answered).get(URL)
    with pytest.raises(Exception, match="unknown"):
        open_client(broken).post(URL, json={})
    assert traffic[0].keys() == traffic[1].keys()
    assert traffic[1]["error"] == "ReadError: reset by peer"


def test_an_interrupted_request_is_recorded(
    open_client: Opened, traffic: list[Any]
) -> None:
    """Who stops the kernel during a write still leaves its trace."""

    def stopped(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_client(stopped).post(URL, json={})
    assert traffic[0]["write"] is True
    assert traffic[0]["error"].startswith("KeyboardInterrupt")


def test_no_cookie_is_kept(open_client: Opened) -> None:
    """A service cannot mark us from one request to the next."""
    seen: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        headers = {"Set-Cookie": "fpc=1; Path=/; Secure"}
        return httpx.Response(200, json={}, headers=headers)

    client = open_client(handle)
    client.get(URL)
    client.get(URL)
    assert seen == [None, None]

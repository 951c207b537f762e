"""Fixtures that the tests of the wire share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from runbook_lib.clients.http import Wire, open_http
from runbook_lib.secret import Mask
from tests.clients.smtp_endpoint import Endpoint

Opened = Callable[..., httpx.Client]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what would lead a request elsewhere."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """Return an authority that only these tests know."""
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    """Return the authority's certificate as a PEM file."""
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def mask() -> Mask:
    """Return the mask of a run."""
    return Mask()


@pytest.fixture
def traffic() -> list[Mapping[str, object]]:
    """Return the list that takes the exchanges."""
    return []


@pytest.fixture
def waits() -> list[float]:
    """Return the list that takes the seconds waited."""
    return []


@pytest.fixture
def open_client(
    traffic: list[Mapping[str, object]], mask: Mask, waits: list[float]
) -> Iterator[Opened]:
    """Return a function that opens a client, closed when the test ends."""
    opened: list[httpx.Client] = []

    def open_one(
        handler: Callable[[httpx.Request], httpx.Response] | None = None,
        wire: Wire | None = None,
    ) -> httpx.Client:
        transport = httpx.MockTransport(handler) if handler else None
        client = open_http(
            wire or Wire(),
            traffic.append,
            mask,
            sleep=waits.append,
            transport=transport,
        )
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.close()


@pytest.fixture
def endpoint(ca: trustme.CA, ca_file: Path, traffic: list[Any], mask: Mask) -> Endpoint:
    """Return what makes servers and clients."""
    return Endpoint(ca, ca_file, traffic, mask)

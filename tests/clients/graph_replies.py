"""What Microsoft Graph answers in these tests."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import httpx

from runbook_lib.clients.graph import GraphClient
from runbook_lib.secret import Secret
from tests.clients.conftest import Opened

BASE = "https://graph.microsoft.com/v1.0"
ID = "aaaaaaaa-0000-0000-0000-000000000001"
OTHER = "aaaaaaaa-0000-0000-0000-000000000002"
APP_ID = "bbbbbbbb-0000-0000-0000-000000000001"


class Graph:
    """Answers with prepared replies and keeps what was asked."""

    def __init__(self, *replies: httpx.Response) -> None:
        """Give the replies one after the other."""
        self._replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        return self._replies.pop(0)

    @property
    def asked(self) -> list[str]:
        """Return method and decoded path with query of each request."""
        return [
            f"{request.method} {unquote(request.url.raw_path.decode())}"
            for request in self.requests
        ]

    def body(self) -> Any:
        """Return the JSON body of the last request."""
        return json.loads(self.requests[-1].content)


def client_of(open_client: Opened, graph: Graph) -> GraphClient:
    """Return a client with a fixed token."""
    token = Secret("token-0123456789")
    return GraphClient(open_client(graph), base=BASE, token=lambda: token)


def error(
    status: int, code: str, message: str = "text", **more: object
) -> httpx.Response:
    """Return an answer with Graph's error envelope."""
    inner = {"date": "2026-01-01T00:00:00", "request-id": "r-1"}
    body = {"code": code, "message": message, "innerError": inner, **more}
    headers = {"request-id": "r-1", "client-request-id": "c-1"}
    return httpx.Response(status, json={"error": body}, headers=headers)


def page(*values: object, link: str | None = None) -> httpx.Response:
    """Return a page of a collection."""
    following = {"@odata.nextLink": link} if link else {}
    return httpx.Response(200, json={"value": list(values), **following})


def found(**members: object) -> httpx.Response:
    """Return one object."""
    return httpx.Response(200, json=members)

"""What Exchange Online answers in these tests."""

from __future__ import annotations

import json

import httpx

from runbook_lib.clients.exchange import ExchangeClient
from runbook_lib.secret import Secret
from tests.clients.conftest import Opened

BASE = "https://outlook.office365.com"
TENANT = "11111111-2222-3333-4444-555555555555"
MAILBOX = "sap@contoso.com"
NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"


class Exchange:
    """Answers with prepared replies and keeps what was asked."""

    def __init__(self, *replies: httpx.Response) -> None:
        """Give the replies one after the other."""
        self._replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        return self._replies.pop(0)

    def parameters(self) -> dict[str, object]:
        """Return the parameters of the last cmdlet."""
        body = json.loads(self.requests[-1].content)
        parameters: dict[str, object] = body["CmdletInput"]["Parameters"]
        return parameters


def client_of(open_client: Opened, exchange: Exchange) -> ExchangeClient:
    """Return a client with a fixed token."""
    token = Secret("token-0123456789")
    return ExchangeClient(
        open_client(exchange),
        base=BASE,
        tenant_id=TENANT,
        anchor="UPN:admin@contoso.com",
        token=lambda: token,
    )


def rows(*values: object, **more: object) -> httpx.Response:
    """Return the answer of a cmdlet that wrote these objects."""
    body = {"@adminapi.warnings": [], "value": list(values), **more}
    return httpx.Response(200, json=body)


def error(
    status: int, kind: str, text: str, *, member: str = "error"
) -> httpx.Response:
    """Return the answer of a cmdlet that failed."""
    detail = {"code": "Context", "target": "", "message": f"Ex6F9304|{kind}|{text}"}
    body = {
        "code": "NotFound" if status == 404 else "BadRequest",
        "message": "Error executing cmdlet",
        "details": [detail],
        "innererror": {"message": "Error executing cmdlet", "type": "x"},
    }
    return httpx.Response(status, json={member: body})

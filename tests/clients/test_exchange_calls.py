"""How a cmdlet travels: headers, warnings, pages, redirects."""

from __future__ import annotations

import json

import httpx
import pytest

from runbook_lib.errors import (
    UnknownReply,
)
from tests.clients.conftest import Opened
from tests.clients.exchange_replies import (
    BASE,
    MAILBOX,
    TENANT,
    Exchange,
    client_of,
    rows,
)

PATH = f"/adminapi/beta/{TENANT}/InvokeCommand"


def moved(location: str, status: int = 302) -> httpx.Response:
    """Return a redirect."""
    return httpx.Response(status, headers={"Location": location})


def test_a_cmdlet_is_one_post(open_client: Opened) -> None:
    """Path, headers and body are those of the module's endpoint."""
    exchange = Exchange(rows({"Name": "sap"}))
    assert client_of(open_client, exchange).mailbox(MAILBOX) == {"Name": "sap"}
    request = exchange.requests[0]
    assert (request.method, str(request.url)) == ("POST", BASE + PATH)
    assert json.loads(request.content) == {
        "CmdletInput": {
            "CmdletName": "Get-Mailbox",
            "Parameters": {"Identity": MAILBOX},
        }
    }
    assert request.headers["authorization"] == "Bearer token-0123456789"
    assert request.headers["x-anchormailbox"] == "UPN:admin@contoso.com"
    assert request.headers["x-cmdletname"] == "Get-Mailbox"
    assert request.headers["x-responseformat"] == "json"
    assert request.headers["content-type"] == "application/json"
    assert len(request.headers["client-request-id"]) == 36


def test_warnings_are_those_of_the_last_call(open_client: Opened) -> None:
    """They are kept beside the result and forgotten with the next call."""
    said = {"@adminapi.warnings": ["The entry is already present."]}
    client = client_of(open_client, Exchange(rows(**said), rows()))
    client.add_mailbox_permission(
        MAILBOX, user="o-1", rights=["FullAccess"], auto_mapping=False
    )
    assert client.warnings == ["The entry is already present."]
    client.set_cas_mailbox(MAILBOX, SmtpClientAuthenticationDisabled=False)
    assert client.warnings == []


def test_pages_repeat_the_cmdlet(open_client: Opened) -> None:
    """The next page is asked by the same body at the link's address."""
    link = f"{BASE}{PATH}?$skiptoken=2"
    exchange = Exchange(
        rows({"Name": "1"}, **{"@odata.nextLink": link}), rows({"Name": "2"})
    )
    found = client_of(open_client, exchange).accepted_domains()
    assert [row["Name"] for row in found] == ["1", "2"]
    first, second = exchange.requests
    assert second.method == "POST"
    assert str(second.url) == link
    assert second.content == first.content


@pytest.mark.parametrize("again", [False, True])
def test_pages_elsewhere_or_in_a_circle_end(open_client: Opened, again: bool) -> None:
    """The token stays on this host, and a page is asked once."""
    link = f"{BASE}{PATH}?$skiptoken=2" if again else f"https://fabrikam.com{PATH}"
    paged = {"@odata.nextLink": link}
    exchange = Exchange(rows(**paged), rows(**paged))
    with pytest.raises(UnknownReply):
        client_of(open_client, exchange).accepted_domains()
    assert len(exchange.requests) == 1 + again


def test_a_write_is_never_paged(open_client: Opened) -> None:
    """Asking for a second page would run the cmdlet again."""
    link = f"{BASE}{PATH}?$skiptoken=2"
    exchange = Exchange(rows(**{"@odata.nextLink": link}))
    client_of(open_client, exchange).remove_service_principal("o-1")
    assert len(exchange.requests) == 1


@pytest.mark.parametrize("status", [302, 307])
def test_a_regional_redirect_keeps_body_and_token(
    open_client: Opened, status: int
) -> None:
    """The API stands on 443 whatever the redirect says, and later calls go there."""
    region = "eur01.outlook.office365.com"
    exchange = Exchange(moved(f"https://{region}:446{PATH}", status), rows(), rows())
    client = client_of(open_client, exchange)
    client.accepted_domains()
    client.accepted_domains()
    first, second, third = exchange.requests
    assert str(second.url) == str(third.url) == f"https://{region}{PATH}"
    assert second.content == first.content
    assert second.headers["authorization"] == "Bearer token-0123456789"


@pytest.mark.parametrize(
    "location",
    [
        "https://fabrikam.com" + PATH,
        "https://office365.com.fabrikam.com" + PATH,
        "https://notoffice365.com" + PATH,
        "http://eur01.outlook.office365.com" + PATH,
    ],
)
def test_a_redirect_elsewhere_is_not_followed(
    open_client: Opened, location: str
) -> None:
    """The token is not carried out of the service's domain or off TLS."""
    exchange = Exchange(moved(location))
    with pytest.raises(UnknownReply):
        client_of(open_client, exchange).accepted_domains()
    assert len(exchange.requests) == 1


def test_redirects_in_a_circle_end(open_client: Opened) -> None:
    """After three the answer is unknown."""
    exchange = Exchange(*[moved(PATH)] * 4)
    with pytest.raises(UnknownReply):
        client_of(open_client, exchange).accepted_domains()
    assert len(exchange.requests) == 3

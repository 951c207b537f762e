"""Inbound connectors and recipients: the cmdlets and what they are given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.clients.exchange import ExchangeClient
from runbook_lib.errors import ServiceRefused
from tests.clients.conftest import Opened
from tests.clients.exchange_replies import NOT_FOUND, Exchange, client_of, error, rows

# Cmdlet -> parameter -> [type, required, parameter sets], as Microsoft documents.
CMDLETS: dict[str, dict[str, list[Any]]] = json.loads(
    (Path(__file__).parent / "data" / "exchange_connectors.json").read_text("utf-8")
)
ADDRESS = "203.0.113.10"

Call = Callable[[ExchangeClient], object]

CALLS: dict[str, tuple[Call, dict[str, object]]] = {
    "Get-InboundConnector": (lambda x: x.inbound_connectors(), {}),
    "New-InboundConnector": (
        lambda x: x.new_inbound_connector(
            "SAP",
            connector_type="OnPremises",
            sender_domains=("*",),
            comment="runbook:example",
            SenderIPAddresses=[ADDRESS],
        ),
        {
            "Name": "SAP",
            "ConnectorType": "OnPremises",
            "SenderDomains": ["*"],
            "Comment": "runbook:example",
            "Enabled": True,
            "SenderIPAddresses": [ADDRESS],
        },
    ),
    "Set-InboundConnector": (
        lambda x: x.set_inbound_connector("SAP", SenderIPAddresses=[ADDRESS]),
        {"Identity": "SAP", "SenderIPAddresses": [ADDRESS]},
    ),
    "Remove-InboundConnector": (
        lambda x: x.remove_inbound_connector("SAP"),
        {"Identity": "SAP", "Confirm": False},
    ),
    "Get-Recipient": (
        lambda x: x.recipient("inbox@contoso.com"),
        {"Identity": "inbox@contoso.com"},
    ),
}


@pytest.mark.parametrize("cmdlet", CALLS)
def test_cmdlet_gets_documented_parameters(cmdlet: str, open_client: Opened) -> None:
    """Names and types are those of the reference, and what is mandatory is there."""
    call, expected = CALLS[cmdlet]
    exchange = Exchange(rows({"Name": "x"}))
    call(client_of(open_client, exchange))
    assert exchange.parameters() == expected
    known = CMDLETS[cmdlet]
    assert set(expected) <= set(known)
    assert {n for n, (_, needed, _) in known.items() if needed} <= set(expected)
    kinds = {"Boolean": bool, "SwitchParameter": bool, "MultiValuedProperty": list}
    for name, value in expected.items():
        assert isinstance(value, kinds.get(known[name][0], str)), name


def test_missing_recipient_is_none(open_client: Opened) -> None:
    """An address that nobody has is no fault."""
    exchange = Exchange(error(404, NOT_FOUND, "no such object"))
    assert client_of(open_client, exchange).recipient("nobody@contoso.com") is None


def test_refused_recipient_is_a_fault(open_client: Opened) -> None:
    """Another refusal does not pass for a missing recipient."""
    exchange = Exchange(error(400, "System.ArgumentException", "odd"))
    with pytest.raises(ServiceRefused):
        client_of(open_client, exchange).recipient("odd")

"""What is never rendered: open relays, above all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_lib.errors import InputError
from runbook_lib.relay.bundle import render
from runbook_lib.relay.design import Balancer
from runbook_lib.relay.design import Upstream as Kind
from runbook_lib.relay.guards import network_refusal, refusals
from tests.relay.designs import APPLICATION, design

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"networks": ("0.0.0.0/0",)}, "open relay"),
    ({"networks": ("10.1.3.0/24", "::/0")}, "open relay"),
    ({"networks": ("0.0.0.0/1", "128.0.0.0/1")}, "too wide"),
    ({"networks": ("10.0.0.0/8",)}, "too wide"),
    ({"networks": ("198.18.0.0/8",)}, "host bits"),
    ({"networks": ("8.8.0.0/16",)}, "too wide"),
    ({"networks": ("127.0.0.0/8",)}, "loopback"),
    ({"networks": ("224.0.0.0/24",)}, "no hosts"),
    ({"networks": ("10.1.3.7/24",)}, "host bits"),
    ({"networks": ("sap1.contoso.com",)}, "not read"),
    ({"networks": ()}, "No network"),
    ({"senders": ()}, "No sender"),
    ({"senders": ("contoso.com",)}, "whole domain"),
    ({"senders": ("*",)}, "neither an address"),
    ({"senders": ("sap@contoso.com OK\n* OK",)}, "neither an address"),
    ({"senders": ("@contoso.com",)}, "neither an address"),
    ({"hostname": "relay1"}, "no full host name"),
    ({"hostname": "relay.contoso.com\nmynetworks = 0.0.0.0/0"}, "no full host name"),
    ({"submission": "203.0.113.7"}, "no full host name"),
    ({"listen": "0.0.0.0"}, "every address"),  # noqa: S104
    ({"listen": "relay1"}, "no IP address"),
    ({"leave_by": "eth0"}, "no IP address"),
    ({"mailbox": "sap"}, "no address"),
    ({"relays": 2}, "need a load balancer"),
    ({"relays": 3, "balancer": Balancer.AZURE}, "each needs one"),
    ({"connections": 4}, "more than the 3"),
    ({"queue_days": 0}, "between one and seven"),
    ({"port": 0}, "not between 1"),
    ({"application": None}, "application of option 1"),
    ({"balancer": Balancer.HAPROXY}, "addresses"),
    (
        {
            "balancer": Balancer.HAPROXY,
            "relays": 1,
            "peers": ("10.1.2.4:25",),
            "balancers": ("10.1.3.9",),
        },
        "inside the networks",
    ),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED, ids=lambda x: str(x)[:60])
def test_refused(changes: dict[str, Any], reason: str) -> None:
    """Each is named, and nothing is rendered."""
    with pytest.raises(InputError, match=reason):
        render(design(**changes))


@pytest.mark.parametrize("kind", [*Kind])
def test_the_usual_design_is_good(kind: Kind) -> None:
    """Without this, everything would be refused for nothing."""
    assert refusals(design(upstream=kind)) == []


def test_a_domain_may_send_through_a_connector() -> None:
    """A connector takes any address of an accepted domain."""
    found = design(upstream=Kind.CONNECTOR_ADDRESS, senders=("contoso.com",))
    assert refusals(found) == []


def test_every_fault_is_told_at_once() -> None:
    """A person mends all of them in one go."""
    found = refusals(design(networks=("0.0.0.0/0",), senders=(), relays=0))
    assert len(found) == 3


@pytest.mark.parametrize("value", ["tenant/../common", "a b", ""])
def test_the_token_endpoint_is_one_tenant(value: str) -> None:
    """Nothing changes the path of the token endpoint."""
    from dataclasses import replace

    found = design(application=replace(APPLICATION, tenant_id=value))
    assert any("token endpoint" in reason for reason in refusals(found))


@given(address=st.ip_addresses(v=4), prefix=st.integers(0, 15))
def test_no_wide_network_gets_through(address: Any, prefix: int) -> None:
    """Whatever the address: less than /16 is never a network of SAP hosts."""
    from ipaddress import ip_network

    text = str(ip_network(f"{address}/{prefix}", strict=False))
    assert network_refusal(text) is not None

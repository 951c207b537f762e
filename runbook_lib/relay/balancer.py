"""Several relays: the load balancer before them, and the firewall of each."""

from __future__ import annotations

from ipaddress import ip_network

from runbook_lib.relay.design import Balancer, RelayDesign, Upstream
from runbook_lib.relay.settings import comment


def haproxy_cfg(design: RelayDesign) -> str:
    """Return haproxy's configuration.

    Source: HAProxy configuration manual; Postfix, smtpd_upstream_proxy_protocol.
    """
    heading = comment(
        "haproxy before the relays. SAP's mail host is this load balancer. Each "
        "connection carries the PROXY header, so that a relay knows SAP's address. "
        "A relay that does not greet is left out; what is in its queue stays there "
        "until it runs again."
    )
    servers = "\n".join(
        f"    server relay{number} {peer} check inter 2s fall 2 rise 2 "
        "send-proxy-v2 check-send-proxy"
        for number, peer in enumerate(design.peers, start=1)
    )
    bind = design.balancers[0]
    return f"""{heading}
global
    log /dev/log local0
    maxconn 2000

defaults
    mode tcp
    log global
    option tcplog
    timeout connect 5s
    timeout client 5m
    timeout server 5m

frontend sap
    bind {bind}:{design.balancer_port}
    default_backend relays

backend relays
    balance leastconn
    option smtpchk EHLO {design.hostname}
    option redispatch
    retries 3
{servers}
"""


def nftables_conf(design: RelayDesign) -> str:
    """Return the firewall: who reaches the relay, and who reaches the proxy."""
    allowed = (
        design.balancers if design.balancer is Balancer.HAPROXY else design.networks
    )
    lines = [
        "#!/usr/sbin/nft -f",
        comment(
            "Whoever may reach the relay's port. Under haproxy that is the load "
            "balancer alone: a PROXY header is believed, whoever writes it. Azure's "
            "health probe comes from 168.63.129.16."
        ),
        "table inet relay {",
        "  chain input {",
        "    type filter hook input priority filter; policy accept;",
        *_accepted(design, allowed),
        f"    tcp dport {design.port} drop",
        "  }",
        *_proxy_owner(design),
        "}",
        "",
    ]
    return "\n".join(lines)


def _accepted(design: RelayDesign, allowed: tuple[str, ...]) -> list[str]:
    probes = ("168.63.129.16",) if design.balancer is Balancer.AZURE else ()
    rules = []
    for text in (*allowed, *probes):
        family = "ip6" if ip_network(text).version == 6 else "ip"
        rules.append(f"    {family} saddr {text} tcp dport {design.port} accept")
    return rules


def _proxy_owner(design: RelayDesign) -> list[str]:
    if design.upstream is not Upstream.OAUTH_PROXY:
        return []
    return [
        "  chain output {",
        "    type filter hook output priority filter; policy accept;",
        comment("The proxy signs in for whoever asks: only Postfix may."),
        f"    ip daddr 127.0.0.1 tcp dport {design.proxy_port} meta skuid != postfix "
        "reject",
        "  }",
    ]

"""Refuse what would be an open relay, or would send what it must not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from runbook_lib.errors import InputError
from runbook_lib.relay.design import Balancer, RelayDesign

# The shortest prefix that is still "the SAP hosts": private and public, by version.
SHORTEST = {(4, True): 16, (4, False): 24, (6, True): 48, (6, False): 64}

_DOMAIN = r"(?=.{4,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!\d+$)[a-z0-9-]{2,63}"
_NAME = re.compile(_DOMAIN)
_LOCAL = re.compile(r"[A-Za-z0-9!#&'*+=?^_{|}~/-]+(?:\.[A-Za-z0-9!#&'*+=?^_{|}~/-]+)*")
_PEER = re.compile(r"(?:[0-9.]+|\[[0-9a-fA-F:]+\]):\d{1,5}")
_PATH = re.compile(r"/[A-Za-z0-9._/%-]+")
_TOKEN_URL_PART = re.compile(r"[A-Za-z0-9._-]+")


def guarded(design: RelayDesign) -> RelayDesign:
    """Return the design if nothing speaks against it.

    Raises:
        InputError: with every reason; an open relay is among them.
    """
    if found := refusals(design):
        raise InputError(
            "This relay is not rendered: " + " ".join(found),
            remedy="Name the SAP hosts, their senders and the upstream exactly.",
        )
    return design


def refusals(design: RelayDesign) -> list[str]:
    """Return the reasons against a design, as sentences; none is good."""
    return [
        *_names(design),
        *_networks(design),
        *_senders(design),
        *_balancers(design),
        *_shares(design),
        *_application(design),
        *_paths(design),
    ]


def _names(design: RelayDesign) -> Iterator[str]:
    for what in ("hostname", "submission", "mx"):
        value = getattr(design, what)
        local = value == "localhost" and what != "hostname"
        if not (_NAME.fullmatch(value) or local):
            yield f"{what} {value!r} is no full host name."
    if _address(design.listen) is None:
        yield f"listen {design.listen!r} is no IP address."
    elif _address(design.listen) in (IPv4Address("0.0.0.0"), IPv6Address("::")):  # noqa: S104
        yield "listen is every address of the host: name the one that SAP reaches."
    if design.leave_by and _address(design.leave_by) is None:
        yield f"leave_by {design.leave_by!r} is no IP address."
    ports = (
        design.port,
        design.submission_port,
        design.mx_port,
        design.proxy_port,
        design.balancer_port,
    )
    if not all(0 < port < 65536 for port in ports):
        yield "a port is not between 1 and 65535."


def _networks(design: RelayDesign) -> Iterator[str]:
    if not design.networks:
        yield "No network is named: nobody could use the relay."
    for text in design.networks:
        if (reason := network_refusal(text)) is not None:
            yield reason


def network_refusal(text: str) -> str | None:
    """Return why a network may not relay, or None."""
    try:
        network = ip_network(text)
    except ValueError as error:
        return f"Network {text!r} is not read: {error}."
    if network.prefixlen == 0:
        return f"Network {text} is the whole internet: that is an open relay."
    if network.is_multicast or network.is_unspecified or network.is_link_local:
        return f"Network {text} holds no hosts that could be SAP's."
    if network.is_loopback and network.num_addresses > 1:
        return f"Network {text}: of loopback, single addresses only."
    least = SHORTEST[network.version, network.is_private]
    if network.prefixlen < least:
        kind = "private" if network.is_private else "public"
        return (
            f"Network {text} is too wide: of {kind} addresses at least /{least} "
            "is asked for."
        )
    return None


def _senders(design: RelayDesign) -> Iterator[str]:
    if not design.senders:
        yield "No sender is named: nobody could use the relay."
    for sender in design.senders:
        local, at, domain = sender.rpartition("@")
        if not _NAME.fullmatch(domain) or (at and not _LOCAL.fullmatch(local)):
            yield f"Sender {sender!r} is neither an address nor a domain."
        elif not at and design.upstream.submits:
            yield (
                f"Sender {sender!r} is a whole domain: a mailbox may send as "
                "itself and as the addresses with Send As, which are named one "
                "by one."
            )
    local, _, domain = design.mailbox.rpartition("@")
    if not (_LOCAL.fullmatch(local) and _NAME.fullmatch(domain)):
        yield f"Mailbox {design.mailbox!r} is no address."


def _balancers(design: RelayDesign) -> Iterator[str]:
    proxied = design.balancer is Balancer.HAPROXY
    if proxied and not (design.balancers and design.peers):
        yield (
            "Behind haproxy its addresses and those of the relays are needed "
            "(balancers, peers)."
        )
    if proxied and len(design.peers) != design.relays:
        yield f"{design.relays} relays are planned and {len(design.peers)} named."
    for text in design.peers:
        if not _PEER.fullmatch(text):
            yield f"Relay {text!r} is not written as address:port."
    for text in design.balancers:
        address = _address(text)
        if address is None:
            yield f"Load balancer {text!r} is no IP address."
        elif _inside(address, design.networks):
            yield (
                f"Load balancer {text} is inside the networks: without PROXY "
                "header everybody behind it could relay."
            )


def _shares(design: RelayDesign) -> Iterator[str]:
    if design.relays < 1:
        yield "There is at least one relay."
        return
    if design.relays > 1 and design.balancer is Balancer.NONE:
        yield "Several relays need a load balancer: haproxy or azure."
    if design.upstream.submits and design.connections > design.limits.connections:
        yield (
            f"{design.connections} connections are more than the "
            f"{design.limits.connections} that a mailbox may have."
        )
    if design.connections < design.relays:
        yield (
            f"{design.relays} relays share {design.connections} connections: each "
            "needs one."
        )
    if not 1 <= design.queue_days <= 7:
        yield "Mail waits between one and seven days."


def _application(design: RelayDesign) -> Iterator[str]:
    if not design.upstream.by_token:
        return
    if design.application is None:
        yield "The application of option 1 is needed for a token."
        return
    known = design.application
    if known.credential not in ("secret", "certificate"):
        yield "The credential is secret or certificate."
    for part in (known.tenant_id, known.client_id, known.login):
        if not _TOKEN_URL_PART.fullmatch(part):
            yield f"{part!r} is no part of a token endpoint."
    if not re.fullmatch(r"https://[a-z0-9.-]+/\.default", known.scope):
        yield f"Scope {known.scope!r} does not end in /.default."


def _paths(design: RelayDesign) -> Iterator[str]:
    for name, value in vars(design.places).items():
        path = isinstance(value, str) and name not in (
            "lookup",
            "log_prefixes",
            "exim_user",
        )
        if path and not _PATH.fullmatch(value):
            yield f"Place {name} {value!r} is no plain absolute path."


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _inside(address: IPv4Address | IPv6Address, networks: tuple[str, ...]) -> bool:
    good = [text for text in networks if network_refusal(text) is None]
    return any(address in ip_network(text) for text in good)

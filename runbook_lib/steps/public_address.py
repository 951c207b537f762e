"""By what Exchange Online knows a sender: a public address, or a certificate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Check, NotAsExpected, Observation
from runbook_lib.session import Session

SHORTEST_PREFIX = 24

_RANGE = re.compile(r"(?P<address>[\d.]+)(?:/(?P<prefix>\d{1,2}))?")
_NAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")

# Ranges that no server on the internet comes from. Source: IANA special-purpose
# address registry.
NEVER_SEEN = {
    "private (RFC 1918)": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "shared by a provider (RFC 6598)": ("100.64.0.0/10",),
    "loopback": ("127.0.0.0/8",),
    "link-local": ("169.254.0.0/16",),
    "multicast or reserved": ("0.0.0.0/8", "192.0.0.0/24", "224.0.0.0/3"),
    "for benchmarks (RFC 2544)": ("198.18.0.0/15",),
}
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")


def read_network(text: str, *, examples: bool = False) -> IPv4Network:
    """Read a public IPv4 address, or a range from /24 to /32.

    `examples` lets the addresses of documentation pass (RFC 5737), which the
    sandbox's senders have.

    Raises:
        NotAsExpected: it is none that Exchange Online could see, or IPv6.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise _refused(text, _why_unreadable(text))
    prefix = int(match["prefix"] or 32)
    try:
        network = IPv4Network((match["address"], prefix))
    except ValueError as error:
        raise _refused(text, f"it is no IPv4 address or range: {error}") from None
    if prefix < SHORTEST_PREFIX:
        raise _refused(text, "a connector takes ranges from /24 to /32 only")
    for kind, ranges in NEVER_SEEN.items():
        if any(network.overlaps(IPv4Network(one)) for one in ranges):
            raise _refused(text, f"it is {kind}, and Microsoft never sees it")
    if not examples and any(
        network.overlaps(IPv4Network(one)) for one in DOCUMENTATION
    ):
        raise _refused(text, "it is an address of documentation (RFC 5737)")
    return network


def _why_unreadable(text: str) -> str:
    plain = text.strip().partition("/")[0].strip("[]")
    try:
        version = ip_address(plain).version
    except ValueError:
        return "it is no IPv4 address"
    if version == 6:
        return "a connector takes no IPv6 address; send over IPv4"
    return "it is not written as an address or as address/prefix"


def _refused(text: str, why: str) -> NotAsExpected:
    return NotAsExpected(
        f"The address {text!r} cannot be used: {why}.",
        remedy="Give the static public IPv4 address that SAP's mail leaves from.",
        remedy_id="sender-identification",
    )


def written(network: IPv4Network) -> str:
    """Return a network as a connector shows it: one address without a prefix."""
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address if alone else network)


def read_certificate_name(text: str) -> str:
    """Read the domain of a TLS certificate; `*.` may stand in front.

    Raises:
        NotAsExpected: it is no domain.
    """
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise NotAsExpected(
            f"The certificate name {text!r} is no domain.",
            remedy="Give the subject or alternative name of SAP's certificate, as "
            "erp.contoso.com.",
            remedy_id="sender-identification",
        )
    return name


@dataclass(frozen=True)
class Identification:
    """What a sender is known by: addresses, or the name of its certificate."""

    network: IPv4Network | None
    certificate: str | None

    @property
    def settings(self) -> dict[str, object]:
        """Return the properties of a connector that is matched by this."""
        if self.network is not None:
            return {"SenderIPAddresses": [written(self.network)]}
        return {"TlsSenderCertificateName": self.certificate}

    def holds(self, address: str | None) -> bool:
        """Tell whether mail from an address may be this sender's."""
        if self.network is None:
            return address is not None
        try:
            return address is not None and IPv4Address(address) in self.network
        except ValueError:
            return False


def identification(address: str, certificate: str, *, examples: bool) -> Identification:
    """Read what identifies a sender: exactly one of the two.

    Raises:
        NotAsExpected: both, neither, or one that cannot be used.
    """
    if bool(address.strip()) == bool(certificate.strip()):
        raise NotAsExpected(
            "Give the public address or the certificate's name, and not both.",
            remedy="Leave one of the two parameters empty.",
            remedy_id="sender-identification",
        )
    if address.strip():
        return Identification(read_network(address, examples=examples), None)
    return Identification(None, read_certificate_name(certificate))


def of_session(session: Session, address: str, certificate: str) -> Identification:
    """Read what identifies a sender; in the sandbox senders have example addresses.

    Raises:
        NotAsExpected: as `identification`.
    """
    sandbox = session.tenant.target == "sandbox"
    return identification(address, certificate, examples=sandbox)


@dataclass(frozen=True)
class SenderIdentification(Check):
    """SAP's mail has a public IPv4 address, or a certificate of an accepted domain.

    A private address is never seen by Microsoft, whatever the guide's example
    says; IPv6 and ranges wider than /24 are not taken by a connector. One of
    the two has to be given: they are not combined.

    Source: guide, "Requirements for SMTP Relay" (relay access);
    New-InboundConnector.
    """

    title: ClassVar[str] = "Public address or certificate of the sender"
    guide: ClassVar[str] = "requirements-for-smtp-relay"
    address: str
    certificate: str = ""

    def expect(self) -> State:
        """Return the two ways, and that a certificate's domain is accepted."""
        return {
            "known by": OneOf(("address", "certificate")),
            "domain accepted": OneOf((True, "not needed")),
        }

    def observe(self, session: Session) -> Observation:
        """Read the parameters; for a certificate also the accepted domains."""
        known = of_session(session, self.address, self.certificate)
        if known.network is not None:
            seen: dict[str, object] = {
                "known by": "address",
                "domain accepted": "not needed",
                "addresses": [written(known.network)],
            }
            return Observation(seen, vantage="as declared in the parameters")
        name = str(known.certificate)
        rows = session.exchange.accepted_domains()
        domains = {str(row.get("DomainName")).lower() for row in rows}
        return Observation(
            {
                "known by": "certificate",
                "domain accepted": _below(name, domains),
                "certificate": name,
            },
            vantage="as declared in the parameters",
        )


def _below(name: str, domains: set[str]) -> bool:
    """Tell whether a certificate's name is one of the domains or below one."""
    plain = name.removeprefix("*.")
    return any(plain == one or plain.endswith(f".{one}") for one in domains)

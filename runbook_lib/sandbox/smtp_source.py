"""Where a client of the SMTP servers comes from, as the internet would see it.

All traffic is on loopback, and Microsoft sees public addresses only. So each
loopback address stands for a public one of the documentation ranges: 127.x.y.z
for 203.0.113.z, and ::1 for 2001:db8::1. A client that binds 127.0.0.10 plays a
server that is seen as 203.0.113.10. Greeting, connectors, SPF, Received fields
and message trace know the public address alone.
Source: ours; RFC 5737 and RFC 3849 for the ranges.
"""

import ipaddress
from dataclasses import dataclass
from typing import Any

PUBLIC_IPV4 = ipaddress.ip_network("203.0.113.0/24")
PUBLIC_IPV6 = ipaddress.ip_address("2001:db8::1")


@dataclass(frozen=True)
class Source:
    """The client of a connection.

    `address` is public; `names` are the domains of its TLS client certificate,
    empty without one; `cipher` is version and cipher of TLS as a Received field
    shows them, empty in clear text.
    """

    address: str
    names: tuple[str, ...] = ()
    cipher: str = ""

    @property
    def tls(self) -> bool:
        """Say whether the connection is encrypted."""
        return bool(self.cipher)


def public_address(peer: str) -> str:
    """Return the public address that a peer on loopback stands for."""
    address = ipaddress.ip_address(peer)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(PUBLIC_IPV6) if address.is_loopback else peer
        address = address.ipv4_mapped
    return str(PUBLIC_IPV4[address.packed[-1]]) if address.is_loopback else peer


def cipher_text(version: str | None, cipher: str) -> str:
    """Write version and cipher of TLS as Exchange writes them."""
    number = (version or "").removeprefix("TLSv").replace(".", "_")
    return f"version=TLS{number}, cipher={cipher}"


def certificate_names(certificate: dict[str, Any] | None) -> tuple[str, ...]:
    """Return the domains of a verified certificate, as `ssl` gives it.

    Common name of the subject and DNS names, in lower case.
    """
    if not certificate:
        return ()
    subject = [pair for group in certificate.get("subject", ()) for pair in group]
    common = [value for key, value in subject if key == "commonName"]
    named = [
        value for key, value in certificate.get("subjectAltName", ()) if key == "DNS"
    ]
    return tuple(dict.fromkeys(name.lower() for name in [*common, *named]))

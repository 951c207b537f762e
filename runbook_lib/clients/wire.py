"""How hosts are reached, and who is told of each exchange."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runbook_lib.errors import InputError, Refused


class Traffic(Protocol):
    """Is told of each exchange with a service, once, after it ended."""

    def __call__(self, exchange: Mapping[str, object], /) -> None:
        """Take one exchange: JSON values only, masked, without a time.

        Every exchange has `protocol` (https, http, smtp or dns), `write` and `error`
        (null when there was none). A connection that was never made is reported
        as well.
        """


def is_loopback(host: str) -> bool:
    """Return whether a host, as written, can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Wire:
    """How hosts are reached.

    `connect_to` names, per host and port, the address to connect to instead, as
    curl's option of that name; certificates are still verified for the host.
    `ca_file` is the only authority trusted; without it the system's trust store
    is. `proxy` is the URL of a proxy for HTTPS; hosts and ports in `direct` are in
    the own network and are reached without it. Those in `plain` may be read without
    TLS, never with a credential. `timeout` is in seconds and holds for each connect,
    read and write.
    """

    connect_to: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    ca_file: Path | None = None
    proxy: str | None = None
    timeout: float = 30.0
    direct: frozenset[tuple[str, int]] = frozenset()
    plain: frozenset[tuple[str, int]] = frozenset()

    def address(self, host: str, port: int) -> tuple[str, int]:
        """Return the address to connect to for a host and port.

        Raises:
            Refused: some hosts are redirected and this one is not. Redirecting
                is for the sandbox, and a sandbox run must not leave loopback.
        """
        found = self.connect_to.get((host.lower(), port))
        if found is not None:
            return found
        if self.connect_to and not is_loopback(host):
            raise Refused(
                f"{host}:{port} has no entry in connect_to, and a run against the"
                " sandbox connects nowhere else; nothing was sent.",
                remedy=f"Add {host}:{port} to connect_to in the tenant file.",
            )
        return host, port

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that verifies chain and host name, from TLS 1.2 on.

        Raises:
            InputError: `ca_file` is missing or is no PEM file of certificates.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"The CA file {self.ca_file} cannot be used: {error}.",
                remedy="Name a readable PEM file with the authority's certificate.",
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The library switches a log of session keys on by an environment variable.
        context.keylog_filename = None  # type: ignore[assignment]
        return context

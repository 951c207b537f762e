"""What `traffic.ndjson` says in numbers: who was asked, how often, what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runbook_lib.engine.record import TRAFFIC


@dataclass
class Service:
    """The exchanges with one host: counts, and who answered.

    `peers` are the addresses connected to; `issuers` the digests of the issuer
    names of the certificates that answered.
    """

    name: str
    protocol: str
    exchanges: int = 0
    writes: int = 0
    refused: int = 0
    unanswered: int = 0
    peers: set[str] = field(default_factory=set)
    issuers: set[str] = field(default_factory=set)

    def add(self, exchange: Mapping[str, object]) -> None:
        """Count one exchange."""
        self.exchanges += 1
        self.writes += exchange.get("write") is True
        self.unanswered += exchange.get("error") is not None
        self.refused += _refused(exchange)
        tls = exchange.get("tls")
        if exchange.get("peer"):
            self.peers.add(str(exchange["peer"]))
        if isinstance(tls, Mapping) and tls.get("issuer_sha256"):
            self.issuers.add(str(tls["issuer_sha256"]))


@dataclass(frozen=True)
class Traffic:
    """All services, in the order of first use, and lines that are no exchange."""

    services: tuple[Service, ...]
    unreadable: int

    @property
    def writes(self) -> int:
        """Return how many exchanges were writes."""
        return sum(service.writes for service in self.services)

    @property
    def exchanges(self) -> int:
        """Return how many exchanges there were."""
        return sum(service.exchanges for service in self.services)

    @property
    def issuers(self) -> dict[str, list[str]]:
        """Return the services per issuer of the certificates that answered."""
        found: dict[str, list[str]] = {}
        for service in self.services:
            for issuer in sorted(service.issuers):
                found.setdefault(issuer, []).append(service.name)
        return found


def read_traffic(folder: Path) -> Traffic | None:
    """Return the summary of a record's traffic, or None if nothing was recorded."""
    path = folder / TRAFFIC
    if not path.is_file():
        return None
    services: dict[tuple[str, str], Service] = {}
    unreadable = 0
    for exchange in _exchanges(path):
        if exchange is None:
            unreadable += 1
            continue
        key = str(exchange.get("protocol", "?")), _host(exchange)
        services.setdefault(key, Service(key[1], key[0])).add(exchange)
    return Traffic(tuple(services.values()), unreadable)


def _exchanges(path: Path) -> Iterator[Mapping[str, object] | None]:
    """Yield the lines of a file, one at a time; None for one that is torn."""
    with path.open("rb") as stream:
        for line in stream:
            try:
                exchange = json.loads(line)
            except ValueError:
                exchange = None
            yield exchange if isinstance(exchange, dict) else None


def _host(exchange: Mapping[str, object]) -> str:
    host, port = exchange.get("host"), exchange.get("port")
    if host is None:
        return str(exchange.get("server") or "resolver of this machine")
    return f"{host}:{port}" if port else str(host)


def _refused(exchange: Mapping[str, object]) -> bool:
    """Tell whether the service answered, and answered no: HTTP 4xx or 5xx."""
    status = exchange.get("status")
    return isinstance(status, int) and status >= 400

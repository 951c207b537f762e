"""A session whose services are tables, for steps of options 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from runbook_lib.cloud import PROFILES, Cloud
from runbook_lib.session import Session
from tests.clients.spf_zone import Zone, ZoneResolver

Row = Mapping[str, object]

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
ADDRESS = "203.0.113.10"
MX = "contoso-com.mail.protection.outlook.com"
DOMAINS = ({"DomainName": "contoso.com"}, {"DomainName": "contoso.onmicrosoft.com"})


@dataclass
class Exchange:
    """Exchange Online as tables; writes are kept and change the connectors."""

    connectors: list[dict[str, object]] = field(default_factory=list)
    domains: Sequence[Row] = DOMAINS
    recipients: Mapping[str, Row] = field(default_factory=dict)
    traces: Sequence[Row] = ()
    organization: Row = field(default_factory=lambda: {"RejectDirectSend": False})
    transport: Row = field(
        default_factory=lambda: {"SmtpClientAuthenticationDisabled": True}
    )
    asked: list[Mapping[str, object]] = field(default_factory=list)
    written: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def accepted_domains(self) -> Sequence[Row]:
        """Return the accepted domains."""
        return self.domains

    def recipient(self, identity: str) -> Row | None:
        """Return a recipient."""
        return self.recipients.get(identity)

    def inbound_connectors(self) -> Sequence[Row]:
        """Return the connectors."""
        return self.connectors

    def organization_config(self) -> Row:
        """Return the organization's settings."""
        return self.organization

    def transport_config(self) -> Row:
        """Return the transport settings."""
        return self.transport

    def message_trace(self, **wanted: object) -> Sequence[Row]:
        """Return the prepared rows, whatever is asked; keep what was."""
        self.asked.append(wanted)
        return self.traces

    def new_inbound_connector(self, name: str, **settings: object) -> None:
        """Keep what is written."""
        self.written.append((name, settings))

    def set_inbound_connector(self, identity: str, **settings: object) -> None:
        """Keep what is written."""
        self.written.append((identity, settings))

    def remove_inbound_connector(self, identity: str) -> None:
        """Keep what is written."""
        self.written.append((identity, {}))


def session_on(
    exchange: Exchange | None = None,
    *,
    target: str = "sandbox",
    zone: Zone | None = None,
    records: Sequence[Row] = (),
    endpoint: Any = None,
) -> Session:
    """Return what the steps use of a session, and no more."""
    tenant = SimpleNamespace(
        target=target,
        profile=PROFILES[Cloud.GLOBAL],
        domain="contoso.com",
        initial_domain="contoso.onmicrosoft.com",
    )
    graph = SimpleNamespace(service_configuration_records=lambda name: records)
    submission = SimpleNamespace(observe_endpoint=lambda host, port: endpoint())
    session = SimpleNamespace(
        tenant=tenant,
        run="example",
        mark="runbook:example",
        now=lambda: NOW,
        exchange=exchange or Exchange(),
        resolver=ZoneResolver(zone or {}),
        graph=graph,
        submission=submission,
    )
    return cast("Session", session)

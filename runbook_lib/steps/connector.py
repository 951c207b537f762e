"""The inbound connector by which Exchange Online relays SAP's mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Change, Check, NotAsExpected, Observation
from runbook_lib.session import MARK, Session
from runbook_lib.steps.mailbox import NOT_FOUND
from runbook_lib.steps.public_address import (
    Identification,
    identification,
    of_session,
)
from runbook_lib.steps.reading import Object, text, texts

STEPS = "step-by-step-configuration-instructions-for-smtp-relay-in-microsoft-365"
ALL_DOMAINS = "smtp:*;1"

# Shown beside the step's own properties, and never written.
BESIDE = (
    "RequireTls",
    "RestrictDomainsToIPAddresses",
    "RestrictDomainsToCertificate",
    "CloudServicesMailEnabled",
    "TreatMessagesAsInternal",
    "ConnectorSource",
    "Comment",
)


@dataclass(frozen=True)
class ConnectorConflicts(Check):
    """No other connector knows the same address or certificate.

    Two connectors for one sender leave it to chance which of them counts. The
    runbook's own connector, by its name, is left out.

    Source: New-InboundConnector; Microsoft Learn, "Configure mail flow using
    connectors in Exchange Online".
    """

    title: ClassVar[str] = "No other connector for this sender"
    guide: ClassVar[str] = STEPS
    name: str
    address: str
    certificate: str = ""

    def expect(self) -> State:
        """Return that there is none."""
        return {"connectors for this sender": []}

    def observe(self, session: Session) -> Observation:
        """Read the other connectors and compare what they know senders by."""
        known = of_session(session, self.address, self.certificate)
        rows = session.exchange.inbound_connectors()
        others = [row for row in rows if not _named(row, self.name)]
        found = [row for row in others if _same_sender(row, known)]
        return Observation(
            {"connectors for this sender": [str(row.get("Name")) for row in found]},
            context={"other connectors": [_summary(row) for row in others]},
        )


def _named(row: Object, name: str) -> bool:
    return (text(row, "Name") or "").lower() == name.lower()


def _same_sender(row: Object, known: Identification) -> bool:
    if known.network is None:
        return (text(row, "TlsSenderCertificateName") or "").lower() == (
            known.certificate
        )
    return any(
        known.network.overlaps(IPv4Network(entry, strict=False))
        for entry in texts(row, "SenderIPAddresses")
    )


def _summary(row: Object) -> str:
    enabled = "enabled" if row.get("Enabled") is True else "disabled"
    return f"{row.get('Name')} ({row.get('ConnectorType')}, {enabled})"


@dataclass(frozen=True)
class CreateRelayConnector(Change):
    """An enabled OnPremises connector knows SAP by its address or certificate.

    It lets SAP relay to recipients outside, from any address of an accepted
    domain. Only its type, state, domains and sender are this step's. RequireTls
    and the restrictions are documented for Partner connectors only: they are
    shown, and nothing is claimed of them. A connector of this name that another
    made is used if it is the same, and never changed.

    Source: guide, "Step-by-step configuration instructions for SMTP relay in
    Microsoft 365", steps 7 to 10; New-InboundConnector.
    """

    title: ClassVar[str] = "Create the inbound connector"
    guide: ClassVar[str] = STEPS
    requires: ClassVar[tuple[str, ...]] = (
        "relay-conditions",
        "operator-manages-connectors",
        "sender-domain",
        "sender-identification",
        "sender-attested",
        "connector-conflicts",
    )
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({NOT_FOUND})
    name: str
    address: str
    certificate: str = ""

    def expect(self) -> State:
        """Return type, state, domains, and what identifies the sender."""
        known = self._known()
        return {
            "ConnectorType": "OnPremises",
            "Enabled": True,
            "SenderDomains": [ALL_DOMAINS],
            "SenderIPAddresses": known.settings.get("SenderIPAddresses", []),
            "TlsSenderCertificateName": known.certificate,
        }

    def _known(self) -> Identification:
        # A step before this one refuses what the target does not allow.
        return identification(self.address, self.certificate, examples=True)

    def observe(self, session: Session) -> Observation:
        """Read the connector of this name."""
        row = self._row(session)
        if row is None:
            return Observation({}, exists=False)
        ours = _is_ours(row)
        seen = {name: row.get(name) for name in self.expect()}
        if not ours and seen != self.expect():
            raise _another(self.name, seen)
        return Observation(
            seen, context={name: row.get(name) for name in BESIDE}, adopt=not ours
        )

    def _row(self, session: Session) -> Mapping[str, object] | None:
        rows = session.exchange.inbound_connectors()
        return next((row for row in rows if _named(row, self.name)), None)

    def apply(self, session: Session) -> None:
        """Create it; or set what differs on the one that a run of ours made."""
        row = self._row(session)
        if row is not None and not _is_ours(row):
            raise _another(self.name, row)
        if row is None:
            session.exchange.new_inbound_connector(
                self.name,
                connector_type="OnPremises",
                sender_domains=["*"],
                comment=session.mark,
                **self._known().settings,
            )
            return
        wanted = {**self.expect(), "SenderDomains": ["*"]}
        session.exchange.set_inbound_connector(self.name, **wanted)

    def revert(self, session: Session, before: State, after: State) -> None:
        """Remove what was created; or set again what stood there."""
        if before.get("ConnectorType") is None:
            session.exchange.remove_inbound_connector(self.name)
            return
        settings = {name: before.get(name) for name in self.expect()}
        session.exchange.set_inbound_connector(self.name, **settings)


def _is_ours(row: Mapping[str, object]) -> bool:
    return (text(row, "Comment") or "").startswith(MARK)


def _another(name: str, seen: State) -> NotAsExpected:
    return NotAsExpected(
        f"There is a connector {name!r} that this project did not make.",
        remedy="Choose another connector_name, or let its owner change it.",
        remedy_id="create-relay-connector",
        facts={"found": dict(seen)},
    )

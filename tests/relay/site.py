"""A place where relays stand: folders, certificates, and an upstream by a table."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import trustme

from runbook_lib.mail_limits import Limits
from runbook_lib.relay.design import RelayDesign
from runbook_lib.relay.design import Upstream as Kind
from tests.clients.servers import server_context
from tests.relay.designs import design
from tests.relay.postfix import places
from tests.relay.upstream import Upstream

# No pause between messages, so that a burst is over in seconds.
QUICK = Limits(messages_per_minute=0)


@dataclass
class Site:
    """Makes designs whose files stand below one folder."""

    folder: Path
    authority: trustme.CA

    def relay(self, name: str = "relay1", **changes: Any) -> RelayDesign:
        """Return a design below the folder, listening on loopback."""
        place = self.folder / name
        place.mkdir()
        trust = self.folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(trust))
        own = self.authority.issue_cert("relay1.contoso.com")
        own.private_key_and_cert_chain_pem.write_to_path(str(place / "server.pem"))
        basis = design(
            hostname=f"{name}.contoso.com",
            listen="127.0.0.1",
            port=free_port("127.0.0.1"),
            networks=("127.0.0.1/32",),
            upstream=Kind.PASSWORD,
            submission="localhost",
            mx="localhost",
            limits=QUICK,
            places=places(place, trust),
        )
        return replace(basis, **changes)

    def upstream(
        self,
        name: str = "localhost",
        *,
        asks: bool = True,
        offers: bool = True,
        port: int = 0,
    ) -> Upstream:
        """Return an upstream with a certificate for a name; port 0: any free one."""
        context = server_context(self.authority, name)
        return Upstream(context, asks=asks, offers=offers, port=port)


def free_port(address: str) -> int:
    """Return a port that is free on an address."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])

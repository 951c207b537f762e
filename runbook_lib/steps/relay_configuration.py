"""The files of a relay server: rendered, guarded and sized before any is installed."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.deadlines import SMTP_AUTH
from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Check, NotAsExpected, Observation
from runbook_lib.mail_limits import external_recipients_per_day
from runbook_lib.relay.bundle import render
from runbook_lib.relay.design import Upstream
from runbook_lib.relay.guards import refusals
from runbook_lib.relay.request import designed, loaded
from runbook_lib.relay.sizing import size_relays
from runbook_lib.session import Session

OPTION = "option-4-using-smtp-relay-server-as-intermediary-to-exchange-online"


@dataclass(frozen=True)
class RelayConfiguration(Check):
    """The files are rendered, and nothing in them opens the relay to strangers.

    Lists are separated by blanks. `networks` are the SAP hosts as CIDR blocks,
    `senders` the addresses that may send (empty: the mailbox), `upstream` how the
    relay hands on. A sign-in with a password is rendered, with an advice: its end
    is announced.

    Source: guide, option 4; Postfix documentation.
    """

    title: ClassVar[str] = "Configuration of the relay"
    guide: ClassVar[str] = OPTION
    relay_host: str
    listen: str
    networks: str
    senders: str
    upstream: str
    application_id: str
    credential: str
    relays: str
    balancer: str
    balancers: str
    peers: str
    clear_from_sap: str

    def expect(self) -> State:
        """Return that no guard refuses the design."""
        return {"refused": []}

    def observe(self, session: Session) -> Observation:
        """Render the files; their digests go to the record."""
        design = designed(session.tenant, dataclasses.asdict(self))
        refused = refusals(design)
        if refused:
            raise NotAsExpected(
                " ".join(refused),
                remedy="Name the SAP hosts, their senders and the upstream exactly.",
                remedy_id=self.id,
                facts={"refused": refused},
            )
        files = {name: file.text for name, file in render(design).items()}
        return Observation(
            {"refused": []},
            context={
                "files": sorted(files),
                "may relay from": list(design.networks),
                "may send as": list(design.senders),
                "hands on to": f"{design.host}:{design.host_port}",
            },
            advice=self._advice(session),
            facts={name: _digest(text) for name, text in files.items()},
        )

    def _advice(self, session: Session) -> str | None:
        if self.upstream != Upstream.PASSWORD:
            return None
        begun = SMTP_AUTH.reached(session.now().date())
        state = "A stage has begun. " if begun else ""
        told = "; ".join(SMTP_AUTH.sentences())
        return f"{state}Sign-in with a password ends (as of {SMTP_AUTH.as_of}): {told}."


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class RelaySizing(Check):
    """The limits of mailbox and tenant suffice for the load, with room for an outage.

    `peak_hour` and `day` are messages, `size` bytes of a mean message on the wire,
    `outage` hours, `licenses` the tenant's (empty: not judged).

    Source: guide, option 4 ("follow a detailed sizing guide"); Microsoft Learn,
    "Exchange Online limits".
    """

    title: ClassVar[str] = "Sizing of the relay"
    guide: ClassVar[str] = OPTION
    upstream: str
    peak_hour: str
    day: str
    size: str
    outage: str
    licenses: str = ""

    def expect(self) -> State:
        """Return that nothing is too small."""
        return {"problems": []}

    def observe(self, session: Session) -> Observation:
        """Compute; the arithmetic stands beside the result."""
        load = loaded(dataclasses.asdict(self))
        found = size_relays(load)
        problems = [*found.problems, *self._external(load.day)]
        return Observation(
            {"problems": problems},
            context={
                "relays": found.relays,
                "connections": found.connections,
                "messages an hour": found.rate,
                "disk for the queue (bytes)": found.disk,
                "hours to empty it": found.drain_hours,
                "arithmetic": list(found.lines),
            },
        )

    def _external(self, day: int) -> list[str]:
        """Return the tenant's limit as a problem, if all mail of a day went outside."""
        if not self.licenses.strip().isdigit():
            return []
        most = external_recipients_per_day(int(self.licenses))
        if day <= most:
            return []
        return [
            f"{day} messages a day are more than the {most} external recipients of "
            "the tenant, if all go outside."
        ]

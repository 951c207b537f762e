"""The MX endpoint of a domain: its name, and the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from runbook_lib.engine.expect import Present, State
from runbook_lib.engine.step import Check, Observation
from runbook_lib.errors import CannotLook
from runbook_lib.sap.endpoint import read_sender_view
from runbook_lib.session import Session
from runbook_lib.steps.reading import text
from runbook_lib.steps.smtp_endpoint import (
    endpoint_expected,
    endpoint_facts,
    endpoint_seen,
    overlaid,
)

PORT = 25


@dataclass(frozen=True)
class MxEndpoint(Check):
    """The tenant names the host that takes mail for the domain.

    It comes from the tenant's own records, because public DNS may lead to a
    filter in front of Exchange Online. A difference is told and does not fail
    the step: SAP is given the endpoint itself.

    Source: guide, "Requirements for SMTP Relay" (MX record); Microsoft Graph,
    domain-list-serviceconfigurationrecords.
    """

    title: ClassVar[str] = "MX endpoint of the domain"
    guide: ClassVar[str] = "requirements-for-smtp-relay"
    domain: str

    def expect(self) -> State:
        """Return that there is one."""
        return {"mailExchange": Present()}

    def observe(self, session: Session) -> Observation:
        """Read the tenant's records and the published ones."""
        records = session.graph.service_configuration_records(self.domain)
        ours = [text(r, "mailExchange") for r in records if r.get("recordType") == "Mx"]
        endpoint = (ours[0] or "").lower() if ours else None
        answer = session.resolver.mx(self.domain)
        published = [value.partition(" ")[2].lower() for value in answer.values]
        return Observation(
            {"mailExchange": endpoint or None},
            context={"MX in DNS": published},
            advice=_difference(endpoint, published),
            vantage="this machine",
        )


def _difference(endpoint: str | None, published: list[str]) -> str | None:
    if endpoint is None or published == [endpoint]:
        return None
    if not published:
        return "Public DNS has no MX record for this domain."
    others = ", ".join(host for host in published if host != endpoint)
    return (
        f"Public DNS leads mail for this domain to {others}. SAP hands its mail to "
        "the MX endpoint itself, past that host: ask its owner whether that is meant."
    )


@dataclass(frozen=True)
class MxPort(Check):
    """The MX endpoint answers on port 25 and offers TLS 1.2 or newer.

    Many networks, and most Azure subscriptions, block outgoing port 25. What
    counts is the SAP host: `probe` names a file that `runbook probe --port 25`
    wrote there, or a text with pasted output of telnet, niping or openssl. With
    it, this machine need not reach the port.

    Source: guide, "Requirements for SMTP Relay" (TLS, port 25).
    """

    title: ClassVar[str] = "Port 25 and STARTTLS of the MX endpoint"
    guide: ClassVar[str] = "requirements-for-smtp-relay"
    remedies: ClassVar[Mapping[str, str]] = {"Unreachable": "mx-port"}
    host: str
    probe: str = ""

    def expect(self) -> State:
        """Return what a sender without sign-in needs of the host."""
        return endpoint_expected()

    def observe(self, session: Session) -> Observation:
        """Look from here, and let the sender's view stand where there is one."""
        if not self.probe:
            return self._from_here(session)
        view = read_sender_view(Path(self.probe), self.host)
        try:
            here = self._from_here(session)
        except CannotLook as error:
            here = Observation(
                dict.fromkeys(self.expect()),
                facts={"from this machine": error.message},
            )
        return overlaid(here, view)

    def _from_here(self, session: Session) -> Observation:
        answer = session.resolver.addresses(self.host)
        facts = session.submission.observe_endpoint(self.host, PORT)
        return Observation(
            {"resolves": bool(answer.values), **endpoint_seen(facts)},
            context={"AUTH": list(facts.auth)},
            vantage="this machine",
            advice="Seen from this machine, not from the SAP host: run "
            f"`runbook probe --host {self.host} --port {PORT}` there.",
            facts=endpoint_facts(answer, facts),
        )

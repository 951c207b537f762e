"""What the operator may do, as far as options 2 and 3 need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import Including, OneOf, State
from runbook_lib.engine.step import Check, Observation
from runbook_lib.session import Session
from runbook_lib.steps.prerequisites import ADMINISTRATORS
from runbook_lib.steps.reading import text, texts

READERS = (*ADMINISTRATORS, "Global Reader")
REMEDIES = {
    "roles (Microsoft Graph)": "not-permitted",
    "roles (Exchange Online)": "not-permitted",
    "directory role": "not-permitted",
}


def observed(session: Session, accepted: tuple[str, ...]) -> Observation:
    """Read the claims of the operator's tokens and its directory roles."""
    graph = session.operator_token("graph").claims
    exchange = session.operator_token("exchange").claims
    held = session.graph.directory_roles(str(graph.get("oid")))
    names = [str(role.get("displayName")) for role in held]
    return Observation(
        {
            "roles (Microsoft Graph)": sorted(texts(graph, "roles")),
            "roles (Exchange Online)": sorted(texts(exchange, "roles")),
            "directory role": next((n for n in accepted if n in names), None),
        },
        context={
            "application": text(graph, "app_displayname"),
            "appid": text(graph, "appid"),
            "directory roles": names,
        },
    )


def expected(accepted: tuple[str, ...]) -> State:
    """Return the least app roles, and the directory roles of which one is held."""
    return {
        "roles (Microsoft Graph)": Including(("Domain.Read.All",)),
        "roles (Exchange Online)": Including(("Exchange.ManageAsApp",)),
        "directory role": OneOf(accepted),
    }


@dataclass(frozen=True)
class OperatorReadsMailFlow(Check):
    """The operator may read domains, the organization's settings and traces.

    Source: Microsoft Graph permissions reference; app-only authentication of
    Exchange Online.
    """

    title: ClassVar[str] = "Operator may read domains and mail flow"
    guide: ClassVar[str] = "option-2-smtp-direct-send"
    remedies: ClassVar[Mapping[str, str]] = REMEDIES

    def expect(self) -> State:
        """Return what reading needs."""
        return expected(READERS)

    def observe(self, session: Session) -> Observation:
        """Read the operator's tokens and roles."""
        return observed(session, READERS)


@dataclass(frozen=True)
class OperatorManagesConnectors(Check):
    """The operator may also make, change and remove inbound connectors.

    Source: Microsoft Graph permissions reference; app-only authentication of
    Exchange Online; New-InboundConnector.
    """

    title: ClassVar[str] = "Operator may manage connectors"
    guide: ClassVar[str] = (
        "step-by-step-configuration-instructions-for-smtp-relay-in-microsoft-365"
    )
    remedies: ClassVar[Mapping[str, str]] = REMEDIES

    def expect(self) -> State:
        """Return what managing needs."""
        return expected(ADMINISTRATORS)

    def observe(self, session: Session) -> Observation:
        """Read the operator's tokens and roles."""
        return observed(session, ADMINISTRATORS)

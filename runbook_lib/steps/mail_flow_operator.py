"""What the operator may do, as far as options 2 and 3 need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Check, Observation
from runbook_lib.session import Session
from runbook_lib.steps.operator_roles import (
    ADMINISTRATORS,
    REMEDIES,
    expected_roles,
    held_roles,
)

READERS = (*ADMINISTRATORS, "Global Reader")
READS_DOMAINS = ("Domain.Read.All",)


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
        return expected_roles(READS_DOMAINS, READERS)

    def observe(self, session: Session) -> Observation:
        """Read the operator's tokens and roles."""
        return held_roles(session, READERS)


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
        return expected_roles(READS_DOMAINS, ADMINISTRATORS)

    def observe(self, session: Session) -> Observation:
        """Read the operator's tokens and roles."""
        return held_roles(session, ADMINISTRATORS)

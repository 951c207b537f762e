"""When the guide allows option 3 at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, Present, State
from runbook_lib.engine.step import Awaited, Check, Observation
from runbook_lib.session import Session
from runbook_lib.steps.choice.reading import yes_no

FLAG = "SmtpClientAuthenticationDisabled"


@dataclass(frozen=True)
class RelayConditions(Check):
    """The guide's three conditions for a relay connector.

    SMTP OAuth 2.0 does not fit, for a reason that is stated; there are
    recipients outside, or Direct Send is rejected, so that option 2 does not
    do. Until both are stated the step waits. Whether SMTP AUTH is disabled in
    the tenant is read and told: a connector works either way.

    Source: guide, "Option 3: Using Microsoft 365 SMTP Relay Connector";
    Get-TransportConfig, Get-OrganizationConfig.
    """

    title: ClassVar[str] = "Conditions for a relay connector"
    guide: ClassVar[str] = "option-3-using-microsoft-365-smtp-relay-connector"
    why_not_oauth: str
    external: str

    def expect(self) -> State:
        """Return what has to be stated or read for each condition."""
        return {
            "why not option 1": Present(),
            "why not option 2": OneOf(("external recipients", "RejectDirectSend")),
            FLAG: OneOf((True, False)),
        }

    def observe(self, session: Session) -> Observation:
        """Take what is stated, and read the two settings."""
        disabled = session.exchange.transport_config().get(FLAG)
        rejected = session.exchange.organization_config().get("RejectDirectSend")
        outside = yes_no("external", self.external)
        reason = "RejectDirectSend" if rejected is True else None
        return Observation(
            {
                "why not option 1": self.why_not_oauth.strip() or None,
                "why not option 2": "external recipients" if outside else reason,
                FLAG: disabled,
            },
            context={"RejectDirectSend": rejected},
            advice=_advice(disabled),
            awaits=_asked(self.why_not_oauth, outside),
        )


def _asked(why_not_oauth: str, outside: bool | None) -> Awaited | None:
    if outside is None:
        return Awaited("Say in external whether SAP sends to recipients outside.")
    if not why_not_oauth.strip():
        return Awaited("Say in why_not_oauth why option 1 does not fit.")
    return None


def _advice(disabled: object) -> str | None:
    if disabled is not False:
        return None
    return (
        "SMTP AUTH is allowed in this tenant. The guide names a connector for "
        "tenants that disable it: make sure that option 1 does not fit."
    )

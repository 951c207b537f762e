"""What the organization's policies say about option 1; none of them is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Check, NothingToDo, Observation
from runbook_lib.session import Session
from runbook_lib.steps.reading import objects

PREREQUISITES = "prerequisites"


@dataclass(frozen=True)
class OrganizationSmtpAuth(Check):
    """The organization's SMTP AUTH setting, which this runbook leaves alone.

    Either value passes: the mailbox's own setting wins over it.

    Source: Get-TransportConfig; Microsoft Learn, "Enable or disable
    authenticated client SMTP submission".
    """

    title: ClassVar[str] = "SMTP AUTH state of the organization"
    guide: ClassVar[str] = "activate-smtp-auth-for-the-mailbox"

    def expect(self) -> State:
        """Return both values."""
        return {"SmtpClientAuthenticationDisabled": OneOf((True, False))}

    def observe(self, session: Session) -> Observation:
        """Read the organization's value."""
        found = session.exchange.transport_config()
        disabled = found.get("SmtpClientAuthenticationDisabled")
        advice = (
            "SMTP AUTH is allowed for every mailbox without a value of its own; "
            "Microsoft recommends to disable it for the organization."
        )
        return Observation(
            {"SmtpClientAuthenticationDisabled": disabled},
            advice=advice if disabled is False else None,
        )


@dataclass(frozen=True)
class SecurityDefaults(Check):
    """Whether security defaults are on; both values pass, on is advised about.

    Whether they refuse an application's XOAUTH2 sign-in is not documented: the
    sign-in step proves it.

    Source: Microsoft Graph identitySecurityDefaultsEnforcementPolicy.
    """

    title: ClassVar[str] = "Security defaults"
    guide: ClassVar[str] = PREREQUISITES

    def expect(self) -> State:
        """Return both values."""
        return {"isEnabled": OneOf((True, False))}

    def observe(self, session: Session) -> Observation:
        """Read the policy."""
        enabled = session.graph.security_defaults_enabled()
        advice = (
            "Security defaults are on. Whether they refuse this sign-in is not "
            "documented; the SMTP sign-in of this runbook proves it."
        )
        return Observation({"isEnabled": enabled}, advice=advice if enabled else None)


@dataclass(frozen=True)
class ApplicationManagementPolicy(Check):
    """The tenant lets an application have a client secret, where one is made.

    With a certificate none is, unless a temporary one proves the sign-in.

    Source: Microsoft Graph tenantAppManagementPolicy.
    """

    title: ClassVar[str] = "App management policy allows a client secret"
    guide: ClassVar[str] = "client-id-and-secret"
    credential: str = "secret"
    temporary: str = "no"

    def applicable(self) -> None:
        """Leave it out where no client secret is made."""
        if self.credential == "certificate" and self.temporary != "yes":
            raise NothingToDo(
                "not_applicable", "The credential is a certificate: no secret is made."
            )

    def expect(self) -> State:
        """Return that a password may be added."""
        return {"passwordAddition": "allowed"}

    def observe(self, session: Session) -> Observation:
        """Read the tenant's default policy."""
        policy = session.graph.default_app_management_policy()
        enabled = policy.get("isEnabled") is True
        rules = _password_rules(policy) if enabled else []
        forbidden = [r for r in rules if r.get("restrictionType") == "passwordAddition"]
        longest = [
            r.get("maxLifetime")
            for r in rules
            if r.get("restrictionType") == "passwordLifetime"
        ]
        return Observation(
            {"passwordAddition": "forbidden" if forbidden else "allowed"},
            context={"isEnabled": enabled, "maxLifetime": longest},
        )


def _password_rules(policy: Mapping[str, object]) -> list[dict[str, object]]:
    restrictions = policy.get("applicationRestrictions")
    found = restrictions if isinstance(restrictions, Mapping) else {}
    rules = objects(found, "passwordCredentials")
    return [rule for rule in rules if rule.get("state", "enabled") == "enabled"]

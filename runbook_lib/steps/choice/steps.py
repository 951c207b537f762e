"""The steps by which an option is chosen: what is measured, and the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Awaited, Check, NotAsExpected, Observation
from runbook_lib.sap.endpoint import read_sender_view
from runbook_lib.session import Session
from runbook_lib.steps.choice.reading import read_profile, yes_no
from runbook_lib.steps.choice.recommendation import (
    NEXT_STEPS,
    Reason,
    Recommendation,
    recommend,
)

SETUP = "setup-considerations"
FLAG = "SmtpClientAuthenticationDisabled"


@dataclass(frozen=True)
class MailPolicies(Check):
    """What the tenant says of SMTP AUTH and of Direct Send.

    Any value passes: the values are what the choice looks at.

    Source: Get-TransportConfig, Get-CASMailbox, Get-OrganizationConfig.
    """

    title: ClassVar[str] = "SMTP AUTH and Direct Send in the tenant"
    guide: ClassVar[str] = SETUP
    mailbox: str

    def expect(self) -> State:
        """Return that each was read."""
        return {
            f"organization's {FLAG}": OneOf((True, False)),
            "RejectDirectSend": OneOf((True, False)),
        }

    def observe(self, session: Session) -> Observation:
        """Read the organization's settings, and the mailbox's if there is one."""
        cas = session.exchange.cas_mailbox(self.mailbox)
        return Observation(
            {
                f"organization's {FLAG}": session.exchange.transport_config().get(FLAG),
                "RejectDirectSend": session.exchange.organization_config().get(
                    "RejectDirectSend"
                ),
            },
            context={
                "mailbox": self.mailbox if cas else None,
                f"mailbox's {FLAG}": cas.get(FLAG) if cas else None,
            },
        )


@dataclass(frozen=True)
class ChooseOption(Check):
    """One of the four options fits what is known, and is the guide's first choice.

    `facts` are the declared facts, each as name=value; an empty value is
    unknown. A probe file of the SAP host counts more than a declared port.
    Facts that are missing and matter are asked for.

    Source: guide, “Setup considerations” and the prerequisites of each option.
    """

    title: ClassVar[str] = "Option that fits"
    guide: ClassVar[str] = SETUP
    remedies: ClassVar[Mapping[str, str]] = {"recommendation": "no-option-fits"}
    facts: Sequence[str]
    mx_host: str

    def expect(self) -> State:
        """Return the outcomes that tell what to do."""
        options = (f"option {number}" for number in (1, 2, 3, 4))
        return {"recommendation": OneOf((*options, "managed by SAP"))}

    def observe(self, session: Session) -> Observation:
        """Read the facts, measured ones first, and judge them."""
        declared = dict(fact.partition("=")[::2] for fact in self.facts)
        ports = {
            "port_587": _port(declared, "submission", session.tenant.endpoints.smtp),
            "port_25": _port(declared, "mx", self.mx_host),
        }
        known = {**declared, **{name: port.open for name, port in ports.items()}}
        rejected = session.exchange.organization_config().get("RejectDirectSend")
        found = recommend(read_profile(known, direct_send_rejected=rejected is True))
        return Observation(
            {
                "recommendation": found.verdict,
                "notebook": found.notebook,
                **_reasons(found),
            },
            context={name: str(port) for name, port in ports.items()},
            vantage="as declared in the parameters, and as read in the tenant",
            awaits=_asked(found),
        )


@dataclass(frozen=True)
class _Port:
    """Whether a port is open, as yes, no or nothing, and how that is known."""

    open: str
    vantage: str

    def __str__(self) -> str:
        """Return both in one phrase."""
        said = {"yes": "open", "no": "closed"}.get(self.open.strip().lower())
        return f"{said}: {self.vantage}" if said else "not known"


def _port(declared: Mapping[str, str], port: str, host: str) -> _Port:
    """Return what a probe shows of a port, else what is declared.

    Raises:
        NotAsExpected: the two contradict each other.
    """
    said = declared[f"port_{port}"]
    if not declared[f"probe_{port}"]:
        return _Port(said, "as declared")
    view = read_sender_view(Path(declared[f"probe_{port}"]), host)
    connects = view.properties.get("connects")
    seen = "" if connects is None else "yes" if connects is True else "no"
    known = yes_no(f"port_{port}", said)
    if known is not None and said.strip().lower() != seen:
        raise NotAsExpected(
            f"port_{port} is declared {said}, but the probe of the SAP host says "
            f"{seen or 'nothing of it'}.",
            remedy="Correct the parameter, or run the probe again.",
            remedy_id="choose-option",
        )
    return _Port(seen, view.vantage)


def _reasons(found: Recommendation) -> dict[str, object]:
    shown: dict[str, object] = {
        f"against option {reason.option}": _sentence(reason) for reason in found.against
    }
    if found.conditions:
        shown["with it"] = list(found.conditions)
    if found.verdict == "nothing fits":
        shown["next steps"] = list(NEXT_STEPS)
    return shown


def _sentence(reason: Reason) -> str:
    return f"{reason.rule}: {reason.sentence} ({reason.source})"


def _asked(found: Recommendation) -> Awaited | None:
    if not found.questions:
        return None
    return Awaited(f"Undetermined. {' '.join(found.questions)}")

"""SPF: the published policy lets SAP's address send for the domain."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import ClassVar

from runbook_lib.clients import spf
from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Awaited, Check, NothingToDo, Observation
from runbook_lib.session import Session
from runbook_lib.steps.public_address import of_session, written
from runbook_lib.steps.spf_policy import proposed

STEPS = "step-by-step-configuration-instructions-for-smtp-relay-in-microsoft-365"


@dataclass(frozen=True)
class SpfRecord(Check):
    """Receivers that evaluate the domain's SPF policy let SAP's address pass.

    The policy is evaluated as a receiver would, through the recorded resolver.
    While it does not pass, the step waits for whoever keeps the DNS zone, and
    shows the one record to publish. A policy that is an error fails the step:
    it harms all mail of the domain. For a range both ends are evaluated.

    Source: guide, "Step-by-step configuration instructions for SMTP relay in
    Microsoft 365", step 11; RFC 7208.
    """

    title: ClassVar[str] = "SPF record names the address"
    guide: ClassVar[str] = STEPS
    domain: str
    address: str
    certificate: str = ""

    def expect(self) -> State:
        """Return the result of the evaluation."""
        return {"SPF": "pass"}

    def observe(self, session: Session) -> Observation:
        """Evaluate the published policy, and the one that is proposed."""
        network = of_session(session, self.address, self.certificate).network
        if network is None:
            raise NothingToDo(
                "not_applicable",
                "A sender that is known by its certificate has no fixed address.",
            )
        found = _worst(session, self.domain, network)
        records = spf.published(session.resolver, self.domain)
        include = session.tenant.profile.spf_include.value
        new = proposed(records, written(network), include)
        trial = spf.whole_cost(session.resolver, self.domain, new)
        passes = found.result == "pass"
        return Observation(
            {"SPF": found.result},
            context={
                "published": list(records),
                **({} if passes else {"to publish": new}),
                "DNS lookups of the whole policy": _cost(session, self.domain, records),
            },
            advice=_advice(trial, new),
            vantage="this machine",
            facts={"explanation": found.explanation},
            awaits=_awaited(found, self.domain, new),
        )


def _worst(session: Session, domain: str, network: IPv4Network) -> spf.Evaluation:
    """Return the first evaluation of a range's ends that does not pass."""
    ends = dict.fromkeys([str(network[0]), str(network[-1])])
    found = [spf.evaluate(session.resolver, domain, address) for address in ends]
    return next((one for one in found if one.result != "pass"), found[0])


def _cost(session: Session, domain: str, records: tuple[str, ...]) -> int | None:
    if len(records) != 1:
        return None
    return spf.whole_cost(session.resolver, domain).lookups


def _awaited(found: spf.Evaluation, domain: str, new: str) -> Awaited | None:
    if found.result == "permerror":
        return None
    return Awaited(f"Waiting for a TXT record of {domain}: {new}")


def _advice(trial: spf.Evaluation, new: str) -> str | None:
    """Warn of a policy that other senders of the domain run into."""
    if trial.result != "permerror":
        return None
    return (
        f"The policy fails for senders further down: {trial.explanation}. RFC 7208 "
        f"allows {spf.LOOKUP_LIMIT} terms that ask DNS and {spf.VOID_LIMIT} answers "
        "without a record; name addresses in the place of includes."
    )

"""From addresses that SAP will use, against what may be sent as: one row each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Observation, Probe
from runbook_lib.session import Session
from runbook_lib.steps.prerequisites import existing_mailbox
from runbook_lib.steps.reading import text
from runbook_lib.steps.senders import MAILBOX, PRINCIPAL, SEND_AS, addresses_of

UNCOVERED = "not covered"
OWN, ALIAS = "the mailbox itself", "an alias of the mailbox"
ALIASES_OFF = f"{UNCOVERED}: an alias, and SendFromAliasEnabled is off"
USERS = "users without an address in SU01"
RELAYED = "an accepted domain; no mailbox is needed"

Row = dict[str, str]


@dataclass(frozen=True)
class SenderMatrix(Probe):
    """Each From address that SAP will use may be sent as, by this option.

    Addresses come from the tenant file (`sap_mail.senders`), from the parameter,
    and from the default domain, which makes those of users without one. By option
    1 the mailbox, its aliases and whatever has a Send As for the mailbox or the
    service principal (`object_id`) may be sent as; by the others any address of an
    accepted domain. Which of the two has to hold Send As is not settled, so either
    counts, and the row says which.

    Source: guide, "Limitations of SMTP OAuth" and option 2; Get-Mailbox,
    Get-RecipientPermission, Get-AcceptedDomain; SAP Help, Default Domain.
    """

    title: ClassVar[str] = "Senders of SAP may be sent as"
    guide: ClassVar[str] = "limitations-of-smtp-oauth"
    option: str
    sender: str
    senders: str = ""
    object_id: str = ""

    def expect(self) -> State:
        """Return that no address is left over."""
        return {UNCOVERED: []}

    def observe(self, session: Session) -> Observation:
        """Read what may be sent as, and hold each address against it."""
        cover = _by_mailbox if self.option == "1" else _by_domain
        named = self._named(session)
        rows = [
            {"address": address, "known from": where, "covered by": covered}
            for (address, where), covered in zip(
                named.items(), cover(session, self, list(named)), strict=True
            )
        ]
        missing = [row["address"] for row in rows if UNCOVERED in row["covered by"]]
        return Observation(
            {UNCOVERED: missing},
            context={"senders": [*rows, self._users(session)]},
            advice=None if session.tenant.sap_mail.senders else _UNDECLARED,
        )

    def _named(self, session: Session) -> dict[str, str]:
        """Return the addresses, in lower case, with where each is known from."""
        declared = session.tenant.sap_mail.senders
        others = [part for part in re.split(r"[\s,;]+", self.senders) if part]
        known = dict.fromkeys((a.lower() for a in others), "parameter senders")
        known |= dict.fromkeys((a.lower() for a in declared), "tenant file")
        return {self.sender.lower(): "address of the test mail", **known}

    def _users(self, session: Session) -> Row:
        """Return the row of the addresses that SAP makes of the default domain."""
        domain = session.tenant.domain
        refused = f"{UNCOVERED}: give each such user a covered address in SU01"
        return {
            "address": f"SAP-USER@{domain}",
            "known from": f"default domain: {USERS}",
            "covered by": refused if self.option == "1" else RELAYED,
        }


_UNDECLARED = (
    "The tenant file names no sap_mail.senders: only what is named here was judged. "
    "SAP takes From from SU01 or from the program."
)


def _by_mailbox(session: Session, step: SenderMatrix, named: list[str]) -> list[str]:
    found = existing_mailbox(session, step.sender)
    primary = (text(found, "PrimarySmtpAddress") or "").lower()
    aliases = addresses_of(found) - {primary}
    covers = _alias_covers(session) if aliases & set(named) else ""
    return [
        OWN
        if address == primary
        else covers
        if address in aliases
        else _granted(session, step, address)
        for address in named
    ]


def _alias_covers(session: Session) -> str:
    """Return what an alias is worth: one setting decides for the organization."""
    enabled = session.exchange.organization_config().get("SendFromAliasEnabled")
    return ALIAS if enabled is True else ALIASES_OFF


def _granted(session: Session, step: SenderMatrix, address: str) -> str:
    held = list(_holders(session, step, address))
    if held:
        return f"Send As of {' and '.join(held)}"
    return f"{UNCOVERED}: neither an alias nor Send As"


def _holders(session: Session, step: SenderMatrix, address: str) -> Iterator[str]:
    """Yield who holds Send As for an address, of those who might need it."""
    trustees = {MAILBOX: step.sender, PRINCIPAL: step.object_id}
    exchange = session.exchange
    if exchange.mailbox(address) is None:
        return
    for who, trustee in trustees.items():
        if not trustee or not _known(session, who, trustee):
            continue
        rows = exchange.recipient_permissions(address, trustee=trustee)
        if any(SEND_AS in str(row.get("AccessRights")) for row in rows):
            yield f"the {who.replace('-', ' ')}"


def _known(session: Session, who: str, trustee: str) -> bool:
    """Tell whether Exchange knows the trustee: it answers about no other."""
    return who == MAILBOX or session.exchange.service_principal(trustee) is not None


def _by_domain(session: Session, step: SenderMatrix, named: list[str]) -> list[str]:
    rows = session.exchange.accepted_domains()
    domains = {(text(row, "DomainName") or "").lower() for row in rows}
    foreign = f"{UNCOVERED}: no accepted domain of the organization"
    return [
        RELAYED if address.rpartition("@")[2] in domains else foreign
        for address in named
    ]

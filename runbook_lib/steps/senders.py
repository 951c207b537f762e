"""From addresses beside the mailbox's own: whose they are, and Send As for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Change, Check, NothingToDo, Observation
from runbook_lib.errors import InputError
from runbook_lib.session import Session
from runbook_lib.steps.mailbox import NOT_FOUND
from runbook_lib.steps.prerequisites import existing_mailbox
from runbook_lib.steps.reading import text, texts
from runbook_lib.tenant_fields import Address

LIMITATIONS = "limitations-of-smtp-oauth"
# A message from each is sent in one go, and 30 a minute are taken.
MOST = 20
_ADDRESS: TypeAdapter[str] = TypeAdapter(Address)

ALIAS = "address of the mailbox itself"
OTHER = "address of another mailbox"
SEND_AS = "SendAs"

NOBODY, PRINCIPAL, MAILBOX = "none", "service-principal", "mailbox"


def further_senders(senders: str, mailbox: str) -> tuple[str, ...]:
    """Read the addresses, without the mailbox's own, in the order given.

    They are separated by commas or blanks.

    Raises:
        InputError: one is no address, or there are too many.
        NothingToDo: there is none.
    """
    named = [_address(part) for part in re.split(r"[\s,;]+", senders) if part]
    others = tuple(dict.fromkeys(n for n in named if n != mailbox.lower()))
    if not others:
        raise NothingToDo(
            "not_applicable", "SAP sends from the address of the mailbox alone."
        )
    if len(others) > MOST:
        raise InputError(
            f"senders: {len(others)} addresses are more than {MOST}",
            remedy="Name the most used ones; for very many, option 3 needs no Send As.",
        )
    return others


def _address(part: str) -> str:
    try:
        return _ADDRESS.validate_python(part).lower()
    except ValidationError:
        raise InputError(
            f"senders: {part!r} is no mail address",
            remedy="Write addresses such as fi@contoso.com, separated by commas.",
        ) from None


def parse_send_as(send_as: str) -> str:
    """Read who gets Send As.

    Raises:
        InputError: neither none, service-principal nor mailbox.
    """
    if send_as not in (NOBODY, PRINCIPAL, MAILBOX):
        raise InputError(
            f"send_as: {send_as!r} is not known",
            remedy=f"Use one of {NOBODY}, {PRINCIPAL}, {MAILBOX}.",
        )
    return send_as


def addresses_of(found: Mapping[str, object]) -> set[str]:
    """Return all SMTP addresses of a mailbox, in lower case."""
    proxies = [entry.lower() for entry in texts(found, "EmailAddresses")]
    smtp = {entry[5:] for entry in proxies if entry.startswith("smtp:")}
    return smtp | {(text(found, "PrimarySmtpAddress") or "").lower()}


def own_addresses(session: Session, mailbox: str) -> set[str]:
    """Return all addresses of the mailbox that signs in.

    Raises:
        NotAsExpected: there is no such mailbox.
    """
    return addresses_of(existing_mailbox(session, mailbox))


@dataclass(frozen=True)
class SenderAddresses(Check):
    """Each further From address is the mailbox's own, or another mailbox's.

    SAP chooses From itself; one that nobody has is refused whatever is granted.

    Source: guide, "Limitations of SMTP OAuth"; Get-Mailbox.
    """

    title: ClassVar[str] = "Further senders are addresses of mailboxes"
    guide: ClassVar[str] = LIMITATIONS
    requires: ClassVar[tuple[str, ...]] = ("sender-mailbox",)
    mailbox: str
    senders: str

    def applicable(self) -> None:
        """Leave it out where SAP sends from the mailbox's address alone."""
        further_senders(self.senders, self.mailbox)

    def expect(self) -> State:
        """Return that each address is one of the two."""
        whose = OneOf((ALIAS, OTHER))
        return dict.fromkeys(further_senders(self.senders, self.mailbox), whose)

    def observe(self, session: Session) -> Observation:
        """Look each address up."""
        own = own_addresses(session, self.mailbox)
        return Observation(
            {address: _whose(session, own, address) for address in self.expect()}
        )


def _whose(session: Session, own: set[str], address: str) -> str | None:
    if address in own:
        return ALIAS
    found = session.exchange.mailbox(address)
    # A mailbox is also found by its alias or name, which sends nothing.
    return OTHER if found and address in addresses_of(found) else None


@dataclass(frozen=True)
class GrantSendAs(Change):
    """Whoever has to may send as each further mailbox.

    `send_as` says who is to hold it: `service-principal` or `mailbox` (the one
    that signs in). Sources differ on which of them Exchange asks for, so none is
    chosen by default, and a message from each sender proves it.

    Source: guide, "Limitations of SMTP OAuth"; Add-RecipientPermission.
    """

    title: ClassVar[str] = "Grant Send As for the further senders"
    guide: ClassVar[str] = LIMITATIONS
    requires: ClassVar[tuple[str, ...]] = (
        "sender-addresses",
        "register-exchange-service-principal",
    )
    replication_symptoms: ClassVar[frozenset[str]] = frozenset({NOT_FOUND})
    mailbox: str
    senders: str
    send_as: str
    object_id: str

    def applicable(self) -> None:
        """Leave it out where it was not asked for."""
        further_senders(self.senders, self.mailbox)
        if parse_send_as(self.send_as) == NOBODY:
            raise NothingToDo("not_applicable", "send_as is none: nobody is granted.")

    def expect(self) -> State:
        """Return Send As for each; the mailbox's own addresses need none."""
        granted = OneOf((SEND_AS, ALIAS))
        return dict.fromkeys(further_senders(self.senders, self.mailbox), granted)

    def observe(self, session: Session) -> Observation:
        """Read the trustee's entry of each mailbox."""
        own = own_addresses(session, self.mailbox)
        held = {
            address: ALIAS if address in own else self._held(session, address)
            for address in self.expect()
        }
        return Observation(
            held,
            context={"Trustee": self._trustee()},
            exists=SEND_AS in held.values(),
            advice="Whoever holds Send As can write as these people; "
            "take it back once SAP no longer needs it.",
        )

    def _trustee(self) -> str:
        return self.object_id if self.send_as == PRINCIPAL else self.mailbox

    def _held(self, session: Session, address: str) -> str | None:
        # Exchange knows no entries of a trustee that it does not know.
        exchange, trustee = session.exchange, self._trustee()
        if self.send_as == PRINCIPAL and exchange.service_principal(trustee) is None:
            return None
        rows = exchange.recipient_permissions(address, trustee=trustee)
        return SEND_AS if any(_allows(row) for row in rows) else None

    def apply(self, session: Session) -> None:
        """Add what is missing."""
        for address, held in self.observe(session).properties.items():
            if held is None:
                session.exchange.add_recipient_permission(
                    address, trustee=self._trustee()
                )

    def revert(self, session: Session, before: State, after: State) -> None:
        """Remove what was added and is still there."""
        for address, held in self.observe(session).properties.items():
            if held == SEND_AS and before.get(address) is None:
                session.exchange.remove_recipient_permission(
                    address, trustee=self._trustee()
                )


def _allows(row: Mapping[str, object]) -> bool:
    allowed = row.get("AccessControlType") == "Allow"
    return allowed and SEND_AS in texts(row, "AccessRights")

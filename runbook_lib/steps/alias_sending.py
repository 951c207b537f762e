"""Whether the mailbox may send from its aliases: one setting for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Change, Check, NothingToDo, Observation
from runbook_lib.errors import InputError
from runbook_lib.session import Session
from runbook_lib.steps.senders import LIMITATIONS, further_senders, own_addresses

SETTING = "SendFromAliasEnabled"
CHECK, ENABLE = "check", "enable"
ADVICE = "The setting counts for every mailbox of the organization."


def only_if(alias_sending: str, wanted: str) -> None:
    """Say that a step has nothing to do where the other was chosen.

    Raises:
        NothingToDo: the other was chosen.
        InputError: neither was.
    """
    if alias_sending not in (CHECK, ENABLE):
        raise InputError(
            f"alias_sending: {alias_sending!r} is not known",
            remedy=f"Use one of {CHECK}, {ENABLE}.",
        )
    if alias_sending != wanted:
        raise NothingToDo("not_applicable", f"alias_sending is {alias_sending}.")


def observed(session: Session, mailbox: str, senders: str) -> Observation:
    """Read the setting, where one of the senders is an alias of the mailbox.

    Raises:
        NothingToDo: none is.
    """
    own = own_addresses(session, mailbox)
    aliases = [name for name in further_senders(senders, mailbox) if name in own]
    if not aliases:
        raise NothingToDo("not_applicable", "No sender is an alias of the mailbox.")
    found = session.exchange.organization_config()
    return Observation(
        {SETTING: found.get(SETTING)}, context={"aliases": aliases}, advice=ADVICE
    )


@dataclass(frozen=True)
class AliasSending(Check):
    """The organization lets mailboxes send from their aliases, where SAP does.

    Source: Get-OrganizationConfig; Microsoft Learn, "Send email from a
    different address".
    """

    title: ClassVar[str] = "Sending from aliases is allowed"
    guide: ClassVar[str] = LIMITATIONS
    requires: ClassVar[tuple[str, ...]] = ("sender-addresses",)
    mailbox: str
    senders: str
    alias_sending: str

    def applicable(self) -> None:
        """Leave it out where there is no further sender, or the run sets it."""
        further_senders(self.senders, self.mailbox)
        only_if(self.alias_sending, CHECK)

    def expect(self) -> State:
        """Return that it is on."""
        return {SETTING: True}

    def observe(self, session: Session) -> Observation:
        """Read the setting."""
        return observed(session, self.mailbox, self.senders)


@dataclass(frozen=True)
class AllowAliasSending(Change):
    """The same setting, switched on for the whole organization.

    Only where `alias_sending` is `enable`: it is not for this runbook to decide
    for every mailbox.

    Source: Set-OrganizationConfig.
    """

    title: ClassVar[str] = "Allow sending from aliases in the organization"
    guide: ClassVar[str] = LIMITATIONS
    requires: ClassVar[tuple[str, ...]] = ("sender-addresses",)
    mailbox: str
    senders: str
    alias_sending: str

    def applicable(self) -> None:
        """Leave it out unless it was asked for."""
        further_senders(self.senders, self.mailbox)
        only_if(self.alias_sending, ENABLE)

    def expect(self) -> State:
        """Return that it is on."""
        return {SETTING: True}

    def observe(self, session: Session) -> Observation:
        """Read the setting."""
        return observed(session, self.mailbox, self.senders)

    def apply(self, session: Session) -> None:
        """Switch it on."""
        session.exchange.set_organization_config(**{SETTING: True})

    def revert(self, session: Session, before: State, after: State) -> None:
        """Set the value that stood before."""
        session.exchange.set_organization_config(**{SETTING: before.get(SETTING)})

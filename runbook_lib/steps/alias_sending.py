"""Whether the mailbox may send from its aliases: one setting for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Change, Check, NothingToDo, Observation, Step
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


@dataclass(frozen=True)
class _AliasSetting(Step):
    """The setting is on; looked at or set, as `chosen` of the two says."""

    guide: ClassVar[str] = LIMITATIONS
    requires: ClassVar[tuple[str, ...]] = ("sender-addresses",)
    chosen: ClassVar[str]
    mailbox: str
    senders: str
    alias_sending: str

    def applicable(self) -> None:
        """Leave it out where there is no further sender, or the other was chosen."""
        further_senders(self.senders, self.mailbox)
        only_if(self.alias_sending, self.chosen)

    def expect(self) -> State:
        """Return that it is on."""
        return {SETTING: True}

    def observe(self, session: Session) -> Observation:
        """Read the setting, where one of the senders is an alias of the mailbox.

        Raises:
            NothingToDo: none is.
        """
        own = own_addresses(session, self.mailbox)
        further = further_senders(self.senders, self.mailbox)
        aliases = [name for name in further if name in own]
        if not aliases:
            raise NothingToDo("not_applicable", "No sender is an alias of the mailbox.")
        found = session.exchange.organization_config()
        return Observation(
            {SETTING: found.get(SETTING)}, context={"aliases": aliases}, advice=ADVICE
        )


@dataclass(frozen=True)
class AliasSending(_AliasSetting, Check):
    """The organization lets mailboxes send from their aliases, where SAP does.

    Source: Get-OrganizationConfig; Microsoft Learn, "Send email from a
    different address".
    """

    title: ClassVar[str] = "Sending from aliases is allowed"
    chosen: ClassVar[str] = CHECK


@dataclass(frozen=True)
class AllowAliasSending(_AliasSetting, Change):
    """The same setting, switched on for the whole organization.

    Only where `alias_sending` is `enable`: it is not for this runbook to decide
    for every mailbox.

    Source: Set-OrganizationConfig.
    """

    title: ClassVar[str] = "Allow sending from aliases in the organization"
    chosen: ClassVar[str] = ENABLE

    def apply(self, session: Session) -> None:
        """Switch it on."""
        session.exchange.set_organization_config(**{SETTING: True})

    def revert(self, session: Session, before: State, after: State) -> None:
        """Set the value that stood before."""
        session.exchange.set_organization_config(**{SETTING: before.get(SETTING)})

"""Direct Send: what the organization allows, and who may be written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Check, NotAsExpected, Observation
from runbook_lib.session import Session

DIRECT_SEND = "option-2-smtp-direct-send"


@dataclass(frozen=True)
class DirectSendPolicy(Check):
    """The organization takes mail of its own domains from anonymous senders.

    With RejectDirectSend such mail gets 550 5.7.68, unless an inbound connector
    knows its sender. The setting is read and never changed: it protects against
    forged internal mail, and the way around it is option 3.

    Source: Set-OrganizationConfig; Exchange team blog, "Introducing more control
    over Direct Send in Exchange Online".
    """

    title: ClassVar[str] = "Organization accepts Direct Send"
    guide: ClassVar[str] = DIRECT_SEND

    def expect(self) -> State:
        """Return that it is not rejected."""
        return {"RejectDirectSend": False}

    def observe(self, session: Session) -> Observation:
        """Read the organization's setting."""
        found = session.exchange.organization_config()
        return Observation({"RejectDirectSend": found.get("RejectDirectSend")})


@dataclass(frozen=True)
class InternalRecipients(Check):
    """Every address that SAP writes to is one of the organization's.

    `recipients` holds addresses, or whole domains, with commas between them.
    Direct Send reaches nobody else; an address that the directory lacks is
    refused with 550 5.4.1.

    Source: guide, "Option 2: SMTP Direct Send"; Get-AcceptedDomain,
    Get-Recipient.
    """

    title: ClassVar[str] = "Every recipient is internal"
    guide: ClassVar[str] = DIRECT_SEND
    recipients: str

    def expect(self) -> State:
        """Return that none is outside, and none is unknown."""
        return {"outside": [], "unknown": []}

    def observe(self, session: Session) -> Observation:
        """Compare domains with the accepted ones, and look each address up."""
        entries = list(_entries(self.recipients))
        if not entries:
            raise NotAsExpected(
                "No recipient is named.",
                remedy="Name the addresses or domains that SAP writes to.",
                remedy_id="internal-recipients",
            )
        rows = session.exchange.accepted_domains()
        accepted = {str(row.get("DomainName")).lower() for row in rows}
        outside = [e for e in entries if e.rpartition("@")[2] not in accepted]
        asked = [e for e in entries if "@" in e and e not in outside]
        found = {entry: session.exchange.recipient(entry) for entry in asked}
        return Observation(
            {
                "outside": outside,
                "unknown": [entry for entry, row in found.items() if row is None],
            },
            context={"recipients": entries, "accepted domains": sorted(accepted)},
            advice=_groups(found),
        )


def _entries(given: str) -> Iterator[str]:
    for part in given.replace(";", ",").split(","):
        if entry := part.strip().lower():
            yield entry


def _groups(found: Mapping[str, Mapping[str, object] | None]) -> str | None:
    groups = [
        entry
        for entry, row in found.items()
        if row and "group" in str(row.get("RecipientTypeDetails")).lower()
    ]
    if not groups:
        return None
    return (
        f"{', '.join(groups)}: a group refuses senders that are not signed in "
        "(550 5.7.133), unless it is set to take them."
    )

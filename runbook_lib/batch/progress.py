"""What a batch tells while it runs."""

from __future__ import annotations

from typing import Protocol

from runbook_lib.batch.members import Member
from runbook_lib.batch.outcomes import Outcome


class Progress(Protocol):
    """Is told what happens, in order, by the process that runs the batch."""

    def started(self, member: Member) -> None:
        """A tenant's process begins."""
        ...

    def waits(self, member: Member, seconds: float) -> None:
        """A tenant waits for replication and is visited again."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """A tenant is done with, for this batch."""
        ...

    def notice(self, text: str) -> None:
        """Something about the batch itself."""
        ...


class Silent:
    """Tells nothing."""

    def started(self, member: Member) -> None:
        """Tell nothing."""

    def waits(self, member: Member, seconds: float) -> None:
        """Tell nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Tell nothing."""

    def notice(self, text: str) -> None:
        """Tell nothing."""

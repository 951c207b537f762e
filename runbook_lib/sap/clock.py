"""Times as SAP shows them: without an offset, in the time zone of the system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class SapClock:
    """The clock of an SAP system; `zone` is as Europe/Berlin.

    In the hour after clocks were put back a shown time has two readings, and
    nothing is said of it unless both agree.
    """

    zone: ZoneInfo

    @classmethod
    def named(cls, name: str) -> SapClock:
        """Return the clock of a time zone of the IANA database."""
        return cls(ZoneInfo(name))

    def readings(self, shown: datetime) -> tuple[datetime, ...]:
        """Return the moments (UTC) that a shown time may stand for, one or two."""
        local = (shown.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        return tuple(sorted({moment.astimezone(UTC) for moment in local}))

    def before(self, shown: datetime, limit: datetime) -> bool:
        """Tell whether a shown time is surely before a moment."""
        return all(moment < limit for moment in self.readings(shown))

    def after(self, shown: datetime, limit: datetime) -> bool:
        """Tell whether a shown time is surely after a moment."""
        return all(moment > limit for moment in self.readings(shown))

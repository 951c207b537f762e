"""What SAP will send, against the limits that hold for an option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Check, NothingToDo, Observation
from runbook_lib.mail_limits import AS_OF, PUBLISHED, external_recipients_per_day
from runbook_lib.session import Session
from runbook_lib.tenant_sap import SapMail

NONE_PUBLISHED = "none published"
DELAYED = "more are delayed, not refused"


@dataclass(frozen=True)
class Limit:
    """One limit: what it is about, what SAP will send, and how much is allowed.

    `most` is None where no number is published. Beyond a `soft` limit mail is
    late, and nothing is refused.
    """

    about: str
    declared: int | None
    most: int | None
    soft: bool = False

    @property
    def exceeded(self) -> bool:
        """Tell whether more will be sent than is allowed."""
        known = self.declared is not None and self.most is not None
        return known and (self.declared or 0) > (self.most or 0)

    def row(self) -> dict[str, object]:
        """Return the row of the table."""
        said = "not declared" if self.declared is None else self.declared
        allowed = NONE_PUBLISHED if self.most is None else self.most
        return {"of": self.about, "declared": said, "allowed": allowed}


def limits_of(option: str, by_mailbox: bool, volume: SapMail) -> list[Limit]:
    """Return the limits of an option, with what the tenant file declares.

    Source: Microsoft Learn, "Exchange Online limits"; none is published for Direct
    Send and for a connector, but for recipients outside.
    """
    licenses = volume.licenses
    tenant = None if licenses is None else external_recipients_per_day(licenses)
    outside = 0 if option == "2" else tenant
    day = PUBLISHED.recipients_per_day if by_mailbox else None
    minute = PUBLISHED.messages_per_minute if by_mailbox else None
    return [
        Limit("recipients a day", volume.recipients_per_day, day),
        Limit("recipients outside a day", volume.external_per_day, outside),
        Limit("messages a minute", volume.messages_per_minute, minute, soft=True),
    ]


@dataclass(frozen=True)
class SendingVolume(Check):
    """The volume of the tenant file is within the limits that hold for the option.

    `upstream` is how a relay (option 4) hands mail on: by sign-in, where a
    mailbox's limits hold, or by a connector. A peak beyond the rate delays mail
    and is told as an advice. The limit for recipients outside needs the number of
    licenses.

    Source: Microsoft Learn, "Exchange Online limits"; tenant external recipient
    rate limit.
    """

    title: ClassVar[str] = "Volume within the limits of Exchange Online"
    guide: ClassVar[str] = "limitations-of-smtp-oauth"
    option: str
    upstream: str = ""

    def expect(self) -> State:
        """Return that no limit is exceeded."""
        return {"exceeded": []}

    def observe(self, session: Session) -> Observation:
        """Compare; what is not declared is not judged, and named."""
        volume = session.tenant.sap_mail
        by_mailbox = self.option == "1" or (
            self.option == "4" and not self.upstream.startswith("connector")
        )
        found = limits_of(self.option, by_mailbox, volume)
        if all(limit.declared is None for limit in found):
            raise NothingToDo(
                "user_choice", "The tenant file declares no volume (sap_mail)."
            )
        hard = [one.about for one in found if one.exceeded and not one.soft]
        return Observation(
            {"exceeded": hard},
            context={"limits": [one.row() for one in found], "as of": AS_OF},
            advice=_advice(found),
            vantage="as declared in the tenant file",
        )


def _advice(found: list[Limit]) -> str | None:
    late = [one for one in found if one.soft and one.exceeded]
    unknown = [one.about for one in found if one.declared is None]
    said = [f"{one.declared} {one.about}: {DELAYED}." for one in late]
    if unknown:
        said.append(f"Not declared, and not judged: {', '.join(unknown)}.")
    return " ".join(said) or None

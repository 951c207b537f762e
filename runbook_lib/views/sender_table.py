"""From addresses of SAP: where each is known from, and what covers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import Ends, ends
from runbook_lib.views.words import attested_by

COLUMNS = ("From address", "Known from", "May be sent as, because")
UNJUDGED = "not judged: it is none of the addresses above"

Row = tuple[str, str, str]


def sender_rows(events: Sequence[Event]) -> list[Row]:
    """Return the rows of the matrix, and the senders that SOST shows.

    SOST's are attested; a user name without an address is none, for SAP makes the
    address of it elsewhere.
    """
    done = ends(events)
    rows = [(r["address"], r["known from"], r["covered by"]) for r in _matrix(done)]
    covered = {address: because for address, _, because in rows}
    sent = done.get("test-mail-sent", {})
    shown = dict.fromkeys(row["sender"].casefold() for row in _listed(sent, "rows"))
    return [
        *rows,
        *(
            (sender, _from_sost(sent), covered.get(sender, UNJUDGED))
            for sender in shown
            if "@" in sender
        ),
    ]


def judged_senders(events: Sequence[Event]) -> tuple[tuple[str, str], ...]:
    """Return the addresses of the matrix, each with what covers it."""
    return tuple((r["address"], r["covered by"]) for r in _matrix(ends(events)))


def _matrix(done: Ends) -> list[Mapping[str, str]]:
    return _listed(done.get("sender-matrix", {}), "senders")


def _from_sost(end: Event) -> str:
    return f"row of SOST, attested by {attested_by(end)}"


def _listed(end: Event, name: str) -> list[Mapping[str, str]]:
    context = end.get("context")
    found = context.get(name) if isinstance(context, Mapping) else None
    return cast("list[Mapping[str, str]]", found or [])

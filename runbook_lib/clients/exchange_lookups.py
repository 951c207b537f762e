"""Exchange Online: cmdlets that answer with one object, or with none."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_lib.clients.exchange_calls import NOT_FOUND, SERVICE, ExchangeCalls
from runbook_lib.errors import ServiceRefused, UnknownReply

Row = dict[str, object]


class ExchangeLookups(ExchangeCalls):
    """Calls of which one object is expected."""

    def _find(self, cmdlet: str, **parameters: object) -> Row | None:
        """Return the one object of an identity; None where Exchange has none."""
        rows = self._known(cmdlet, **parameters)
        return None if rows is None else _only(cmdlet, rows)

    def _known(self, cmdlet: str, **parameters: object) -> list[Row] | None:
        """Return the objects of an identity; None where Exchange knows none."""
        try:
            return self.invoke(cmdlet, **parameters)
        except ServiceRefused as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def _single(self, cmdlet: str, **parameters: object) -> Row:
        """Return the one object that a cmdlet always writes."""
        return _only(cmdlet, self.invoke(cmdlet, **parameters))


def _only(cmdlet: str, rows: Sequence[Row]) -> Row:
    if len(rows) != 1:
        raise UnknownReply(
            f"{SERVICE} answered {cmdlet} with {len(rows)} objects where one is"
            " expected.",
            facts={"cmdlet": cmdlet, "objects": len(rows)},
        )
    return rows[0]

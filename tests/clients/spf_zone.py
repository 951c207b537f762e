"""Zones for the evaluation of SPF: a resolver that reads them from a table."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_lib.clients.dns import Answer, Resolver
from runbook_lib.errors import CannotLook, Unreachable

Zone = Mapping[str, Mapping[str, list[str]]]

SILENT = Unreachable("No DNS server answered in time.")
FAILING = CannotLook("DNS failed: SERVFAIL")


class ZoneResolver(Resolver):
    """Answers from a table of name, type and values; some names are faults."""

    def __init__(self, zone: Zone, faults: Mapping[str, CannotLook] | None = None):
        """Keep the table; `faults` are names for which nothing comes back."""
        super().__init__(lambda exchange: None, server=None)
        self._zone = zone
        self._faults = faults or {}
        self.asked: list[tuple[str, str]] = []

    def _ask(self, name: str, *types: str) -> Answer:
        plain, kind = name.rstrip(".").lower(), "+".join(types)
        self.asked.append((plain, kind))
        if plain in self._faults:
            raise self._faults[plain]
        records = self._zone.get(plain)
        values = [v for one in types for v in (records or {}).get(one, [])]
        status = "NOERROR" if values else "NXDOMAIN" if records is None else "NODATA"
        return Answer(plain, kind, tuple(values), plain, "table", status)

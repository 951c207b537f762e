"""The SAP system's clock, from the tenant file, and when a person looked."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from runbook_lib.engine.step import Waits
from runbook_lib.sap.clock import SapClock
from runbook_lib.session import Session


def sap_clock(session: Session, step: str) -> SapClock:
    """Return the clock by which SAP's times are read.

    Raises:
        Waits: the tenant file does not say in which time zone they are.
    """
    zone = session.tenant.sap_time_zone
    if not zone:
        raise Waits(
            "SAP shows times without an offset, and the tenant file does not name "
            "sap_time_zone.",
            remedy="Ask SAP Basis for it and add it to the tenant file, as "
            "Europe/Berlin; then run the step again.",
            remedy_id=step,
        )
    return SapClock.named(zone)


def looked_at(when: str) -> datetime | None:
    """Return the stated time (UTC) at which a person looked; None if it is no time."""
    try:
        stated = datetime.fromisoformat(when.strip())
    except ValueError:
        return None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def began(run: str) -> datetime | None:
    """Return when a run began, as its id says; None for an id made by a person."""
    stamp = re.match(r"\d{8}T\d{6}Z(?=-)", run)
    if stamp is None:
        return None
    try:
        return datetime.strptime(stamp[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None

"""The buttons of a panel: which step has which, and what each does."""

from __future__ import annotations

from runbook_lib.engine.effects import MessageProbe
from runbook_lib.engine.step import Attestation, Check, Step

BUTTONS = {
    "Plan": "Reads the tenant and shows what would be written. Writes nothing.",
    "Apply…": "Shows what would be written and asks again. Writes nothing yet.",
    "Confirm": "Writes what is shown above, once.",
    "Cancel": "Goes back. Nothing is written.",
    "Verify": "Looks again and compares. Writes nothing.",
    "Hand in": "Takes the evidence into the record, then judges it.",
}
STYLES = {"Apply…": "primary", "Hand in": "primary", "Confirm": "danger"}


def names_of(step: Step) -> tuple[str, ...]:
    """Return the buttons of a step, in their order.

    A message is followed by Apply…, which never sends it twice: the engine's
    verify knows nothing of a message that this run has sent.
    """
    if isinstance(step, Check):
        return ("Verify",)
    if isinstance(step, Attestation):
        return ("Hand in", "Verify")
    if isinstance(step, MessageProbe):
        return ("Plan", "Apply…", "Confirm", "Cancel")
    return ("Plan", "Apply…", "Verify", "Confirm", "Cancel")

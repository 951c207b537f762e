"""The words and signs for outcomes, reasons and results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook_lib.engine.chain import Event
from runbook_lib.engine.step import Outcome
from runbook_lib.views.theme import Tone


@dataclass(frozen=True)
class Badge:
    """A sign, words and a tone; the words alone say everything."""

    sign: str
    words: str
    tone: Tone

    def __str__(self) -> str:
        """Return sign and words."""
        return f"{self.sign} {self.words}"


_BADGES = {
    Outcome.OK: Badge("✔", "As expected", Tone.GOOD),
    Outcome.CHANGED: Badge("✔", "Changed and read back", Tone.GOOD),
    Outcome.PLANNED: Badge("▲", "Planned", Tone.WARN),
    Outcome.PENDING: Badge("◔", "Waiting for replication", Tone.WAIT),
    Outcome.SKIPPED: Badge("–", "Skipped", Tone.IDLE),
    Outcome.BLOCKED: Badge("✖", "Blocked", Tone.BAD),
    Outcome.FAILED: Badge("✖", "Failed", Tone.BAD),
    Outcome.ERROR: Badge("✖", "Could not look", Tone.BAD),
    Outcome.REVERTED: Badge("↩", "Reverted", Tone.GOOD),
}
MEANINGS = {
    Outcome.OK: "as expected, nothing was to do",
    Outcome.CHANGED: "written by this run, and read back as expected",
    Outcome.PLANNED: "would be done in apply",
    Outcome.PENDING: "waits for a person or for replication; not a pass",
    Outcome.SKIPPED: "not done, for the reason given",
    Outcome.BLOCKED: "something before it stands in the way",
    Outcome.FAILED: "looked at, and not as expected",
    Outcome.ERROR: "could not be looked at",
    Outcome.REVERTED: "taken back to what was there before",
}
NOT_STARTED = Badge("○", "Not started", Tone.IDLE)
UNDER_WAY = Badge("◔", "Under way, or interrupted", Tone.WAIT)

REASONS = {
    "not_applicable": "does not apply here",
    "not_licensed": "the tenant has no licence for it",
    "not_authorized": "the operator may not do it",
    "nothing_changed": "this run changed nothing",
    "no_credential": "the credential is not at hand",
    "user_choice": "a person chose so",
    "depends_on_skipped": "a step before it was skipped",
}

KINDS = {
    "Check": "Check: reads only",
    "Change": "Change: reads, writes what is missing, reads back",
    "Probe": "Probe: does the real thing once",
    "Attestation": "Attestation: a person acts and says so",
}


def badge(event: Event) -> Badge:
    """Return the badge of a `step.end` event."""
    found = _BADGES[Outcome(str(event["outcome"]))]
    if event["outcome"] == Outcome.OK and event.get("kind") == "Attestation":
        return _shown(event)
    if event["outcome"] == Outcome.PENDING and event.get("kind") == "Attestation":
        return Badge("☐", "Waiting for evidence from a person", Tone.PERSON)
    if event["outcome"] == Outcome.PENDING and event.get("action") == "manual":
        return Badge("☐", "Waiting for a person", Tone.PERSON)
    if event["outcome"] == Outcome.SKIPPED and event.get("reason"):
        return Badge(found.sign, f"Skipped: {reason(event)}", found.tone)
    if event.get("action") == "adopt":
        return Badge(found.sign, f"{found.words} (adopted)", found.tone)
    return found


def _shown(event: Event) -> Badge:
    """Return whose word an attestation rests on: a service's, a person's, or both."""
    service = measured_by(event)
    if service and not event.get("attested"):
        return Badge("✔", f"Measured by {service}", Tone.GOOD)
    also = f", in part measured by {service}" if service else ""
    return Badge("✎", f"Attested by {attested_by(event)}{also}", Tone.PERSON)


def of_outcome(outcome: Outcome) -> Badge:
    """Return the badge of an outcome as such."""
    plain = {Outcome.PENDING: Badge("◔", "Waiting", Tone.WAIT)}
    return plain.get(outcome, _BADGES[outcome])


def reason(event: Event) -> str:
    """Return why a step was skipped, in words."""
    code = str(event.get("reason"))
    return REASONS.get(code, code)


def attested_by(event: Event) -> str:
    """Return who attested a step: as stated, never measured."""
    attested = event.get("attested")
    who = attested.get("who") if isinstance(attested, Mapping) else None
    return str(who or "an unnamed person")


def measured_by(event: Event) -> str | None:
    """Return the interface of the customer's system that showed it, or None."""
    service = event.get("service")
    return str(service) if service else None


def is_stated(event: Event) -> bool:
    """Tell whether a step rests on a statement: its vantage is then "as …"."""
    return str(event.get("vantage") or "").startswith("as ")

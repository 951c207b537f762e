"""What a pasted SNOTE screen or a statement says about an SAP Note."""

from __future__ import annotations

import re

from runbook_lib.sap.finding import Finding, failed, passed, unclear
from runbook_lib.sap.pasted import cleaned, filled
from runbook_lib.sap.sources import GUIDE

SNOTE = "SNOTE"
# What option 1 needs, and what SAP's certificate needs beside it.
OAUTH_NOTE, CERTIFICATE_NOTE = "3581654", "3592080"

# Implementation states as transaction SNOTE shows them in English. The list is
# from memory: a state that is not in it does not pass.
STATES = {
    "completely implemented": True,
    "not completely implemented": False,
    "cannot be implemented": None,
    "incompletely implemented": False,
    "can be implemented": False,
    "obsolete version implemented": False,
    "obsolete": None,
    "undefined implementation state": False,
    "not implemented": False,
    "de-implemented": False,
}

# The worst one first: what contradicts, what leaves it open, what says yes.
_WORST_FIRST = (False, None, True)

_STATE = re.compile("|".join(sorted(map(re.escape, STATES), key=len, reverse=True)))
# A package that is only mentioned, as in a range of validity, contains nothing.
_SAYS = r"(?:contain|includ|deliver|solved|corrected)"
_DELIVERED = re.compile(rf"(?i)\b{_SAYS}")
_NOT_DELIVERED = re.compile(rf"(?i)\bnot (?:yet )?{_SAYS}")
_PACKAGE = re.compile(r"SAPK-?\w+")


def note_state(text: str, note: str) -> str | None:
    """Return the implementation state that stands with a note's number.

    Reads every line that holds the number, and the line after it, because
    SNOTE shows the state beside or below. None means that the text does not
    say. Where several lines differ, the worst one counts.
    """
    found = [state for line in _near(text, note) for state in _states(line)]
    found.sort(key=lambda state: _WORST_FIRST.index(STATES[state]))
    return found[0] if found else None


def delivered_by(text: str, note: str) -> str | None:
    """Return the support package named with the note as containing it, or None.

    The text has to say so, or to show a state that such a package explains.
    """
    for line in _near(text, note):
        says = _DELIVERED.search(line) and not _NOT_DELIVERED.search(line)
        explains = any(STATES[state] is None for state in _states(line))
        package = _PACKAGE.search(line)
        if package and (says or (explains and not _NOT_DELIVERED.search(line))):
            return package[0]
    return None


def _near(text: str, note: str) -> list[str]:
    lines = text.splitlines()
    hits = [i for i, line in enumerate(lines) if re.search(rf"\b0*{note}\b", line)]
    return [" ".join(lines[i : i + 2]) for i in hits]


def _states(line: str) -> list[str]:
    return _STATE.findall(line.lower())


NOTE_IMPLEMENTED = passed(
    "NOTE_IMPLEMENTED", "Note {note} is {state}.", "SAP Help, Note Assistant (SNOTE)"
)
NOTE_IN_PACKAGE = passed(
    "NOTE_IN_PACKAGE",
    "Note {note} is contained in support package {package}.",
    "SAP Help, Note Assistant (SNOTE)",
)
NOTE_NOT_IMPLEMENTED = failed(
    "NOTE_NOT_IMPLEMENTED",
    "Note {note} is {state}.",
    "Implement it in SNOTE, or apply the support package that contains it.",
    GUIDE,
)
NOTE_NOT_NAMED = unclear(
    "NOTE_NOT_NAMED",
    "The text does not name note {note} with its state.",
    "Hand in the line of SNOTE, or the support package that contains the note.",
    GUIDE,
)


def judge_note(text: str, note: str) -> tuple[Finding, ...]:
    """Judge what a text says about a note: its state, or its support package."""
    plain = cleaned(text)
    state, package = note_state(plain, note), delivered_by(plain, note)
    number = re.compile(rf"\b0*{note}\b")
    found = [line for line in filled(plain, SNOTE) if number.search(line.text)]
    if state is not None and STATES[state] is not None:
        rule = NOTE_IMPLEMENTED if STATES[state] else NOTE_NOT_IMPLEMENTED
        return (rule.at(found[0], note=note, state=state),)
    if package:
        return (NOTE_IN_PACKAGE.at(found[0], note=note, package=package),)
    return (NOTE_NOT_NAMED.missing(f"note {note} with its state", SNOTE, note=note),)

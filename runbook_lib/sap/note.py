"""What a pasted SNOTE screen or a statement says about an SAP Note."""

from __future__ import annotations

import re

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

"""Faults on request: lag, throttling, resets and the like.

Grammar of one specification (`--fault`, any number of times):

    NAME[@SCOPE]=AMOUNT        for example lag=3  lag@secret=2s  429@graph=1

AMOUNT is a whole number (default 1), or for lag also seconds (`2s`). SCOPE
narrows a fault to one host or relation; without it the fault holds for all.
The same texts are understood by `--fault`, by the control endpoint (`add_fault`)
and in process, by `parse_fault` and `Faults.add`.
What AMOUNT counts is said per name in `FAULTS`. The faults `request-…` count every
request, reads as well as writes, an SMTP command and a DNS query as one each.
"""

import re
import time
from collections import Counter
from dataclasses import dataclass

from runbook_lib.sandbox.package_data import packaged


def _read() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return meaning and scopes of each fault, from `data/faults.json`."""
    known = packaged("faults.json")
    return {name: (e["means"], tuple(e["scopes"])) for name, e in known.items()}


_KNOWN = _read()

# Name -> what it does, with its scopes, as `--help` and the page say it.
FAULTS = {
    name: f"{means}; scope: {', '.join(scopes)}" if scopes else means
    for name, (means, scopes) in _KNOWN.items()
}

REQUEST = "request-"

_SPECIFICATION = re.compile(r"([a-z0-9-]+)(?:@([a-z0-9-]+))?(?:=(\d+)(s?))?")


@dataclass(frozen=True)
class Fault:
    """One fault as it was asked for; `scope` is empty where it holds for all."""

    name: str
    scope: str = ""
    amount: int = 1
    seconds: bool = False


def parse_fault(text: str) -> Fault:
    """Read one specification.

    Raises ValueError, with a sentence for the user, for what is not one.
    """
    match = _SPECIFICATION.fullmatch(text)
    if match is None or match[1] not in FAULTS:
        names = ", ".join(sorted(FAULTS))
        raise ValueError(f"{text!r} is not NAME[@SCOPE]=AMOUNT with NAME of {names}")
    name, scope, amount, unit = match.groups()
    if unit and not name.endswith("lag"):
        raise ValueError(f"{text!r}: only a lag is given in seconds")
    scopes = _KNOWN[name][1]
    if scope and scope not in scopes:
        known = ", ".join(scopes) or "none"
        raise ValueError(f"{text!r}: the scopes of {name} are: {known}")
    return Fault(name, scope or "", int(amount or 1), bool(unit))


class Faults:
    """The faults of one sandbox and how much of each is left."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        """Keep the faults; `add` takes more while the sandbox runs."""
        self._faults = list(faults)
        self._counts: Counter[tuple[Fault, str]] = Counter()
        self._lags: dict[tuple[str, str], list[float]] = {}

    def add(self, fault: Fault) -> None:
        """Add a fault, counted from now."""
        self._faults.append(fault)

    def asked(self, name: str, scope: str = "") -> bool:
        """Say whether a fault was asked for, with whatever amount."""
        return self._find(name, scope) is not None

    def amount(self, name: str, scope: str = "") -> int:
        """Return the amount of a fault, 0 where it was not asked for."""
        fault = self._find(name, scope)
        return fault.amount if fault else 0

    def take(self, name: str, scope: str = "", key: str = "") -> bool:
        """Use up one of the first N times; true while some are left.

        Times are counted per `key` where one is given.
        """
        fault = self._find(name, scope)
        if fault is None or self._counts[fault, key] >= fault.amount:
            return False
        self._counts[fault, key] += 1
        return True

    def reached(self, name: str, scope: str = "") -> bool:
        """Count one more time; true at the N-th time and never again."""
        fault = self._find(name, scope)
        if fault is None:
            return False
        self._counts[fault, ""] += 1
        return self._counts[fault, ""] == fault.amount

    def disturbance(self, scope: str) -> str:
        """Count one request; return what befalls it, as `503-before`, or nothing.

        Every fault `request-…` that holds for `scope` counts it.
        """
        found = ""
        for fault in self._faults:
            if fault.name.startswith(REQUEST) and fault.scope in ("", scope):
                self._counts[fault, ""] += 1
                if self._counts[fault, ""] == fault.amount:
                    found = found or fault.name.removeprefix(REQUEST)
        return found

    def clear(self) -> None:
        """Forget all faults and what was counted; a lag that runs ends."""
        self._faults.clear()
        self._counts.clear()
        self._lags.clear()

    def start_lag(self, relation: str, key: str, name: str = "lag") -> None:
        """Begin the lag of a change to `key`, if one was asked for `relation`."""
        fault = self._find(name, relation)
        if fault is None:
            return
        end = time.monotonic() + fault.amount
        left = float("inf") if fault.seconds else float(fault.amount)
        self._lags[relation, key] = [left, end if fault.seconds else float("inf")]

    def lagging(self, relation: str, key: str) -> bool:
        """Count one read of `key`; true while the change is not to be seen."""
        lag = self._lags.get((relation, key))
        if lag is None:
            return False
        lag[0] -= 1
        if lag[0] >= 0 and time.monotonic() < lag[1]:
            return True
        del self._lags[relation, key]
        return False

    def _find(self, name: str, scope: str) -> Fault | None:
        """Return the first fault of this name that holds for `scope`."""
        for fault in self._faults:
            if fault.name == name and fault.scope in ("", scope):
                return fault
        return None

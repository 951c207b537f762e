"""What a step expects, compared with what it observed.

An expectation maps property names, as the service spells them, to plain JSON
values or to one of the matchers below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

State = Mapping[str, object]


@dataclass(frozen=True)
class OneOf:
    """Any of a few values."""

    values: tuple[object, ...]

    def met(self, value: object) -> bool:
        """Tell whether the value is one of them, and of its kind."""
        return any(_same(one, value) for one in self.values)

    def as_json(self) -> object:
        """Return `{"one of": […]}`."""
        return {"one of": list(self.values)}


@dataclass(frozen=True)
class Including:
    """A collection that holds at least these items; others do not matter."""

    items: tuple[object, ...]

    def met(self, value: object) -> bool:
        """Tell whether every item is in the observed collection."""
        return isinstance(value, list | tuple) and all(
            any(_same(item, seen) for seen in value) for item in self.items
        )

    def as_json(self) -> object:
        """Return `{"including": […]}`."""
        return {"including": list(self.items)}


@dataclass(frozen=True)
class Present:
    """Any value but null, false, zero and what is empty."""

    def met(self, value: object) -> bool:
        """Tell whether there is a value."""
        return bool(value)

    def as_json(self) -> object:
        """Return `{"present": true}`."""
        return {"present": True}


@dataclass(frozen=True)
class AtLeast:
    """A number, or an RFC 3339 UTC time, that is not smaller than this one."""

    least: int | str

    def met(self, value: object) -> bool:
        """Tell whether the value is of the same kind and not smaller."""
        if isinstance(self.least, str):
            return isinstance(value, str) and value >= self.least
        return type(value) is int and value >= self.least

    def as_json(self) -> object:
        """Return `{"at least": …}`."""
        return {"at least": self.least}


# Expectations that more than one value meets.
Matcher = OneOf | Including | Present | AtLeast
MATCHERS = (OneOf, Including, Present, AtLeast)  # which isinstance prefers


@dataclass(frozen=True, eq=False)
class KnownAfterApply:
    """A value that exists only after an earlier step: `step`, `property`.

    The engine resolves it from the record at the moment of use. Formatting,
    comparing or testing one is a mistake and raises TypeError.
    """

    step: str
    property: str

    def as_json(self) -> object:
        """Return `{"known after apply": "<step>.<property>"}`."""
        return {"known after apply": f"{self.step}.{self.property}"}

    def _refuse(self) -> NoReturn:
        raise TypeError(
            f"{self.property} of {self.step} is known only after apply; "
            "pass it to a step as it is"
        )

    def __bool__(self) -> bool:
        """Refuse to be tested."""
        self._refuse()

    def __eq__(self, other: object) -> bool:
        """Refuse to be compared."""
        self._refuse()

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        """Refuse to be formatted."""
        self._refuse()

    def __str__(self) -> str:
        """Refuse to become a text."""
        self._refuse()


_WRITTEN = (KnownAfterApply, *MATCHERS)


@dataclass(frozen=True)
class Difference:
    """One property that is not as expected; values are JSON values."""

    property: str
    expected: object
    observed: object


def plain(value: object) -> object:
    """Return a JSON value: matchers and references in their written form."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, _WRITTEN):
        return value.as_json()
    if isinstance(value, (dict, Mapping)):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value


def differences(expected: State, observed: State) -> list[Difference]:
    """List the expected properties that the observation does not meet.

    A property that was not observed counts as null. Only expected properties
    are compared.

    Raises:
        ValueError: the expectation is empty, which anything would meet.
    """
    if not expected:
        raise ValueError("a step that expects nothing cannot be met")
    return [
        Difference(name, plain(wanted), plain(observed.get(name)))
        for name, wanted in expected.items()
        if not _is_met(wanted, observed.get(name))
    ]


def met(expected: State, observed: State) -> bool:
    """Tell whether the observation meets every expected property."""
    return not differences(expected, observed)


def _is_met(wanted: object, seen: object) -> bool:
    if isinstance(wanted, KnownAfterApply):
        return False
    if isinstance(wanted, MATCHERS):
        return wanted.met(seen)
    return _same(wanted, seen)


def _same(one: object, other: object) -> bool:
    """Tell whether two values are the same JSON value: false is not 0."""
    left, right = plain(one), plain(other)
    return type(left) is type(right) and left == right

"""Which cmdlets exist, which parameters they take, and what those may hold.

The list is `data/exchange_cmdlets.json`: cmdlet -> parameter -> [type, mandatory,
parameter sets], taken from the syntax blocks of the Exchange cmdlet reference.
Binding follows PowerShell: a parameter set is chosen by the parameters that are
there; all mandatory parameters of one fitting set must be there too.
Source: Exchange cmdlet reference; PowerShell, about_Parameter_Sets.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from runbook_lib.sandbox.exchange_errors import BINDING, CmdletError
from runbook_lib.sandbox.exchange_types import check_value
from runbook_lib.sandbox.package_data import packaged

ALL_SETS = "(All)"

COMMON_PARAMETERS = {
    "ErrorAction": "String",
    "WarningAction": "String",
    "Verbose": "SwitchParameter",
    "Debug": "SwitchParameter",
}

# The generated syntax marks these as mandatory; Microsoft's own examples omit them.
MANDATORY_ON_PAPER = {
    ("New-ServicePrincipal", "ServiceId"),
    ("Set-OrganizationConfig", "ShortenEventScopeDefault"),
}

# An older name that stands in for a mandatory parameter.
OLDER_NAMES = {("New-ServicePrincipal", "ObjectId"): "ServiceId"}

# Parameter sets of Exchange Server: what makes them whole is not in the cloud.
SERVER_SETS = {
    "Computer",
    "DatabaseFilter",
    "DatabaseList",
    "ServerFilter",
    "ServerList",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of one cmdlet; `sets` is empty where it is in all sets."""

    name: str
    type: str
    mandatory: bool
    sets: frozenset[str]

    def belongs_to(self, name: str) -> bool:
        """Say whether the parameter is in the parameter set `name`."""
        return not self.sets or name in self.sets


@dataclass(frozen=True)
class Cmdlet:
    """One cmdlet; `parameters` by name in lower case."""

    name: str
    parameters: dict[str, Parameter] = field(hash=False)

    @property
    def reads_only(self) -> bool:
        """Say whether the cmdlet changes nothing (Get- and Test-)."""
        return self.name.startswith(("Get-", "Test-"))

    def set_names(self) -> list[str]:
        """Return the names of the parameter sets, or one that stands for all."""
        names = {name for entry in self.parameters.values() for name in entry.sets}
        return sorted(names - SERVER_SETS) or [ALL_SETS]


@cache
def cmdlets() -> dict[str, Cmdlet]:
    """Return all cmdlets by name in lower case."""
    known = packaged("exchange_cmdlets.json")
    return {name.lower(): _cmdlet(name, raw) for name, raw in known.items()}


def bind(cmdlet: Cmdlet, given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters under their own names, each value checked.

    Raises CmdletError as PowerShell's parameter binding does.
    """
    bound: dict[str, Any] = {}
    for name, value in given.items():
        parameter = cmdlet.parameters.get(name.lower())
        if parameter is None:
            raise unknown_parameter(name)
        check_value(cmdlet.name, parameter.name, parameter.type, value)
        bound[parameter.name] = value
    _require_mandatory(cmdlet, bound)
    return bound


def unknown_parameter(name: str) -> CmdletError:
    """Return the error for a parameter that the cmdlet does not have."""
    text = f"A parameter cannot be found that matches parameter name '{name}'."
    return CmdletError(BINDING, text)


def _require_mandatory(cmdlet: Cmdlet, bound: dict[str, Any]) -> None:
    """Refuse unless the parameters fill one parameter set."""
    fitting = [
        name
        for name in cmdlet.set_names()
        if all(cmdlet.parameters[key.lower()].belongs_to(name) for key in bound)
    ]
    if not fitting:
        raise CmdletError(
            BINDING,
            "Parameter set cannot be resolved using the specified named parameters.",
        )
    missing = min((_missing(cmdlet, name, bound) for name in fitting), key=len)
    if missing:
        raise CmdletError(
            BINDING,
            "Cannot process command because of one or more missing mandatory "
            f"parameters: {' '.join(missing)}.",
            row="exchange.mandatory-parameter",
        )


def _missing(cmdlet: Cmdlet, set_name: str, bound: dict[str, Any]) -> list[str]:
    """Return the mandatory parameters of a set that are not there."""
    return [
        parameter.name
        for parameter in cmdlet.parameters.values()
        if parameter.mandatory
        and parameter.belongs_to(set_name)
        and bound.get(parameter.name) is None
        and bound.get(OLDER_NAMES.get((cmdlet.name, parameter.name), "")) is None
    ]


def _cmdlet(name: str, raw: dict[str, list[Any]]) -> Cmdlet:
    """Build one cmdlet from its entry in the list."""
    parameters = {
        key.lower(): Parameter(
            key,
            kind,
            bool(mandatory) and (name, key) not in MANDATORY_ON_PAPER,
            frozenset() if sets == ALL_SETS else frozenset(sets.split(", ")),
        )
        for key, (kind, mandatory, sets) in raw.items()
    }
    for key, kind in COMMON_PARAMETERS.items():
        parameters.setdefault(key.lower(), Parameter(key, kind, False, frozenset()))
    return Cmdlet(name, parameters)

"""Steps to and from the record: class, version and inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import KnownAfterApply, plain
from runbook_lib.engine.step import Step
from runbook_lib.errors import RecordBroken

Catalogue = Sequence[type[Step]]


def describe(step: Step) -> dict[str, object]:
    """Return what the record keeps of a step: enough to rebuild it."""
    inputs = {f.name: getattr(step, f.name) for f in dataclasses.fields(step)}
    return {
        "step": step.id,
        "kind": step.kind,
        "class": type(step).__name__,
        "version": step.version,
        "title": step.heading,
        "guide": step.guide,
        "needs": list(step.needs()),
        "inputs": plain(inputs),
    }


def rebuild(event: Event, catalogue: Catalogue, *, inputs: str = "inputs") -> Step:
    """Return the step that an event describes; `inputs` names the field to use.

    Raises:
        RecordBroken: the catalogue has no such class, or not of this version,
            or the inputs do not fit.
    """
    name, version = event.get("class"), event.get("version")
    found = next((c for c in catalogue if c.__name__ == name), None)
    if found is None or found.version != version:
        raise RecordBroken(
            f"step {event.get('step')}: no {name} of version {version} is known here",
            remedy="Use the version of this tool that made the record.",
        )
    values = cast("Mapping[str, object]", event.get(inputs) or {})
    arguments: dict[str, Any] = {n: _input(v) for n, v in values.items()}
    try:
        return found(**arguments)
    except TypeError as error:
        raise RecordBroken(f"step {event.get('step')}: {error}") from None


def _input(value: object) -> object:
    if isinstance(value, Mapping) and set(value) == {"known after apply"}:
        # A step id has no dot; a property may, as appRoleAssignments[SMTP.SendAsApp].
        step, _, name = str(value["known after apply"]).partition(".")
        return KnownAfterApply(step, name)
    return tuple(value) if isinstance(value, list) else value

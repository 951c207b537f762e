"""What a notebook consists of: its steps in the guide's order, and its proof."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import rfc8785

from runbook_lib.engine.codec import Catalogue
from runbook_lib.engine.naming import kebab, titled
from runbook_lib.engine.step import Step


@dataclass(frozen=True)
class Listed:
    """One entry of a catalogue: a step class, and the key's value if it has one."""

    step: type[Step]
    key: str | None = None

    @property
    def id(self) -> str:
        """Return the step id that the notebook's step will have."""
        name = kebab(self.step.__name__)
        return f"{name}:{self.key}" if self.key else name


@dataclass(frozen=True)
class Runbook:
    """A notebook's name, its catalogue, and the steps whose `ok` proves success.

    An empty `proof` means that the runbook proves nothing about mail. Where the
    parameters decide what proves it, `proof_by` says so.
    """

    name: str
    title: str
    listed: tuple[Listed, ...]
    proof: tuple[str, ...]
    proof_by: Callable[[Mapping[str, str]], tuple[str, ...]] | None = None

    def proof_of(self, parameters: Mapping[str, str]) -> tuple[str, ...]:
        """Return the steps that prove success under these parameters."""
        return self.proof_by(parameters) if self.proof_by else self.proof

    @property
    def catalogue(self) -> Catalogue:
        """Return the step classes, each once."""
        return tuple(dict.fromkeys(entry.step for entry in self.listed))

    def steps(self) -> list[dict[str, object]]:
        """Return what the record's header says of the steps, in order."""
        return [
            {
                "step": entry.id,
                "kind": entry.step.kind,
                "class": entry.step.__name__,
                "version": entry.step.version,
                "title": titled(entry.step.title, entry.key),
            }
            for entry in self.listed
        ]

    def digest(self) -> str:
        """Return the SHA-256 of the catalogue: ids, classes, versions, titles."""
        return hashlib.sha256(rfc8785.dumps(self.steps())).hexdigest()  # type: ignore[arg-type]

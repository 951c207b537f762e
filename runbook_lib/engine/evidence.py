"""Evidence for an attestation: what a person handed in, what a service showed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook_lib.errors import RunbookError

LONGEST = 4096


@dataclass(frozen=True)
class Measured:
    """What a service of the system itself showed, beside what people hand in.

    `by` is the interface, `where` its address. `texts` are artifacts by their
    names, in the form in which people hand them in. Where the service could not be
    asked there is a `problem` and no text. `weakness` says what the answer is worth
    less for.
    """

    by: str
    where: str
    texts: Mapping[str, str]
    problem: RunbookError | None = None
    weakness: str | None = None

    def recorded(self, redact: Callable[[str], str]) -> dict[str, object]:
        """Return what the end of a step says of it.

        Texts go through `redact`; a long one, as a trace, stands in the traffic only.
        """
        texts = {name: redact(text) for name, text in self.texts.items()}
        short = {name: text for name, text in texts.items() if len(text) <= LONGEST}
        return {
            "by": self.by,
            "where": self.where,
            "artifacts": list(texts),
            "texts": short,
        }


@dataclass(frozen=True)
class Evidence:
    """What a person handed in for an attestation.

    `who` and `when` are as stated by that person, never measured. `files` are
    paths of attachments, `text` is what was pasted. `measured` is what a service
    showed; then the rest may be empty.
    """

    who: str
    when: str
    reference: str
    text: str
    files: tuple[Path, ...] = ()
    measured: Measured | None = None

    @property
    def by_person(self) -> bool:
        """Tell whether a person handed something in."""
        return bool(self.who or self.text or self.files)

"""Typed forms: `field: value`, one a line, for screens that have no export."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, Line, Rule, failed, unclear
from runbook_lib.sap.pasted import filled, same_words
from runbook_lib.sap.sources import INFERENCE

Labels = Mapping[str, tuple[str, ...]]

FORM_EMPTY = unclear(
    "FORM_EMPTY",
    "The text has none of the fields of {place}.",
    "Write each field on a line of its own, as `mail_host: smtp.office365.com`.",
    INFERENCE,
)
FIELD_NOT_SHOWN = unclear(
    "FIELD_NOT_SHOWN",
    "The field {field} is not shown.",
    "Add the line `{field}: …` with what the screen shows.",
    INFERENCE,
)
FIELD_TWICE = failed(
    "FIELD_TWICE",
    "The field {field} is given twice, with different values.",
    "Hand in one form for one configuration.",
    INFERENCE,
)

_FIELD = re.compile(r"\s*[-*]?\s*(?P<label>[^:=]{1,60}?)\s*[:=]\s*(?P<value>.*?)\s*")


@dataclass(frozen=True)
class Field:
    """One field of a form: what was given, and where."""

    value: str
    line: Line

    @property
    def plain(self) -> str:
        """Return the value for comparison: case and outer spaces do not count."""
        return self.value.strip().strip('"').casefold()


@dataclass(frozen=True)
class Form:
    """The fields of one screen by our names; `place` names the screen."""

    place: str
    fields: Mapping[str, Field]
    repeated: tuple[Finding, ...] = ()

    def __contains__(self, name: str) -> bool:
        """Tell whether the field was given, be it empty."""
        return name in self.fields

    def get(self, name: str) -> Field | None:
        """Return a field, or None where it was not given."""
        return self.fields.get(name)

    def absent(self, names: Sequence[str]) -> list[Finding]:
        """Return a finding for each field of these that was not given."""
        return [
            FIELD_NOT_SHOWN.missing(f"field {name}", self.place, field=name)
            for name in names
            if name not in self.fields
        ]

    def at(self, name: str, rule: Rule, **values: object) -> Finding:
        """Return the finding of a rule at a field that was given."""
        return rule.at(self.fields[name].line, **values)


def read_form(text: str, labels: Labels, place: str) -> Form:
    """Read the fields that `labels` knows; other lines are left alone.

    `labels` gives for each field, by our name, what the screens call it; our
    name itself is always understood.
    """
    known = {
        same_words(label): name
        for name, synonyms in labels.items()
        for label in (name, *synonyms)
    }
    fields: dict[str, Field] = {}
    repeated = []
    for line in filled(text, place):
        match = _FIELD.fullmatch(line.text)
        name = known.get(same_words(match["label"])) if match else None
        if match is None or name is None:
            continue
        field = Field(match["value"], line)
        if name in fields and fields[name].plain != field.plain:
            repeated.append(FIELD_TWICE.at(line, field=name))
        fields.setdefault(name, field)
    return Form(place, fields, tuple(repeated))


def empty(form: Form) -> list[Finding]:
    """Return a finding where a form has no field at all."""
    if form.fields:
        return []
    return [FORM_EMPTY.missing("field", form.place, place=form.place)]


def is_on(field: Field | None) -> bool | None:
    """Read a checkbox: true, false, or None where it was not given or is unclear."""
    if field is None:
        return None
    if field.plain in {"x", "yes", "on", "true", "ja", "1", "active", "set", "checked"}:
        return True
    off = {"", "-", "no", "off", "false", "nein", "0", "inactive", "none", "not set"}
    return False if field.plain in off else None

"""Settings of a Postfix file, each with the sentence that says why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 78


@dataclass(frozen=True)
class Setting:
    """One parameter of main.cf. An empty `why` belongs to the one above."""

    name: str
    value: str
    why: str = ""


@dataclass(frozen=True)
class Section:
    """Settings under one heading."""

    title: str
    settings: tuple[Setting, ...]


def comment(text: str) -> str:
    """Return a text as comment lines."""
    return textwrap.fill(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def rendered(heading: str, sections: Iterable[Section]) -> str:
    """Return the text of a main.cf.

    Raises:
        ValueError: a parameter stands twice. Postfix would warn about that for
            ever, and its log service can block on its own warnings.
    """
    chosen = list(sections)
    _once([setting.name for section in chosen for setting in section.settings])
    parts = [comment(heading)]
    for section in chosen:
        parts += ["", comment(section.title.upper())]
        for setting in section.settings:
            if setting.why:
                parts += ["", comment(setting.why)]
            parts.append(f"{setting.name} = {setting.value}".rstrip())
    return "\n".join([*parts, ""])


def _once(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"set twice: {', '.join(twice)}")

"""Colours and the one style sheet of cards, panel and report.

Every pair of colours that carries text meets WCAG 2.1 AA (4.5:1), in the light
and in the dark theme; a test computes it. Colour never stands alone: each tone
comes with a sign and a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Tone(StrEnum):
    """What a colour says."""

    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    WAIT = "wait"
    PERSON = "person"
    IDLE = "idle"


@dataclass(frozen=True)
class Ink:
    """A text colour on its background."""

    text: str
    ground: str


@dataclass(frozen=True)
class Palette:
    """The colours of one theme.

    `muted` text stands on `ground` and on `soft`; `link` as well. `line` parts
    rows and carries no meaning. `edge` is the border of a card.
    """

    text: str
    muted: str
    ground: str
    soft: str
    line: str
    edge: str
    link: str
    tones: dict[Tone, Ink]


LIGHT = Palette(
    text="#1b2430",
    muted="#55606e",
    ground="#ffffff",
    soft="#f3f5f8",
    line="#d5dbe3",
    edge="#79848f",
    link="#0b57a4",
    tones={
        Tone.GOOD: Ink("#0a5c2b", "#dff5e5"),
        Tone.BAD: Ink("#8f1616", "#fde4e4"),
        Tone.WARN: Ink("#694200", "#fff0cc"),
        Tone.WAIT: Ink("#0b4a8f", "#e1effe"),
        Tone.PERSON: Ink("#55308f", "#efe7fb"),
        Tone.IDLE: Ink("#404852", "#eaeef3"),
    },
)

DARK = Palette(
    text="#e8edf3",
    muted="#a9b4c1",
    ground="#171c22",
    soft="#20272f",
    line="#3a4450",
    edge="#76828f",
    link="#7db7ff",
    tones={
        Tone.GOOD: Ink("#7ee2a0", "#12351f"),
        Tone.BAD: Ink("#ffb0b0", "#451a1a"),
        Tone.WARN: Ink("#ffd685", "#40300c"),
        Tone.WAIT: Ink("#9ccbff", "#122f4e"),
        Tone.PERSON: Ink("#d3bcff", "#332052"),
        Tone.IDLE: Ink("#c3ccd6", "#2c343d"),
    },
)


def variables(palette: Palette) -> str:
    """Return a palette as CSS custom properties."""
    plain = ("text", "muted", "ground", "soft", "line", "edge", "link")
    named = [f"--rb-{name}:{getattr(palette, name)}" for name in plain]
    for tone, ink in palette.tones.items():
        named += [f"--rb-{tone}:{ink.text}", f"--rb-{tone}-ground:{ink.ground}"]
    return ";".join(named)


def tone_rules() -> str:
    """Return one rule per tone for badges, and one for a card's left edge."""
    return "".join(
        f".rb .rb-{tone}{{color:var(--rb-{tone})!important;"
        f"background:var(--rb-{tone}-ground)!important}}"
        f".rb.rb-edge-{tone}{{border-left-color:var(--rb-{tone})!important}}"
        for tone in Tone
    )


@cache
def style_sheet() -> str:
    """Return the style sheet of a card, light and dark, on one line."""
    rules = sheet("card.css")
    dark = f'[data-jp-theme-light="false"] .rb{{{variables(DARK)}}}'
    return f".rb{{{variables(LIGHT)}}}{dark}{rules}{tone_rules()}"


@cache
def sheet(name: str) -> str:
    """Return a style sheet of this package, joined to one line."""
    text = (files("runbook_lib.views") / "templates" / name).read_text("utf-8")
    return "".join(line.strip() for line in text.splitlines())


def inline(tone: Tone) -> str:
    """Return a badge's style as literal values.

    JupyterLab's sanitiser drops style elements and custom properties from
    notebooks that are not trusted, and keeps literal inline styles.
    """
    ink = LIGHT.tones[tone]
    return (
        f"display:inline-block;border:1px solid {ink.text};border-radius:12px;"
        f"padding:1px 10px;font-weight:600;"
        f"color:{ink.text};background-color:{ink.ground}"
    )


def inline_box(tone: Tone) -> str:
    """Return a notice's style as literal values, for the same reason."""
    ink = LIGHT.tones[tone]
    return (
        f"border:1px solid {ink.text};border-radius:6px;padding:6px 10px;"
        f"margin:8px 0;color:{ink.text};background-color:{ink.ground}"
    )


def inline_card(tone: Tone) -> str:
    """Return a card's frame as literal values, for the same reason."""
    edge = LIGHT.tones[tone].text
    return (
        f"border:1px solid {LIGHT.edge};border-left:5px solid {edge};"
        "border-radius:8px;padding:10px 14px;max-width:1000px"
    )


CELL = "text-align:left;vertical-align:top;padding:4px 9px"
CAPTION = "text-align:left;font-weight:600"

"""Colours meet WCAG 2.1 AA, computed from the values that are used."""

from __future__ import annotations

import re

import pytest

from runbook_lib.views.theme import DARK, LIGHT, Palette, Tone, inline, style_sheet


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, as WCAG 2.1 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours: 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_known_pairs() -> None:
    """The computation itself is right: black on white is 21, a known grey 4.54."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("tone", list(Tone))
def test_badges_can_be_read(palette: Palette, tone: Tone) -> None:
    """Each tone's text has 4.5:1 on its ground, and 3:1 as an edge on the card."""
    ink = palette.tones[tone]
    assert contrast(ink.text, ink.ground) >= 4.5
    assert contrast(ink.text, palette.ground) >= 3


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["text", "muted", "link"])
@pytest.mark.parametrize("ground", ["ground", "soft"])
def test_text_can_be_read(palette: Palette, name: str, ground: str) -> None:
    """Text, muted text and links have 4.5:1 on the card and on table heads."""
    assert contrast(getattr(palette, name), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_card_frame_can_be_seen(palette: Palette) -> None:
    """The frame of a card has 3:1, as WCAG asks of parts of the interface."""
    assert contrast(palette.edge, palette.ground) >= 3


def test_every_tone_differs_between_themes() -> None:
    """No tone was forgotten in the dark theme."""
    for tone in Tone:
        assert LIGHT.tones[tone] != DARK.tones[tone]


def test_style_sheet_uses_only_known_variables() -> None:
    """Every custom property that a rule uses is defined for both themes."""
    sheet = style_sheet()
    used = set(re.findall(r"var\((--[a-z-]+)", sheet))
    for scope in (
        r"^\.rb\{([^}]*)\}",
        r'\[data-jp-theme-light="false"\] \.rb\{([^}]*)',
    ):
        found = re.search(scope, sheet)
        assert found is not None
        assert used <= set(re.findall(r"(--[a-z-]+):", found[1]))


def test_inline_styles_are_literal() -> None:
    """JupyterLab drops custom properties from notebooks that are not trusted."""
    for tone in Tone:
        assert "var(" not in inline(tone)
        assert LIGHT.tones[tone].text in inline(tone)

"""What is displayed, headlessly and beside a panel."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.views import panel as panel_module
from runbook_lib.views import twin as twin_module
from runbook_lib.views.panel import show
from tests.views.desk import (
    PLANNED,
    EnableAuthenticatedSmtp,
    Scripted,
    make,
)
from tests.views.samples import changed


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect what is displayed."""
    bundles: list[dict[str, Any]] = []

    def collect(bundle: dict[str, Any], **_: object) -> None:
        bundles.append(bundle)

    monkeypatch.setattr(twin_module, "display", collect)
    monkeypatch.setattr(panel_module, "display", collect)
    return bundles


def test_headless_shows_one_static_card(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a person one card is displayed, and no widget exists to be saved."""
    controls = Scripted()
    controls.ended = changed()

    def never(*_: object) -> None:
        raise AssertionError("a panel was made")

    monkeypatch.setattr(panel_module, "Panel", never)
    show(EnableAuthenticatedSmtp(), controls, live=False)
    (bundle,) = shown
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"].startswith(
        "Activate SMTP AUTH for the mailbox: changed"
    )
    assert "rb-static" in bundle["text/html"]
    assert controls.asked == []


def test_live_shows_the_card_and_a_panel_without_text(
    shown: list[dict[str, Any]],
) -> None:
    """The panel's own output has empty texts, so a saved file shows only the card."""
    show(EnableAuthenticatedSmtp(), Scripted(), live=True)
    static, live = shown
    assert ":has(.rb-live" in static["text/html"]
    assert live["text/html"] == live["text/plain"] == ""
    assert "application/vnd.jupyter.widget-view+json" in live


def test_an_ended_begin_is_followed(tmp_path: Path) -> None:
    """A panel drawn while another click works shows the end once it is on record."""
    controls = Scripted()
    controls.begun = {**PLANNED, "event": "step.begin", "mode": "apply", "seq": 5}
    panel = make(controls)
    assert "Under way" in panel.twin.live.value
    controls.ended, controls.begun = changed(seq=6), None
    deadline = time.monotonic() + 5
    while "Changed and read back" not in panel.twin.live.value:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert controls.asked == []

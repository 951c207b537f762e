"""One JupyterLab and one browser for all tests of this folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.lab import CHROMIUM, CHROMIUM_FLAGS, Lab, running_lab


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Yield a browser context, or skip where there is no browser to drive."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install .[test-ui]"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory(prefix="chromium-") as profile,
        playwright.sync_playwright() as driver,
    ):
        context = driver.chromium.launch_persistent_context(
            profile,
            executable_path=str(CHROMIUM),
            headless=True,
            args=CHROMIUM_FLAGS,
            viewport={"width": 1280, "height": 1000},
        )
        context.set_default_timeout(20_000)
        yield context
        context.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Lab]:
    """Yield a JupyterLab whose kernels find this checkout."""
    checkout = str(Path(__file__).parents[2])
    folder = tmp_path_factory.mktemp("lab")
    with running_lab(folder, {"PYTHONPATH": checkout}) as found:
        yield found


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    """Yield an empty page; its kernels end with the test."""
    opened = browser.new_page()
    yield opened
    opened.close()
    lab.end_sessions()

"""A fresh sandbox for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.world import World, running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a fresh sandbox with one tenant."""
    with running(tmp_path) as found:
        yield found

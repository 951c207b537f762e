"""What the engine's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.world import Bench, new_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Yield a bench in apply mode on an empty world."""
    made = new_bench(tmp_path)
    yield made
    made.record.close()

"""Benchmarks run only where their folder is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless a path given to pytest leads into it."""
    asked = any("benchmarks" in Path(argument).parts for argument in config.args)
    return None if asked else True

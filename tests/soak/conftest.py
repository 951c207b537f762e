"""Long tests run only where their folder is asked for; what they found is kept."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.soak.results import Results

RESULTS = pytest.StashKey[Results]()

Counted = Callable[[int, object], None]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless a path given to pytest leads into it."""
    asked = any("soak" in Path(argument).parts for argument in config.args)
    return None if asked else True


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no results."""
    config.stash[RESULTS] = Results()


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Counted:
    """Return how a test tells what it played: how many cases, of which seed.

    A test that does not say counts as one case of no seed.
    """

    def tell(count: int, seed: object) -> None:
        request.node.user_properties += [("count", count), ("seed", seed)]

    return tell


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take in how each test ended."""
    report = yield
    if report.when == "call" or report.failed:
        item.config.stash[RESULTS].take(report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Add a row for each test to docs/soak."""
    session.config.stash[RESULTS].write()

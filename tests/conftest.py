"""Which tests are left to continuous integration, and which begin first there."""

from __future__ import annotations

import pytest

# Whole runs of notebooks, many of them: minutes of processor time in each file.
LONG = (
    "tests/batch/test_batch.py",
    "tests/integration/test_key_vault.py",
    "tests/integration/test_sap_evidence.py",
)

# The longest: begun at once, it fills what the tests beside it leave by waiting.
FIRST = "tests/integration/test_faults.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of long files, so that `make test` stays under five minutes."""
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker(pytest.mark.ci)
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))

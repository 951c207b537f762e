"""Which tests are left to continuous integration because they take their time."""

from __future__ import annotations

import pytest

# Whole runs of notebooks, many of them: minutes of processor time in each file.
LONG = (
    "tests/batch/test_batch.py",
    "tests/integration/test_key_vault.py",
    "tests/integration/test_sap_evidence.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of long files, so that `make test` stays under five minutes."""
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker(pytest.mark.ci)

"""Folders that Postfix's own user may enter, certificates, free ports."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.integration.world import running
from tests.relay.site import Site
from tests.relay.tenant import Tenant


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a short path, open to other users, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="relay-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return an authority that is not the sandbox's."""
    return trustme.CA()


@pytest.fixture
def site(folder: Path, authority: trustme.CA) -> Site:
    """Return a place for relays, with certificates of the authority."""
    return Site(folder, authority)


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """Return a fresh sandbox tenant."""
    with running(tmp_path) as world:
        yield Tenant(world)

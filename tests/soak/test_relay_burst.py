"""Four thousand messages through a relay that is killed again and again."""

from __future__ import annotations

import pytest

from tests.relay.conftest import authority, folder, site
from tests.relay.site import Site
from tests.relay.test_failures import killed_in_a_burst
from tests.soak.conftest import Counted

__all__ = ["authority", "folder", "site"]

MESSAGES = 4_000

pytestmark = pytest.mark.ci


def test_relay_burst(site: Site, counted: Counted) -> None:
    """None of 4,000 is lost; those that came twice are counted."""
    killed_in_a_burst(site, MESSAGES, kills=8)
    counted(MESSAGES, "none")

"""Thirty seconds each of fuzzing InvokeCommand, SMTP and DNS, with a fixed seed."""

import pytest

from tests.sandbox.fuzz_dns import QUERIES, DnsFuzz
from tests.sandbox.fuzz_exchange import REQUESTS, ExchangeFuzz
from tests.sandbox.fuzz_smtp import DIALOGUES, SmtpFuzz
from tests.sandbox.fuzzing import fuzz
from tests.sandbox.test_exchange_matrix import prepared
from tests.sandbox.world import World

SECONDS = 30

pytestmark = pytest.mark.ci


def test_invoke_command_survives() -> None:
    """No 500, and no change that nobody was allowed to make."""
    with World(tenants=2) as world:
        assert fuzz(SECONDS, REQUESTS, ExchangeFuzz(prepared(world)).check)


def test_smtp_survives() -> None:
    """No hang, no malformed reply, no mail without sign-in or relay."""
    with World() as world:
        assert fuzz(SECONDS, DIALOGUES, SmtpFuzz(world).check)


def test_dns_survives() -> None:
    """No malformed answer."""
    with World() as world:
        assert fuzz(SECONDS, QUERIES, DnsFuzz(world).check)

"""Five minutes each of fuzzing InvokeCommand, SMTP and DNS."""

from tests.sandbox.fuzz_dns import QUERIES, DnsFuzz
from tests.sandbox.fuzz_exchange import REQUESTS, ExchangeFuzz
from tests.sandbox.fuzz_smtp import DIALOGUES, SmtpFuzz
from tests.sandbox.fuzzing import fuzz
from tests.sandbox.test_exchange_matrix import prepared
from tests.sandbox.world import World

SECONDS = 300


def test_soak_invoke_command() -> None:
    """No 500, and no change that nobody was allowed to make."""
    with World() as world:
        assert fuzz(SECONDS, REQUESTS, ExchangeFuzz(prepared(world)).check)


def test_soak_smtp() -> None:
    """No hang, no malformed reply, no mail without sign-in or relay."""
    with World() as world:
        assert fuzz(SECONDS, DIALOGUES, SmtpFuzz(world).check)


def test_soak_dns() -> None:
    """No malformed answer."""
    with World() as world:
        assert fuzz(SECONDS, QUERIES, DnsFuzz(world).check)

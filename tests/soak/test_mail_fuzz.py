"""Five minutes each of fuzzing InvokeCommand, SMTP and DNS."""

from tests.sandbox.fuzz_dns import QUERIES, DnsFuzz
from tests.sandbox.fuzz_exchange import REQUESTS, ExchangeFuzz
from tests.sandbox.fuzz_smtp import DIALOGUES, SmtpFuzz
from tests.sandbox.fuzzing import BATCH, fuzz
from tests.sandbox.test_exchange_matrix import prepared
from tests.sandbox.world import World
from tests.soak.conftest import Counted

SECONDS = 300


def test_soak_invoke_command(counted: Counted) -> None:
    """No 500, and no change that nobody was allowed to make."""
    with World() as world:
        batches = fuzz(SECONDS, REQUESTS, ExchangeFuzz(prepared(world)).check)
    tell(counted, batches)


def test_soak_smtp(counted: Counted) -> None:
    """No hang, no malformed reply, no mail without sign-in or relay."""
    with World() as world:
        batches = fuzz(SECONDS, DIALOGUES, SmtpFuzz(world).check)
    tell(counted, batches)


def test_soak_dns(counted: Counted) -> None:
    """No malformed answer."""
    with World() as world:
        batches = fuzz(SECONDS, QUERIES, DnsFuzz(world).check)
    tell(counted, batches)


def tell(counted: Counted, batches: int) -> None:
    """Count the examples; there was at least a batch."""
    counted(batches * BATCH, f"0 to {batches - 1}")
    assert batches

"""Five minutes of odd requests to each HTTPS host of the sandbox."""

import pytest

from tests.sandbox.fuzz_login import LoginTarget
from tests.sandbox.fuzz_targets import GraphTarget, VaultTarget
from tests.sandbox.fuzzing import BATCH, fuzz
from tests.sandbox.world import World
from tests.soak.conftest import Counted

SECONDS = 300

Target = type[GraphTarget] | type[LoginTarget] | type[VaultTarget]


@pytest.mark.parametrize(
    "target",
    [GraphTarget, LoginTarget, VaultTarget],
    ids=lambda target: target.__name__,
)
def test_odd_requests_for_five_minutes(target: Target, counted: Counted) -> None:
    """No server error, no hang, no change without right."""
    with World() as world:
        aimed = target(world)
        batches = fuzz(SECONDS, aimed.shots(), aimed.send)
    counted(batches * BATCH, f"0 to {batches - 1}")
    assert batches > 1

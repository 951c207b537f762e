"""Five minutes of odd requests to each HTTPS host of the sandbox."""

import pytest

from tests.sandbox.fuzz_login import LoginTarget
from tests.sandbox.fuzz_targets import GraphTarget, VaultTarget
from tests.sandbox.fuzzing import fuzz
from tests.sandbox.world import World

SECONDS = 300

Target = type[GraphTarget] | type[LoginTarget] | type[VaultTarget]


@pytest.mark.parametrize(
    "target",
    [GraphTarget, LoginTarget, VaultTarget],
    ids=lambda target: target.__name__,
)
def test_odd_requests_for_five_minutes(target: Target) -> None:
    """No server error, no hang, no change without right."""
    with World() as world:
        aimed = target(world)
        assert fuzz(SECONDS, aimed.shots(), aimed.send) > 1
